"""Tagged passages in; a list of the names in them out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from nertag.text import TaggedPassage
from nertag.writers.base import Sink, lines_of
from nertag.writers.people import normalize

_ESCAPES = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
    | {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F) if code not in b"\t\n\r"}
)


class Found(NamedTuple):
    """The mentions of one passage, in order: label, text and line of each."""

    source: str
    mentions: tuple[tuple[str, str, int], ...]


def find(tagged: TaggedPassage) -> Found | None:
    """Return the mentions of a passage; None if there are none."""
    mentions = tagged.mentions()
    if not mentions:
        return None
    lines = lines_of(tagged.passage, mentions)
    found = zip(mentions, lines, strict=True)
    return Found(tagged.passage.source, tuple((each.label, each.text, line) for each, (line, _) in found))


@dataclass
class NameEntry:
    """One name of the list.

    Attributes:
        name: As it is written where it first occurs outside capitals, if it does; its white space is single blanks.
        label: What it is.
        file: File of its first mention.
        line: Line of its first mention.
        count: Mentions.
        files: Files with mentions.
        last_source: The last of these files.
    """

    name: str
    label: str
    file: str
    line: int
    count: int = 0
    files: int = 0
    last_source: str | None = None


class NameList:
    """Counts names; those that differ in case or white space alone are one. Its memory grows with their number."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], NameEntry] = {}

    def add(self, label: str, text: str, source: str, line: int) -> NameEntry:
        """Count a mention and return its entry."""
        key = label, normalize(text)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = NameEntry(" ".join(text.split()), label, source, line)
        elif entry.name.isupper() and not text.isupper():
            entry.name = " ".join(text.split())
        entry.count += 1
        entry.files += entry.last_source != source
        entry.last_source = source
        return entry

    def ranked(self) -> list[NameEntry]:
        """Return the entries: the most frequent first, those of the same count by name."""
        return sorted(self._entries.values(), key=lambda entry: (-entry.count, entry.name, entry.label))


class NamesSink(Sink):
    """Writes the list when the input has ended: tab-separated with a head, or JSON.

    Args:
        as_json: Whether to write JSON: an array of objects, one a line.
    """

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self._names = NameList()

    def write(self, piece: Found | None) -> str:
        """Count the names of one passage."""
        if piece is not None:
            for label, text, line in piece.mentions:
                self._names.add(label, text, piece.source, line)
        return ""

    def finish(self) -> Iterator[str]:
        """Yield the list."""
        entries = self._names.ranked()
        if not self._json:
            yield "name\tlabel\tcount\tfiles\tfirst\n"
            for entry in entries:
                name, label, first = (text.translate(_ESCAPES) for text in (entry.name, entry.label, entry.file))
                yield f"{name}\t{label}\t{entry.count}\t{entry.files}\t{first}:{entry.line}\n"
            return
        yield "["
        for index, entry in enumerate(entries):
            yield (",\n" if index else "\n") + json.dumps(_fields(entry), ensure_ascii=False)
        yield "\n]\n" if entries else "]\n"


def _fields(entry: NameEntry) -> dict[str, Any]:
    """Return an entry as a JSON object."""
    return {
        "name": entry.name,
        "label": entry.label,
        "count": entry.count,
        "files": entry.files,
        "first": {"file": entry.file, "line": entry.line},
    }
