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


class Marker:
    """What may stand among sections to say what they belong to; it is handed on in its place."""

    __slots__ = ()


class SectionResult(NamedTuple):
    """What became of a section.

    Attributes:
        pieces: What is to be written for it, in order.
        fault: What is wrong with the input after them; None if it was read to the section's end.
        tokens: Tokens that were tagged.
        names: Mentions among them; for labels of text, which cannot tell two that touch apart, runs of 1.
    """

    pieces: list[Any]
    fault: NertagError | None
    tokens: int = 0
    names: int = 0


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
            return self._labels(section)
        passages: list[Passage] = []
        fault = None
        try:
            passages.extend(readers.parse(section))
        except NertagError as error:
            fault = error
        pieces: list[Any] = []
        tokens = names = 0
        for tagged in self._tagger.tag_passages(passages):
            pieces.append(self._render(tagged))
            tokens += len(tagged.tags)
            names += _count_begun(tagged.tags)
        return SectionResult(["".join(pieces)] if self._joins else pieces, fault, tokens, names)

    def _labels(self, section: Section) -> SectionResult:
        """Write lines of labels for a section of text: what is asked for most, without an object for each line."""
        from nertag.writers.labels import count_runs, labels_text

        lines = [line.removesuffix("\r") for line in readers.lines_of(section)]
        inside, ends = self._tagger.label_lines(lines, alone=section.document == "line")
        return SectionResult([labels_text(inside, ends)], None, len(inside), count_runs(inside, ends))


def _count_begun(tags: Sequence[str]) -> int:
    """Return how many mentions begin among tags."""
    return sum(tags.count(tag) for tag in set(tags) if tag[0] == "B")
