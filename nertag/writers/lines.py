"""Tagged passages in; labels, tags, CoNLL columns or JSON Lines out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from nertag.labels import OUTSIDE
from nertag.text import DOCSTART, Mention, TaggedPassage
from nertag.writers.base import has_place, is_marker

# --- One line per passage ---------------------------------------------------------------------------------------------


def labels_line(tagged: TaggedPassage) -> str:
    """Return a line of 1 and 0, one for each token."""
    tags = tagged.tags
    if not tags:
        return "" if is_marker(tagged.passage) else "\n"
    if tags.count(OUTSIDE) == len(tags):
        return "0 " * (len(tags) - 1) + "0\n"
    return " ".join(["0" if tag == OUTSIDE else "1" for tag in tags]) + "\n"


def tags_line(tagged: TaggedPassage) -> str:
    """Return a line of IOB2 tags, one for each token."""
    return "" if is_marker(tagged.passage) else " ".join(tagged.tags) + "\n"


encode = json.JSONEncoder(ensure_ascii=False).encode
"""Writes a value as JSON in one line."""


def json_line(tagged: TaggedPassage) -> str:
    """Return a JSON object: the fields that came with the passage as they were, or its file and line; then our own."""
    passage = tagged.passage
    return "" if is_marker(passage) else join_fields(passage.fields or {}, _own_fields(tagged))


def _own_fields(tagged: TaggedPassage) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of the fields that we add; each is made when it is written, as it may be huge."""
    passage = tagged.passage
    if has_place(passage):
        yield "file", passage.source
        yield "line", passage.line
    if not passage.place:
        yield "text", passage.text
    yield "tokens", list(passage.words)
    yield "labels", tagged.labels
    yield "tags", list(tagged.tags)
    yield "mentions", [mention_fields(mention) for mention in tagged.mentions()]


def join_fields(fields: Mapping[str, str], own: Iterable[tuple[str, Any]]) -> str:
    """Return a line with a JSON object: fields as they are written, then our own.

    Args:
        fields: Names and the JSON of their values.
        own: Names and values of ours.
    """
    pieces: list[str] = []
    for name, value in chain(fields.items(), ((name, encode(value)) for name, value in own)):
        pieces += (", " if pieces else "{", encode(name), ": ", value)
    return "".join([*pieces, "}\n"] if pieces else ["{}\n"])


def mention_fields(mention: Mention) -> dict[str, Any]:
    """Return a mention as a JSON object, its probability rounded to four places."""
    return {
        "start": mention.start,
        "end": mention.end,
        "token_start": mention.token_start,
        "token_end": mention.token_end,
        "text": mention.text,
        "label": mention.label,
        "score": round(mention.score, 4),
    }


# --- Columns ----------------------------------------------------------------------------------------------------------

# A token from JSON may hold what would end a line or a column.
_SEPARATORS = str.maketrans(dict.fromkeys("\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029", " "))


class ConllWriter:
    """Writes token TAB tag, an empty line after every passage and a second one between documents.

    Passages without tokens are left out; `-DOCSTART-` stays where it was: CoNLL input and output have the same lines.
    """

    def __init__(self) -> None:
        self._anything = False
        self._due = False

    def __call__(self, tagged: TaggedPassage) -> str:
        """Return the lines of one passage."""
        passage = tagged.passage
        if is_marker(passage):
            self._anything = self._due = False
            return f"{DOCSTART}\t{OUTSIDE}\n\n"
        self._due |= passage.starts_document and self._anything
        if not passage.words:
            return ""
        border = "\n" if self._due else ""
        self._anything, self._due = True, False
        rows = [f"{word.translate(_SEPARATORS)}\t{tag}\n" for word, tag in zip(passage.words, tagged.tags, strict=True)]
        return f"{border}{''.join(rows)}\n"
