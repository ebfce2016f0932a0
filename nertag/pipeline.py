"""A section in; what is to be written for it out: all the work between reading and writing, wherever it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from nertag import readers, writers
from nertag.errors import NertagError
from nertag.sources import Section
from nertag.text import Passage, TaggedPassage


class SomeTagger(Protocol):
    """What is needed of `nertag.tagger.Tagger`."""

    def tag_passages(self, passages: Iterable[Passage | None]) -> Iterator[TaggedPassage]:
        """Tag a stream of passages."""

    def label_lines(self, lines: Sequence[str], *, alone: bool) -> tuple[Any, Any]:
        """Find the tokens inside mentions of lines of text."""


class SectionResult(NamedTuple):
    """What became of a section.

    Attributes:
        pieces: What is to be written for it, in order.
        fault: What is wrong with the input after them; None if it was read to the section's end.
    """

    pieces: list[Any]
    fault: NertagError | None


class SectionTagger:
    """Tags sections and says what is to be written.

    Args:
        tagger: Finds the mentions.
        settings: What is to be written.
    """

    def __init__(self, tagger: SomeTagger, settings: writers.OutputSettings) -> None:
        self._tagger = tagger
        self._render = writers.make_renderer(settings)
        self._joins = writers.joins(settings)
        self._only_labels = settings.kind == "labels"

    def __call__(self, section: Section) -> SectionResult:
        """Tag a section; a fault in the input keeps what was read before it."""
        if self._only_labels and section.kind == "text":
            return SectionResult([self._labels(section)], None)
        passages: list[Passage] = []
        fault = None
        try:
            passages.extend(readers.parse(section))
        except NertagError as error:
            fault = error
        pieces = list(map(self._render, self._tagger.tag_passages(passages)))
        return SectionResult(["".join(pieces)] if self._joins else pieces, fault)

    def _labels(self, section: Section) -> str:
        """Return the lines of labels of a section of text: what is asked for most, without an object for each line."""
        from nertag.writers.labels import labels_text

        lines = [line.removesuffix("\r") for line in readers.lines_of(section)]
        return labels_text(*self._tagger.label_lines(lines, alone=section.document == "line"))
