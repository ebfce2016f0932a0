"""The trained whole: passages in, mentions out.

Passages of one document are joined into windows of up to `config.window` tokens, cut at sentence ends where possible;
windows are collected into batches, so that a stream is tagged as it comes and memory does not grow with it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from nertag.config import ModelConfig
from nertag.decoding import decode, starting_anew
from nertag.engine import Engine
from nertag.errors import ConfigError
from nertag.features import FormTable
from nertag.model_folder import DEFAULT, WordTable, find, read_config, read_vocabulary
from nertag.text import Mention, Passage, TaggedPassage, cut_window, split_words

Rows = npt.NDArray[np.int64]

COLLECTED_TOKENS = 12_800
"""Tokens of windows collected before they are sorted by length and run."""

BATCH_TOKENS = 3_200
"""The most tokens of one run of the graph, padding included, if it has more than one window."""

COLLECTED_PASSAGES = 4_096
"""Passages, however short, after which finished ones are handed on."""

PARTING_BLANKS = 32
"""Empty passages in a row that end a document, so that not all of them are kept until words follow."""


def load(model: str | os.PathLike[str] = DEFAULT, threshold: float | None = None) -> Tagger:
    """Load a trained model.

    Args:
        model: A shipped model's name, a model folder, or a repository on the Hugging Face Hub.
        threshold: The least probability, 0 to 1, of belonging to a mention at which a token is put into one; None for
            the most probable tags.

    Returns:
        The model, ready to tag.

    Raises:
        ConfigError: If the threshold is no probability between 0 and 1.
        ModelError: If there is no such model or its folder is damaged.
    """
    if threshold is not None and not 0 < threshold < 1:
        raise ConfigError(f"the threshold must be more than 0 and less than 1, not {threshold}")
    folder = find(model)
    config = read_config(folder)
    vocabulary = read_vocabulary(folder)
    words = WordTable(folder, vocabulary.size, config.embedding_size)
    engine = Engine(folder, config.model, words)
    return Tagger(config.model, engine, FormTable(vocabulary), config.temperature, threshold)


class Tagger:
    """A model that finds mentions in text.

    Args:
        config: The network's shape.
        engine: Runs it.
        table: Encodes forms with its vocabulary.
        temperature: What its logits are divided by before they become probabilities.
        threshold: As in `load`.
    """

    def __init__(
        self,
        config: ModelConfig,
        engine: Engine,
        table: FormTable,
        temperature: float,
        threshold: float | None = None,
    ) -> None:
        self.config = config
        self.engine = engine
        self.table = table
        self._temperature = temperature
        self._threshold = threshold

    def tag(self, text: str) -> list[Mention]:
        """Find the mentions in a text, which is one document; a mention may run over a line break.

        Args:
            text: Any text.

        Returns:
            Mentions in order, with `text[mention.start:mention.end] == mention.text`.
        """
        (tagged,) = self.tag_passages([Passage(text, split_words(text), starts_document=True)])
        return tagged.mentions()

    def tag_passages(self, passages: Iterable[Passage | None]) -> Iterator[TaggedPassage]:
        """Tag a stream of passages.

        Args:
            passages: In the order of their documents. None says that nothing more comes for now: what is pending is
                tagged at once, as if its document ended here.

        Yields:
            One tagged passage for each passage, in order.
        """
        stream = _Stream(self)
        for passage in passages:
            if passage is None:
                yield from stream.flush()
            elif stream.add(passage):
                yield from stream.take()
        yield from stream.flush()

    def run(self, windows: list[Rows]) -> tuple[list[Rows], list[npt.NDArray[np.float32]]]:
        """Tag windows of form table rows.

        Args:
            windows: Each at least one token.

        Returns:
            For each window in order its tag ids, int64, (time,), and the probability of each token's label, (time,).
        """
        ids: list[Any] = [None] * len(windows)
        scores: list[Any] = [None] * len(windows)
        order = sorted(range(len(windows)), key=lambda index: len(windows[index]))
        for chosen in _batches(order, [len(window) for window in windows]):
            batch = self.table.batch([windows[index] for index in chosen])
            logits = self.engine.logits(batch)
            found, probabilities = decode(logits, batch.lengths, self.config.tags, self._temperature, self._threshold)
            for row, index in enumerate(chosen):
                length = len(windows[index])
                ids[index], scores[index] = found[row, :length], probabilities[row, :length]
        return ids, scores

    def rows(self, words: list[str]) -> Rows:
        """Encode tokens for `run`."""
        return self.table.rows(words)

    def forget(self) -> None:
        """Keep the table of forms within its capacity; rows handed out before are void afterwards."""
        self.table.reserve()


def _batches(order: list[int], lengths: list[int]) -> Iterator[list[int]]:
    """Part window numbers, shortest window first, into batches of at most `BATCH_TOKENS` tokens, padding included."""
    batch: list[int] = []
    for index in order:
        if batch and lengths[index] * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


class _Stream:
    """Passages on their way: collected into windows, tagged, handed on in order.

    Tokens are numbered through the stream. `_words` holds those of the current document that no window has taken yet,
    from `_taken` on; windows in `_windows` wait to be run; `_ids` and `_scores` hold the tags of run windows from
    `_first` on.
    """

    def __init__(self, tagger: Tagger) -> None:
        self._tagger = tagger
        self._tags = tagger.config.tags
        self._limit = tagger.config.window
        self._passages: deque[tuple[Passage, int]] = deque()
        self._words: list[str] = []
        self._borders: dict[int, bool] = {}
        self._blanks = 0
        self._taken = 0
        self._windows: list[list[str]] = []
        self._waiting = 0
        self._first = 0
        self._ids: Rows = np.zeros(0, np.int64)
        self._scores: npt.NDArray[np.float32] = np.zeros(0, np.float32)

    def add(self, passage: Passage) -> bool:
        """Take a passage in and say whether enough has come together to call `take`."""
        if passage.starts_document:
            self._close_document()
        self._words += passage.words
        self._borders[len(self._words)] = passage.ends_sentence or not passage.words
        self._passages.append((passage, self._taken + len(self._words)))
        self._blanks = 0 if passage.words else self._blanks + 1
        if self._blanks == PARTING_BLANKS:
            self._close_document()
        elif len(self._words) >= 2 * self._limit:
            self._cut(2 * self._limit)
        return self._waiting >= COLLECTED_TOKENS or len(self._passages) >= COLLECTED_PASSAGES

    def take(self) -> Iterator[TaggedPassage]:
        """Run the windows that wait and hand on every passage whose tokens are all tagged."""
        self._run()
        done = self._first + len(self._ids)
        while self._passages and self._passages[0][1] <= done:
            passage, end = self._passages.popleft()
            yield self._tagged(passage, end - len(passage.words) - self._first)
        handed = (self._passages[0][1] - len(self._passages[0][0].words)) if self._passages else done
        self._ids, self._scores = self._ids[handed - self._first :], self._scores[handed - self._first :]
        self._first = handed

    def flush(self) -> Iterator[TaggedPassage]:
        """Tag and hand on everything."""
        self._close_document()
        yield from self.take()

    def _tagged(self, passage: Passage, start: int) -> TaggedPassage:
        """Join a passage with its tags; a mention that began before it starts anew."""
        end = start + len(passage.words)
        ids = starting_anew(self._ids[start:end]).tolist()
        return TaggedPassage(passage, [self._tags[i] for i in ids], self._scores[start:end].tolist())

    def _cut(self, keep: int) -> None:
        """Cut windows off the current document while at least `keep` tokens are left."""
        start = 0
        while len(self._words) - start >= max(keep, 1):
            end = cut_window(self._words, self._borders, start, self._limit)
            self._windows.append(self._words[start:end])
            self._waiting += end - start
            start = end
        if start:
            del self._words[:start]
            self._taken += start
            self._borders = {index - start: sure for index, sure in self._borders.items() if index > start}

    def _close_document(self) -> None:
        """Make windows of everything that is left of the current document."""
        self._cut(1)
        self._borders.clear()

    def _run(self) -> None:
        """Tag the windows that wait, about `COLLECTED_TOKENS` at a time, however many one long line has made."""
        ids, scores = [self._ids], [self._scores]
        at_once = max(1, COLLECTED_TOKENS // self._limit)
        for first in range(0, len(self._windows), at_once):
            self._tagger.forget()
            windows = [self._tagger.rows(window) for window in self._windows[first : first + at_once]]
            found, probabilities = self._tagger.run(windows)
            ids.append(np.concatenate(found))
            scores.append(np.concatenate(probabilities))
        self._ids, self._scores = np.concatenate(ids), np.concatenate(scores)
        self._windows.clear()
        self._waiting = 0
