"""A section in; what is to be written for it out: all the work between reading and writing, wherever it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from nertag import readers
from nertag.errors import NertagError
from nertag.sources import Section
from nertag.text import Passage, TaggedPassage

Render = Callable[[TaggedPassage], Any]


class PassageTagger(Protocol):
    """What is needed of `nertag.tagger.Tagger`."""

    def tag_passages(self, passages: Iterable[Passage | None]) -> Iterator[TaggedPassage]:
        """Tag a stream of passages."""


class SectionResult(NamedTuple):
    """What became of a section.

    Attributes:
        pieces: What is to be written for it, in order.
        fault: What is wrong with the input after them; None if it was read to the section's end.
    """

    pieces: list[Any]
    fault: NertagError | None


def tag_section(tagger: PassageTagger, section: Section, render: Render, *, join: bool) -> SectionResult:
    """Tag a section.

    Args:
        tagger: Finds the mentions.
        section: Lines of one source.
        render: Makes of a tagged passage what is to be written for it.
        join: Whether what `render` makes is text, which is then joined to one piece.

    Returns:
        The result; a fault in the input keeps what was read before it.
    """
    passages: list[Passage] = []
    fault = None
    try:
        passages.extend(readers.parse(section))
    except NertagError as error:
        fault = error
    pieces = list(map(render, tagger.tag_passages(passages)))
    return SectionResult(["".join(pieces)] if join else pieces, fault)
