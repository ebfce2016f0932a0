"""A table of raw rows in; each row's words with its tags or character spans, as they stand, out."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nertag.errors import DataError
from nertag.labels import OUTSIDE, split_tag
from nertag.tables import Table, Unread, shortened
from nertag.text import DOCSTART, tokenize

# Recognised names, case-insensitively, the first that is there wins.
WORD_COLUMNS = ("tokens", "words", "text", "sentence")
TAG_COLUMNS = ("ner_tags", "ner", "tags", "ner_labels", "bio_tags", "iob_tags", "labels")
SPAN_COLUMNS = ("entities", "spans", "labels", "label", "annotations", "ner")
DOCUMENT_COLUMNS = ("doc", "doc_id", "document", "document_id")
_SPAN_KEYS = (
    ("start", "start_offset", "begin"),
    ("end", "end_offset"),
    ("label", "type", "tag", "entity", "entity_type"),
)


class RowError(ValueError):
    """A malformed row.

    Args:
        message: What is wrong with it, and the offending text.
        token: The token it is wrong at, counted from 0.
        hint: What to do next.
    """

    def __init__(self, message: str, token: int = 0, hint: str | None = None) -> None:
        self.message = message
        self.token = token
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A labelled span of a text by code points, half-open."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row whose form is right; whether its tags make sense is not known yet.

    Attributes:
        index: Its number in the table, from 0.
        words: Its tokens.
        tags: One tag for every token in the scheme of the corpus; None where there are spans.
        numbers: Whether the tags are integers without names.
        text: The text that the words were split from; empty where there are tags.
        spans: What is labelled in the text.
        starts_document: Whether a document starts here.
    """

    index: int
    words: Sequence[str]
    tags: Sequence[str] | None
    numbers: bool
    text: str
    spans: Sequence[TextSpan]
    starts_document: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table hold what; `document` is None where nothing says which rows belong together."""

    words: str
    tags: str
    document: str | None


def find_columns(table: Table, words: str | None, tags: str | None) -> Columns:
    """Find the columns of a table.

    Args:
        table: The table.
        words: The column of tokens or text as the user named it; None to find it.
        tags: The column of tags or spans as the user named it; None to find it.

    Returns:
        The columns, all of which are there.

    Raises:
        DataError: If a named column is not there, or none is recognised.
    """
    for name, option in ((words, "--tokens-column"), (tags, "--tags-column")):
        if name is not None and name not in table.names:
            raise DataError(f"{option}: no column {name!r}", hint=_there_are(table), path=table.shown)
    if table.headless:
        found = _find_by_content(table, words, tags)
    else:
        found_words = words or _first_of(WORD_COLUMNS, table.names)
        is_text = found_words is not None and found_words.lower() in ("text", "sentence")
        candidates = (*SPAN_COLUMNS, *TAG_COLUMNS) if is_text else TAG_COLUMNS
        found = found_words, tags or _first_of(candidates, table.names)
    for name, what, option in (
        (found[0], f"tokens ({', '.join(WORD_COLUMNS)})", "--tokens-column"),
        (found[1], f"tags ({', '.join(TAG_COLUMNS)}) or spans ({', '.join(SPAN_COLUMNS)})", "--tags-column"),
    ):
        if name is None:
            what = what.split()[0] if table.headless else what
            raise DataError(
                f"no column of {what}", hint=f"{_there_are(table)} Name one with {option}.", path=table.shown
            )
    assert found[0] is not None and found[1] is not None
    return Columns(
        found[0], found[1], _first_of(DOCUMENT_COLUMNS, (*table.names, *(["document"] if table.headless else [])))
    )


def _there_are(table: Table) -> str:
    """List the columns of a table for a hint."""
    return f"Columns: {', '.join(table.names)}."


def _first_of(wanted: Iterable[str], names: Iterable[str]) -> str | None:
    """Return the first name of those wanted, whatever its case."""
    by_lower = {name.lower(): name for name in reversed(tuple(names))}
    return next((by_lower[name] for name in wanted if name in by_lower), None)


def _find_by_content(table: Table, words: str | None, tags: str | None) -> tuple[str | None, str | None]:
    """Return the columns of tokens and tags of a column file, told by what stands in them.

    Tags stand in the last column most of whose cells are tags; tokens in the first, unless that counts them.
    """
    if words is None:
        first = (
            next((cells for cells in table.column(table.names[0]) if isinstance(cells, list)), [])
            if table.names
            else []
        )
        counts = first == [str(number) for number in range(1, len(first) + 1)] and len(table.names) > 2
        words = table.names[1 if counts else 0] if table.names else None
    if tags is None:
        others = [name for name in reversed(table.names) if name != words]
        tags = next((name for name in others if _mostly_tags(table.column(name))), None)
    return words, tags


def _mostly_tags(column: Iterable[Sequence[str] | Unread]) -> bool:
    """Whether more than half of the cells are tags."""
    counts: dict[str, int] = {}
    for cells in column:
        if not isinstance(cells, Unread):
            for cell in cells:
                counts[cell] = counts.get(cell, 0) + 1
    return sum(count for cell, count in counts.items() if _is_tag(cell)) * 2 > sum(counts.values())


def _is_tag(cell: str) -> bool:
    """Whether this is a tag of some scheme with letters."""
    try:
        split_tag(cell)
    except ValueError:
        return False
    return True


# --- Rows -------------------------------------------------------------------------------------------------------------


def read_rows(table: Table, columns: Columns, bad_row: Callable[[int, RowError], None]) -> Iterator[RawRow]:
    """Read the rows of a table one by one; those without tokens are left out.

    Rows are of one document as long as its column says the same; without such a column, or with an empty cell, a row is
    a document of its own. A row that starts with the token `-DOCSTART-` starts one, too.

    Args:
        table: The table.
        columns: Which of its columns hold what.
        bad_row: Called for each malformed row with its number, from 0, and what is wrong; may raise.

    Yields:
        The rows whose form is right, in order.
    """
    words_column, tags_column = table.column(columns.words), table.column(columns.tags)
    documents = table.column(columns.document) if columns.document else [None] * len(words_column)
    names = table.class_names.get(columns.tags)
    before: Any = None
    pending = False
    for index, (words, tags, document) in enumerate(zip(words_column, tags_column, documents, strict=True)):
        pending |= document is None or document != before
        before = document
        try:
            row = _read_row(index, words, tags, names, columns)
        except RowError as error:
            bad_row(index, error)
            continue
        if row.tags and row.words[0] == DOCSTART:
            pending = True
            row = replace(row, words=row.words[1:], tags=row.tags[1:])
        if row.words:
            yield replace(row, starts_document=True) if pending else row
            pending = False


def _read_row(index: int, words: object, tags: object, names: Sequence[str] | None, columns: Columns) -> RawRow:
    """Return one row.

    Raises:
        RowError: If its form is wrong.
    """
    if isinstance(words, Unread):
        raise RowError(words.message, words.token)
    if words is None or tags is None:
        raise RowError(f"nothing in column {columns.words if words is None else columns.tags!r}")
    words, tags = _parsed(words), _parsed(tags)
    if isinstance(words, str):
        if isinstance(tags, dict) or (isinstance(tags, list) and not any(isinstance(tag, str | int) for tag in tags)):
            return RawRow(index, [word for word, _, _ in tokenize(words)], None, False, words, _read_spans(tags), False)
        words = words.split()
    if isinstance(tags, str):
        tags = tags.split()
    if not isinstance(words, list) or not isinstance(tags, list):
        column, cell = (columns.words, words) if not isinstance(words, list) else (columns.tags, tags)
        raise RowError(f"column {column!r} holds no list: {shortened(str(cell))}")
    _check_words(words)
    if len(words) != len(tags):
        raise RowError(f"{len(words)} tokens but {len(tags)} tags: {shortened(' '.join(words))}")
    numbers = names is None and any(isinstance(tag, int) for tag in tags)
    return RawRow(
        index, words, [_tag(tag, token, names, columns) for token, tag in enumerate(tags)], numbers, "", (), False
    )


def _parsed(cell: object) -> object:
    """Return the list that a text cell spells, as JSON or as Python prints it; other cells as they are."""
    if not isinstance(cell, str) or not cell.startswith("["):
        return cell
    for parse in (json.loads, ast.literal_eval):
        try:
            parsed = parse(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(parsed, list):
            return parsed
    return cell


def _check_words(words: Sequence[Any]) -> None:
    """Raise a RowError if a token is no text or empty."""
    for token, word in enumerate(words):
        if not isinstance(word, str):
            raise RowError(f"token {token + 1} is no text: {shortened(str(word))}", token)
        if not word.strip():
            raise RowError(f"token {token + 1} is empty: {shortened(' '.join(map(str, words)))}", token)


def _tag(tag: object, token: int, names: Sequence[str] | None, columns: Columns) -> str:
    """Return a tag as text.

    Raises:
        RowError: If it is neither text nor a number that has a name.
    """
    if isinstance(tag, str):
        return tag
    if not isinstance(tag, int):
        raise RowError(f"tag {token + 1} is no text: {shortened(str(tag))}", token)
    if names is None:
        return str(int(tag))
    if not 0 <= tag < len(names):
        raise RowError(
            f"tag {tag} has no name: column {columns.tags!r} names 0 to {len(names) - 1}",
            token,
        )
    return names[tag]


def _read_spans(cell: Mapping[str, Any] | Sequence[object]) -> list[TextSpan]:
    """Return the spans of a text, given as objects or triples, or as an object of lists.

    Raises:
        RowError: If one has no start, end or label.
    """
    if isinstance(cell, Mapping):
        cell = [dict(zip(cell, values, strict=False)) for values in zip(*cell.values(), strict=False)]
    return [_read_span(span) for span in cell]


def _read_span(span: object) -> TextSpan:
    """Return one span.

    Raises:
        RowError: If it has no start, end or label.
    """
    if isinstance(span, Mapping):
        values = [next((span[key] for key in keys if key in span), None) for keys in _SPAN_KEYS]
    else:
        values = list(span) if isinstance(span, list | tuple) else []
    if len(values) == 3 and isinstance(values[0], int) and isinstance(values[1], int) and isinstance(values[2], str):
        return TextSpan(values[0], values[1], values[2])
    raise RowError(
        f"not a span of start, end and label: {shortened(str(span))}",
        hint='Spans are {"start": 0, "end": 3, "label": "PER"} or [0, 3, "PER"], in code points, half-open.',
    )


def align_span(span: TextSpan, row: RawRow) -> tuple[int, int]:
    """Return the tokens that a span covers, half-open; white space at its ends does not count.

    Raises:
        RowError: If it leaves the text, covers nothing or cuts through a token.
    """
    text = row.text[span.start : span.end] if 0 <= span.start < span.end <= len(row.text) else ""
    if not text.strip():
        raise RowError(f"span [{span.start}, {span.end}) covers nothing in a text of {len(row.text)} code points")
    start = span.start + len(text) - len(text.lstrip())
    end = span.end - len(text) + len(text.rstrip())
    tokens = tokenize(row.text)
    first = next((index for index, token in enumerate(tokens) if token.end > start), len(tokens))
    last = next((index for index, token in enumerate(tokens) if token.end >= end), len(tokens) - 1)
    for index, cut in ((first, tokens[first].start != start), (last, tokens[last].end != end)):
        if cut:
            raise RowError(
                f"span [{span.start}, {span.end}) {shortened(text)} cuts through the token {tokens[index].text!r}",
                index,
            )
    return first, last + 1


def labels_of(rows: Iterable[RawRow], names: Iterable[str]) -> dict[str, None]:
    """Return the labels that rows use or the corpus declares, in the order of their first use."""
    labels: dict[str, None] = {}
    for tag in dict.fromkeys((*(tag for row in rows for tag in row.tags or ()), *names)):
        if tag != OUTSIDE and _is_tag(tag):
            labels.setdefault(split_tag(tag)[1])
    for row in rows:
        labels.update(dict.fromkeys(span.label for span in row.spans))
    return labels
