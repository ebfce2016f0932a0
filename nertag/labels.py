"""Tag schemes to spans and back, in pure Python.

Inside nertag every tag sequence is strict IOB2: a mention of label `PER` is one `B-PER` followed by `I-PER` tokens.
Files come in other schemes; `to_iob2` brings them here. Nothing in this module or below it knows which labels exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, get_args

OUTSIDE = "O"
PERSON = "PER"

Scheme = Literal["iob1", "iob2", "bioes", "io"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)

# One letter of each scheme family to the letter of BIOES: BILOU says L(ast) and U(nit), BMES says M(iddle).
_BIOES_LETTER = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S"}


class Span(NamedTuple):
    """A mention by token index: half-open `[start, end)`, with its label."""

    start: int
    end: int
    label: str


class TagError(ValueError):
    """A tag that its scheme does not allow.

    Args:
        index: Position of the tag in its sequence, counted from 0.
        message: What is wrong with it.
    """

    def __init__(self, index: int, message: str) -> None:
        self.index = index
        self.message = message
        super().__init__(message)


def tags_of(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the IOB2 tag set of some labels: `O`, then `B-` and `I-` of every label in the given order."""
    return (OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI"))


def split_tag(tag: str) -> tuple[str, str]:
    """Return the letter and the label of a tag: `("B", "PER")` for `B-PER`, `("O", "")` for `O`.

    Raises:
        ValueError: If the tag is neither `O` nor a letter of IOB, BIOES, BILOU or BMES, a hyphen and a label.
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    letter, hyphen, label = tag.partition("-")
    if not hyphen or not label or letter not in _BIOES_LETTER:
        raise ValueError(f"{tag!r} is no tag of IOB1, IOB2, BIOES, BILOU or IO")
    return letter, label


def spans_of(tags: Sequence[str]) -> list[Span]:
    """Return the mentions of a strict IOB2 sequence, in order.

    Raises:
        TagError: If an `I-` tag does not continue a mention of the same label.
    """
    spans: list[Span] = []
    start, current = 0, ""
    for index, tag in enumerate(tags):
        letter, label = split_tag(tag)
        if letter == "I":
            if label != current:
                before = tags[index - 1] if index else None
                raise TagError(index, _orphan(tag, before))
            continue
        if letter not in "OB":
            raise TagError(index, f"tag {tag!r} is not IOB2")
        if current:
            spans.append(Span(start, index, current))
        start, current = index, label
    if current:
        spans.append(Span(start, len(tags), current))
    return spans


def _orphan(tag: str, before: str | None) -> str:
    """Say why an `I-` tag cannot stand where it does."""
    follows = "starts the sentence" if before is None else f"follows {before!r}"
    return f"tag {tag!r} {follows}, but an IOB2 mention starts with 'B-{tag[2:]}'"


def tags_from(spans: Iterable[Span], length: int) -> list[str]:
    """Return the IOB2 tags of a sequence of `length` tokens that holds these spans.

    Raises:
        ValueError: If a span is empty, leaves the sequence or overlaps another.
    """
    tags = [OUTSIDE] * length
    for start, end, label in spans:
        if not 0 <= start < end <= length or any(tag != OUTSIDE for tag in tags[start:end]):
            raise ValueError(f"span [{start}, {end}) overlaps another or leaves the {length} tokens")
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return tags


def detect_scheme(sequences: Iterable[Sequence[str]]) -> Scheme:
    """Recognise the scheme of a whole corpus from the tags it uses.

    `E`, `L`, `S`, `U` or `M` mean BIOES. Without any `B`, every mention starts with `I`: that is IO, or IOB1 in a
    corpus without adjacent mentions, and the two read alike. A mention that starts with `I` beside some that start with
    `B` is IOB1, where `B` only parts adjacent mentions, provided that every `B` follows a mention of its label;
    otherwise the corpus is IOB2 with mistakes, which `to_iob2` then reports.

    Returns:
        The scheme; `iob2` for a corpus without mentions.

    Raises:
        ValueError: If a tag belongs to no scheme.
    """
    begins = orphans = False
    begin_without_neighbour = False
    for tags in sequences:
        before = OUTSIDE, ""
        for tag in tags:
            letter, label = split_tag(tag)
            if letter in "ELSUM":
                return "bioes"
            if letter == "B":
                begins = True
                begin_without_neighbour |= before[1] != label
            elif letter == "I":
                orphans |= before[1] != label
            before = letter, label
    if not begins:
        return "io" if orphans else "iob2"
    return "iob1" if orphans and not begin_without_neighbour else "iob2"


def to_iob2(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """Convert one sequence to strict IOB2.

    Args:
        tags: Tags in the given scheme; BILOU and BMES count as BIOES.
        scheme: Where they come from.

    Returns:
        As many tags, strict IOB2.

    Raises:
        TagError: If a tag is unknown or the scheme does not allow it where it stands.
    """
    result: list[str] = []
    letter_before, label_before = OUTSIDE, ""
    for index, tag in enumerate(tags):
        try:
            letter, label = split_tag(tag)
        except ValueError as error:
            raise TagError(index, str(error)) from None
        if scheme == "bioes":
            letter = _BIOES_LETTER.get(letter, letter)
            _check_bioes(tags, index, letter, label, (letter_before, label_before))
        elif letter not in ("OI" if scheme == "io" else "OIB"):
            raise TagError(index, f"tag {tag!r} is not {scheme.upper()}")
        elif scheme == "iob2" and letter == "I" and label != label_before:
            raise TagError(index, _orphan(tag, tags[index - 1] if index else None))
        continues = label == label_before and letter in "IE"
        result.append(OUTSIDE if letter == OUTSIDE else f"{'I' if continues else 'B'}-{label}")
        letter_before, label_before = letter, label
    if scheme == "bioes" and letter_before in "BI":
        raise TagError(len(tags) - 1, f"tag {tags[-1]!r} ends the sentence, but a BIOES mention ends with 'E-' or 'S-'")
    return result


def _check_bioes(tags: Sequence[str], index: int, letter: str, label: str, before: tuple[str, str]) -> None:
    """Raise a TagError where BIOES does not allow the tag at `index` after the one before it."""
    letter_before, label_before = before
    continues = letter in "IE"
    if continues != (letter_before in "BI") or (continues and label != label_before):
        previous = repr(tags[index - 1]) if index else "the start"
        raise TagError(index, f"tag {tags[index]!r} cannot follow {previous} in BIOES")
