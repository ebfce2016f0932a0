"""What all output formats share: their settings, and the two halves that each is made of.

A **renderer** turns one tagged passage into a piece: it remembers nothing, so that passages may be rendered anywhere
and in any order. A **sink** takes the pieces in the order of the input and says what is to be written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from nertag.config import OutputFormat
from nertag.sources import LITERAL, STDIN
from nertag.text import DOCSTART, Mention, Passage, TaggedPassage

Output = str | bytes
Renderer = Callable[[TaggedPassage], Any]


@dataclass(frozen=True)
class OutputSettings:
    """What to write. It can be pickled, so that renderers can be made in other processes.

    Attributes:
        kind: The format.
        objects: Whether the input has fields of its own, as JSON Lines have: results then keep them. None if each
            section decides for itself.
        replacement: What `redact` writes instead of every mention; None for `[PERSON]` and the like.
        mapping: The file in which `pseudonyms` keeps names; None for none.
        key: The secret of keyed pseudonyms; None for numbered ones.
        made_up_names: Whether `pseudonyms` gives people names instead of numbers.
        json: Whether `names` writes JSON.
    """

    kind: OutputFormat
    objects: bool | None = False
    replacement: str | None = None
    mapping: str | None = None
    key: bytes | None = field(default=None, repr=False)
    made_up_names: bool = False
    json: bool = False


class Sink:
    """Takes pieces in order. This one writes pieces that are text as they are; others derive from it."""

    def begin(self) -> Output:
        """Return what comes before the first piece."""
        return ""

    def write(self, piece: Any) -> Output:  # noqa: ANN401 - each format has pieces of its own
        """Take a piece in and return what can be written now."""
        text: str = piece
        return text

    def finish(self) -> Iterator[Output]:
        """Yield what follows the last piece."""
        yield from ()

    def close(self) -> None:
        """Keep what has to outlive the run, also one that ended early."""


def is_marker(passage: Passage) -> bool:
    """Whether a passage only says that a document starts, as `-DOCSTART-` in CoNLL input: it gets no answer."""
    return not passage.words and passage.text == DOCSTART and passage.fields is None


def has_place(passage: Passage) -> bool:
    """Whether a passage comes from a file that has a name, and has no fields of its own to tell it by."""
    return passage.fields is None and passage.line > 0 and passage.source not in (STDIN, LITERAL)


def lines_of(passage: Passage, mentions: Iterable[Mention]) -> Iterator[tuple[int, int]]:
    """Find the lines of mentions, in time proportional to the length of the text, however many there are.

    Args:
        passage: Where they are: one line, or several that were joined. A text with fields is all in one place.
        mentions: The mentions, in order.

    Yields:
        For each the number of the line where it begins, and where that line begins in the text.
    """
    line, begin, position = passage.line, 0, 0
    for mention in mentions:
        if passage.fields is None:
            line += passage.text.count("\n", position, mention.start)
            begin = passage.text.rfind("\n", position, mention.start) + 1 or begin
            position = mention.start
        yield line, begin


def noun(label: str) -> str:
    """Return what stands for a name of this label in anonymous text: `PERSON` for `PER`, others as they are."""
    return "PERSON" if label == "PER" else label
