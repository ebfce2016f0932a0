"""A section in; what is to be written for it out: all the work between reading and writing, wherever it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from nertag import readers, writers
from nertag.errors import NertagError
from nertag.sections import Section, text_of
from nertag.sources import OBJECTS
from nertag.text import Passage, TaggedPassage

_LINE_BY_LINE = frozenset({"labels", "tags", "conll", "jsonl"})  # A line's answer stays with the line.


class SomeTagger(Protocol):
    """What is needed of `nertag.tagger.Tagger`."""

    def tag_passages(self, passages: Iterable[Passage | None]) -> Iterator[TaggedPassage]:
        """Tag a stream of passages."""

    def label_lines(self, text: str, *, alone: bool) -> tuple[Any, Any]:
        """Find the tokens inside mentions of lines of text."""


class Marker:
    """What may stand among sections to say what they belong to; it is handed on in its place."""

    __slots__ = ()


class Notices(NamedTuple):
    """What is to be told of a section beside its results.

    Attributes:
        source: The file it comes from.
        skipped: What is wrong with the lines and rows that were left out.
        replaced: Places that could not be decoded.
        encoding: The encoding that was guessed; empty if none was.
    """

    source: str
    skipped: Sequence[NertagError] = ()
    replaced: int = 0
    encoding: str = ""


class SectionResult(NamedTuple):
    """What became of a section.

    Attributes:
        pieces: What is to be written for it, in order.
        fault: What is wrong with the input after them; None if it was read to the section's end.
        tokens: Tokens that were tagged.
        names: Mentions among them; for labels of text, which cannot tell two that touch apart, runs of 1.
        notices: What is to be told beside the results.
        size: Bytes of its file that the section took, as far as they are counted; else its code points.
    """

    pieces: list[Any]
    fault: NertagError | None
    tokens: int = 0
    names: int = 0
    notices: Notices | None = None
    size: int = 0


class SectionTagger:
    """Tags sections and says what is to be written.

    Args:
        tagger: Finds the mentions.
        settings: What is to be written.
    """

    def __init__(self, tagger: SomeTagger, settings: writers.OutputSettings) -> None:
        self._tagger = tagger
        self._settings = settings
        self._kind = settings.kind
        self._halves: dict[bool, tuple[writers.Renderer, bool]] = {}  # By whether sections have fields of their own.

    def __call__(self, section: Section) -> SectionResult:
        """Tag a section; a fault in the input keeps what was read before it."""
        is_text = section.kind == "text"
        if self._kind == "labels" and is_text and section.document != "paragraph":
            return self._labels(section)
        passages: list[Passage] = []
        skipped: list[NertagError] | None = [] if section.skip_bad_rows else None
        fault = None
        try:
            passages.extend(readers.parse(section, skipped))
        except NertagError as error:
            fault = error
        pieces: list[Any] = []
        tokens = names = 0
        results = self._tagger.tag_passages(passages)
        if is_text and self._kind == "jsonl" and section.document == "paragraph":
            results = join_paragraphs(results)
        elif is_text and self._kind not in _LINE_BY_LINE:
            results = join_names(results)
        render, joins = self._half(section)
        for tagged in results:
            pieces.append(render(tagged))
            tokens += len(tagged.tags)
            names += _count_begun(tagged.tags)
        written = ["".join(pieces)] if joins else pieces
        return SectionResult(written, fault, tokens, names, _notices(section, skipped or ()), section.share)

    def _half(self, section: Section) -> tuple[writers.Renderer, bool]:
        """Return the first half of the format for a section, and whether its pieces can be joined."""
        objects = section.kind in OBJECTS if self._settings.objects is None else self._settings.objects
        if objects not in self._halves:
            settings = replace(self._settings, objects=objects)
            self._halves[objects] = writers.make_renderer(settings), writers.joins(settings)
        return self._halves[objects]

    def _labels(self, section: Section) -> SectionResult:
        """Write lines of labels for a section of text: what is asked for most, without an object for each line."""
        from nertag.writers.labels import count_runs, labels_text

        inside, ends = self._tagger.label_lines(text_of(section), alone=section.document == "line")
        text, names = labels_text(inside, ends), count_runs(inside, ends)
        return SectionResult([text], None, len(inside), names, _notices(section, ()), section.share)


def _notices(section: Section, skipped: Sequence[NertagError]) -> Notices | None:
    """Return what is to be told of a section; None if that is nothing."""
    if not (skipped or section.replaced or section.encoding):
        return None
    return Notices(section.source, skipped, section.replaced, section.encoding)


def _count_begun(tags: Sequence[str]) -> int:
    """Return how many mentions begin among tags."""
    return sum(tags.count(tag) for tag in set(tags) if tag[0] == "B")


# --- Lines of text ----------------------------------------------------------------------------------------------------


def join_names(lines: Iterable[TaggedPassage]) -> Iterator[TaggedPassage]:
    """Join lines of text where a name runs over the end of one: a name is one mention then.

    Yields:
        A tagged passage for every line, and one for lines that share a name.
    """
    run: list[TaggedPassage] = []
    for line in lines:
        if run and not line.continues:
            yield _joined(run)
            run.clear()
        run.append(line)
    if run:
        yield _joined(run)


def join_paragraphs(lines: Iterable[TaggedPassage]) -> Iterator[TaggedPassage]:
    """Join the lines of each paragraph.

    Yields:
        A tagged passage for every paragraph; the blank lines between two are left out.
    """
    run: list[TaggedPassage] = []
    for line in lines:
        if run and not line.tags:
            yield _joined(run)
            run.clear()
        elif line.tags:
            run.append(line)
    if run:
        yield _joined(run)


def _joined(run: Sequence[TaggedPassage]) -> TaggedPassage:
    """Return lines as one passage, with what ends each but the last inside its text."""
    if len(run) == 1:
        return run[0]
    passages = [line.passage for line in run]
    texts = [text for passage in passages for text in (passage.text, passage.ending)][:-1]
    words = [word for passage in passages for word in passage.words]
    tags = [tag for line in run for tag in (_unbroken(line.tags) if line.continues else line.tags)]
    scores = [score for line in run for score in line.scores]
    passage = replace(passages[0], text="".join(texts), words=words, ending=passages[-1].ending)
    return TaggedPassage(passage, tags, scores, run[0].continues)


def _unbroken(tags: Sequence[str]) -> list[str]:
    """Return a line's tags as they were before its first mention started anew."""
    return [f"I{tags[0][1:]}", *tags[1:]]
