"""Sentences in; encoded windows and batches of them out.

Every sentence is encoded once, as rows of a form table; an epoch joins the rows anew.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nertag.features import FormTable
from nertag.soft_labels import SoftSentence
from nertag.text import cut_windows

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class TaggedWords(Protocol):
    """What training needs of a sentence; `nertag.data.Sentence` is one."""

    @property
    def words(self) -> Sequence[str]:
        """The tokens' texts."""

    @property
    def tags(self) -> Sequence[str]:
        """Strict IOB2."""

    @property
    def starts_document(self) -> bool:
        """Whether no window may reach back over its start."""


@dataclass(frozen=True, slots=True)
class Window:
    """A run of tokens with its gold tags.

    Attributes:
        rows: Rows of a form table, int64, (time,).
        gold: Tag ids, int64, (time,).
        document: The number of its document, where windows are cut as tagging cuts them.
        soft: Where another model has tagged it, the probability of every tag, float32, (time, tags), and `gold` is the
            most probable one.
    """

    rows: Rows
    gold: Rows
    document: int = 0
    soft: Floats | None = None


class EncodedCorpus:
    """Sentences encoded once: rows of a form table and gold tag ids, grouped by document.

    Args:
        sentences: In the order of their documents.
        table: Encodes the forms; must be large enough to hold them all.
        tags: The tag set; a tag's id is its index.
    """

    def __init__(self, sentences: Sequence[TaggedWords], table: FormTable, tags: Sequence[str]) -> None:
        ids = {tag: index for index, tag in enumerate(tags)}
        self.documents: list[list[Window]] = []
        self.words: list[list[Sequence[str]]] = []
        self.soft_documents: list[list[Window]] = []
        for sentence in sentences:
            if not sentence.words:
                continue
            if sentence.starts_document or not self.documents:
                self.documents.append([])
                self.words.append([])
            gold = np.fromiter((ids[tag] for tag in sentence.tags), np.int64, len(sentence.tags))
            self.documents[-1].append(Window(table.rows(sentence.words), gold))
            self.words[-1].append(sentence.words)

    def add_soft(self, sentences: Sequence[SoftSentence], table: FormTable) -> None:
        """Add text that another model has tagged, to be trained on beside the corpus."""
        for sentence in sentences:
            if sentence.starts_document or not self.soft_documents:
                self.soft_documents.append([])
            gold = sentence.probabilities.argmax(axis=1)
            window = Window(table.rows(sentence.words), gold, soft=sentence.probabilities)
            self.soft_documents[-1].append(window)

    def windows(self, limit: int) -> list[Window]:
        """Cut every document as tagging does."""
        result = []
        for number, (document, words) in enumerate(zip(self.documents, self.words, strict=True)):
            flat = [word for sentence in words for word in sentence]
            borders = dict.fromkeys(np.cumsum([len(sentence) for sentence in words]).tolist(), True)
            whole = _join(document)
            cuts = cut_windows(flat, borders, limit)
            result += [Window(whole.rows[start:end], whole.gold[start:end], number) for start, end in cuts]
        return result

    def part(self, chosen: Sequence[bool]) -> EncodedCorpus:
        """Return the corpus of the chosen documents, (documents,), with all the text that another model has tagged."""
        result = EncodedCorpus.__new__(EncodedCorpus)
        result.documents = [document for document, taken in zip(self.documents, chosen, strict=True) if taken]
        result.words = [words for words, taken in zip(self.words, chosen, strict=True) if taken]
        result.soft_documents = self.soft_documents
        return result

    def varied_windows(self, limit: int, chance: random.Random, soft_share: float = 1.0) -> list[Window]:
        """Cut every document at sentence ends into windows whose lengths vary, so that training sees short ones too.

        Args:
            limit: The most tokens of a window.
            chance: Draws the lengths.
            soft_share: The share of the documents tagged by another model that is drawn.

        Returns:
            The windows, in the order of the documents.
        """
        result = []
        drawn = chance.sample(self.soft_documents, round(soft_share * len(self.soft_documents)))
        for document in (*self.documents, *drawn):
            pending: list[Window] = []
            length = 0
            target = _target(limit, chance)
            for sentence in document:
                if pending and length + len(sentence.rows) > target:
                    result.append(_join(pending))
                    pending, length, target = [], 0, _target(limit, chance)
                pending.append(sentence)
                length += len(sentence.rows)
            result.append(_join(pending))
        return [piece for window in result for piece in _pieces(window, limit)]


def _target(limit: int, chance: random.Random) -> int:
    """Draw a window's length: the limit half of the time, anything up to it otherwise."""
    return limit if chance.random() < 0.5 else chance.randint(1, limit)


def _join(sentences: Sequence[Window]) -> Window:
    """Put the sentences of a window together."""
    soft = [sentence.soft for sentence in sentences if sentence.soft is not None]
    rows, gold = (np.concatenate(arrays) for arrays in zip(*((s.rows, s.gold) for s in sentences), strict=True))
    return Window(rows, gold, soft=np.concatenate(soft) if soft else None)


def _pieces(window: Window, limit: int) -> list[Window]:
    """Cut what is longer than the limit; a mention cut in two stays I- in its second part, which loses nothing."""
    if len(window.rows) <= limit:
        return [window]
    parts = [slice(start, start + limit) for start in range(0, len(window.rows), limit)]
    soft = [None if window.soft is None else window.soft[part] for part in parts]
    return [Window(window.rows[part], window.gold[part], soft=s) for part, s in zip(parts, soft, strict=True)]


def batches_of(windows: Sequence[Window], batch_tokens: int, chance: random.Random | None) -> list[list[Window]]:
    """Put windows of similar length together, so that little is padding.

    Args:
        windows: In any order.
        batch_tokens: The most tokens of a batch, padding included, if it has more than one window.
        chance: Shuffles windows of similar length and the batches; None keeps everything in the order of the lengths.

    Returns:
        Batches that hold every window once.
    """
    order = list(range(len(windows)))
    if chance:
        chance.shuffle(order)
    noise = [chance.uniform(0.9, 1.1) if chance else 1.0 for _ in order]
    order.sort(key=lambda index: len(windows[index].rows) * noise[index])
    batches: list[list[Window]] = [[]]
    longest = 0
    for index in order:
        longest = max(longest, len(windows[index].rows))
        if batches[-1] and longest * (len(batches[-1]) + 1) > batch_tokens:
            batches.append([])
            longest = len(windows[index].rows)
        batches[-1].append(windows[index])
    if chance:
        chance.shuffle(batches)
    return batches
