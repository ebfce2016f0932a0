"""nertag with a tagger that needs no model: every run of capitalised words is a person. Also runs as a program.

It hands results on in batches, as the real one does, and tags what is pending when the input pauses.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from nertag.text import Mention, Passage, TaggedPassage, split_words

BATCH = 3


class FakeTagger:
    """Takes words that start with a capital letter for names; `Acme` is an ORG."""

    def __init__(self, model: str, threshold: float | None = None) -> None:
        self.model = model

    def tag(self, text: str) -> list[Mention]:
        return tagged(Passage(text, split_words(text))).mentions()

    def tag_passages(self, passages: Iterable[Passage | None]) -> Iterator[TaggedPassage]:
        pending: list[Passage] = []
        for passage in passages:
            if passage is not None:
                pending.append(passage)
            if passage is None or len(pending) == BATCH:
                yield from tag_document(pending)
                pending = []
        yield from tag_document(pending)

    def label_lines(self, text: str, *, alone: bool) -> tuple[Any, Any]:
        import numpy as np

        lines = text.removesuffix("\n").split("\n")
        labels = [tagged(Passage(line, split_words(line))).labels for line in lines]
        return np.array([label == 1 for line in labels for label in line], bool), np.cumsum(
            list(map(len, labels)), dtype=int
        )


def tag_document(passages: Sequence[Passage]) -> Iterator[TaggedPassage]:
    """A name goes on in the next passage, if that begins with one of the same label."""
    last = ""
    for passage in passages:
        found = tagged(passage)
        first = found.tags[0] if found.tags else ""
        yield replace(found, continues=first != "" and not passage.starts_document and last[2:] == first[2:] != "")
        last = found.tags[-1] if found.tags else ""


def tagged(passage: Passage) -> TaggedPassage:
    tags: list[str] = []
    for word in passage.words:
        label = "ORG" if word == "Acme" else "PER" if word[:1].isupper() else ""
        before = tags[-1][2:] if tags else ""
        tags.append("O" if not label else f"{'I' if label == before else 'B'}-{label}")
    return TaggedPassage(passage, tags, [0.98765] * len(tags))


def install() -> None:
    """Put the fake where the command looks for the tagger, without importing ONNX Runtime."""
    module = ModuleType("nertag.tagger")
    module.load = FakeTagger  # type: ignore[attr-defined]
    sys.modules["nertag.tagger"] = module


if __name__ == "__main__":
    from nertag.__main__ import run

    install()
    run()
