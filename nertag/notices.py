"""What is said of the inputs beside the results: what was left out, replaced or guessed."""

from __future__ import annotations

from collections.abc import Sequence

from nertag.console import note
from nertag.errors import NertagError


class Notices:
    """Says each thing once, when it is met, and how often it was met at the end.

    Attributes:
        skipped: Lines and rows that were left out.
        replaced: Places that could not be decoded, by file.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self.replaced: dict[str, int] = {}
        self._guessed: dict[str, str] = {}

    def add(self, source: str, skipped: Sequence[NertagError], replaced: int, encoding: str) -> None:
        """Take in what is to be told of a part of a file.

        Args:
            source: The file.
            skipped: What is wrong with what was left out.
            replaced: How many places could not be decoded.
            encoding: The encoding that was guessed; empty if none was.
        """
        self.skipped += len(skipped)
        for fault in skipped:
            place = f"{fault.path}:{fault.line}" if fault.line is not None else f"{fault.path}"
            note(f"{place}: left out: {fault.message}")
        if replaced:
            self.replaced[source] = self.replaced.get(source, 0) + replaced
        if encoding and self._guessed.get(source) != encoding:
            self._guessed[source] = encoding
            note(f"{source}: read as {encoding}")

    def finish(self) -> None:
        """Say the counts."""
        for source, count in self.replaced.items():
            note(f"{source}: replaced by U+FFFD what could not be decoded, in {_counted(count, 'place')}")
        if self.skipped:
            note(f"left out {_counted(self.skipped, 'bad row')} in all")


def _counted(number: int, noun: str) -> str:
    """Return a number and what it counts."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
