"""The trained whole: passages in, mentions out.

Passages are tagged in blocks, some thousand tokens at a time, so that memory does not grow with a stream. In a block
the passages of a document are joined into windows of up to `config.window` tokens, cut at sentence ends where possible,
and windows of similar length run together. What a passage gets depends on its block alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nertag.agreement import Agreement
from nertag.config import ModelConfig
from nertag.decoding import choose, continues, scores_of
from nertag.encoder import FormEncoder
from nertag.engine import Engine
from nertag.errors import ConfigError
from nertag.forms import Forms, Rows
from nertag.model_folder import DEFAULT, VOCABULARY, find, read_agreement, read_config
from nertag.text import Mention, Passage, TaggedPassage, chunks_of, split_words
from nertag.vocabulary import VocabularyTable
from nertag.windows import Layout, arrange, cut_block

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

COLLECTED = 1 << 16
"""Code points of passages, with one for the end of each, that are collected before they are tagged."""

BLOCK = 1 << 15
"""The most tokens that are tagged at once: a longer passage is cut as if a document ended there."""

_LONG_TEXT = 4 * COLLECTED  # Code points of lines whose tokens are not all taken in hand.
_NOTHING = np.zeros(0, np.int64), np.zeros(0, np.float32)


class Runner(Protocol):
    """What is needed of `nertag.engine.Engine`."""

    def logits(self, vectors: Floats, forms: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32]) -> Floats:
        """Score every tag at every token."""


def load(model: str | os.PathLike[str] = DEFAULT, threshold: float | None = None) -> Tagger:
    """Load a trained model.

    Args:
        model: A shipped model's name, a model folder, or a repository on the Hugging Face Hub.
        threshold: The least probability of being inside a mention at which a token is put inside one; None leaves that
            to the most probable tags.

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
    vocabulary = VocabularyTable(folder / VOCABULARY, config.model.word_parts)
    encoder = FormEncoder(folder, config.model, config.embedding_size, vocabulary)
    engine = Engine(folder, config.model, encoder.size)
    forms = Forms(encoder.vectors, encoder.size)
    return Tagger(config.model, engine, forms, config.temperature, threshold, read_agreement(folder, config.model))


class Tagger:
    """A model that finds mentions in text.

    Args:
        config: The network's shape.
        engine: Runs its recurrent layers.
        forms: Encodes forms.
        temperature: What its logits are divided by before they become probabilities.
        threshold: As for `load`.
        agreement: The second look, if the model takes one.
    """

    def __init__(
        self,
        config: ModelConfig,
        engine: Runner,
        forms: Forms,
        temperature: float,
        threshold: float | None = None,
        agreement: Agreement | None = None,
    ) -> None:
        self.config = config
        self.engine = engine
        self.forms = forms
        self._temperature = temperature
        self._threshold = threshold
        self._agreement = agreement

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
        pending: list[Passage] = []
        size = 0
        for passage in passages:
            if passage is not None:
                pending.append(passage)
                size += len(passage.text) + 1
            if passage is None or size >= COLLECTED:
                yield from self._tag(pending)
                pending, size = [], 0
        yield from self._tag(pending)

    def label_lines(self, text: str, *, alone: bool) -> tuple[npt.NDArray[np.bool_], Ids]:
        """Find the tokens inside mentions, as `tag_passages` does, but without an object for each line.

        Args:
            text: Lines of one source; the last one may lack its line feed.
            alone: Whether every line is a document.

        Returns:
            Whether each token is inside a mention, (tokens,); one past the last token of each line, int64, (lines,).
        """
        self.forms.reserve()
        if len(text) > _LONG_TEXT:
            return self._label_long_lines(text, alone=alone)
        rows, ends = self.forms.split(text)
        layout = Layout.of_lines(ends, alone=alone)
        return self._find(rows, layout, scored=False)[0] > 0, ends

    def _label_long_lines(self, text: str, *, alone: bool) -> tuple[npt.NDArray[np.bool_], Ids]:
        """Do what `label_lines` does without ever having all tokens in hand."""
        ends: list[int] = []

        def words() -> Iterator[str]:
            total = 0
            for line in text.removesuffix("\n").split("\n"):
                for chunk in chunks_of(line):
                    found = split_words(chunk)
                    total += len(found)
                    yield from found
                ends.append(total)

        stream = words()
        parts = [np.zeros(0, np.bool_)]
        while block := list(islice(stream, BLOCK)):
            self.forms.reserve()
            first = BLOCK * (len(parts) - 1)
            past = first + len(block)
            begun = [*ends, past] if not ends or ends[-1] < past else ends  # The last line may go on in the next block.
            layout = Layout.of_lines(np.array(begun, np.int64), alone=alone).part(first, past)
            parts.append(self._find(self.forms.rows(block), layout, scored=False)[0] > 0)
        return np.concatenate(parts), np.array(ends, np.int64)

    def _tag(self, passages: Sequence[Passage]) -> Iterator[TaggedPassage]:
        """Tag passages together."""
        counts = np.fromiter((len(passage.words) for passage in passages), np.int64, len(passages))
        sure = np.fromiter((passage.ends_sentence for passage in passages), np.bool_, len(passages)) | (counts == 0)
        starts = np.fromiter((passage.starts_document for passage in passages), np.bool_, len(passages))
        layout = Layout(np.cumsum(counts), sure, starts)
        ids, scores = self._find_words(passages, layout)
        firsts = layout.firsts()
        # A mention that began in the passage before starts anew.
        broken = np.zeros(len(passages), np.bool_)
        broken[counts > 0] = continues(ids[firsts[counts > 0]])
        ids[firsts[broken]] -= 1
        broken[1:] &= counts[:-1] > 0
        tags = list(map(self.config.tags.__getitem__, ids.tolist()))
        probabilities = scores.tolist()
        del ids, scores
        if len(passages) == 1:  # It may be huge.
            yield TaggedPassage(passages[0], tags, probabilities, bool(broken[0]))
            return
        start = 0
        for passage, end, goes_on in zip(passages, layout.ends.tolist(), broken.tolist(), strict=True):
            yield TaggedPassage(passage, tags[start:end], probabilities[start:end], goes_on)
            start = end

    def _find_words(self, passages: Sequence[Passage], layout: Layout) -> tuple[Ids, Floats]:
        """Tag the words of passages, as `_find` does."""
        words = passages[0].words if len(passages) == 1 else [word for passage in passages for word in passage.words]
        parts = []
        for first in range(0, len(words), BLOCK):
            self.forms.reserve()
            block = words[first : first + BLOCK]
            parts.append(self._find(self.forms.rows(block), layout.part(first, first + len(block)), scored=True))
        if not parts:
            return _NOTHING
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _find(self, rows: Rows, layout: Layout, *, scored: bool) -> tuple[Ids, Floats]:
        """Tag tokens given by their row in the table of forms.

        Returns:
            Tag ids, int64, (tokens,), and the probability of each token's label, float32, (tokens,), if they are asked
            for.
        """
        if len(rows) > BLOCK:
            halves = (0, BLOCK), (BLOCK, len(rows))
            parts = [self._find(rows[a:b], layout.part(a, b), scored=scored) for a, b in halves]
            return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        bounds = self.windows(rows, layout)
        logits = self._logits(rows, bounds)
        if self._agreement:
            words, shapes = self.forms.words(rows), self.forms.shapes(rows)
            logits = self._agreement.correct(logits, words, shapes, layout.documents(len(rows)))
        ids = choose(logits, bounds[:, 0], self.config.tags, self._temperature, self._threshold)
        return ids, scores_of(logits, ids, self._temperature) if scored else _NOTHING[1]

    def _logits(self, rows: Rows, bounds: Ids) -> Floats:
        """Score every tag at every token: float32, (tokens, outputs)."""
        batches = arrange(bounds)
        forms = batches.spread(rows)
        logits = np.empty((len(forms), self.config.outputs), np.float32)
        first = 0
        for lengths, size in zip(batches.lengths, batches.sizes.tolist(), strict=True):
            past = first + size
            found = self.engine.logits(self.forms.vectors, forms[first:past].reshape(-1, len(lengths)), lengths)
            logits[first:past] = found.transpose(1, 0, 2).reshape(size, -1)
            first = past
        return logits.take(batches.places, axis=0)

    def windows(self, rows: Rows, layout: Layout) -> Ids:
        """Cut tokens given by row into windows: half-open ranges, int64, (windows, 2)."""
        return cut_block(self.forms.kinds(rows), layout, self.config.window)
