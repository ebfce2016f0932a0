from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from nertag.encoding import EncodedCorpus, TaggedWords, Window, batches_of
from nertag.features import FormTable
from nertag.text import Passage
from tests.fake_engine import FakeTagger
from tests.tiny import TRAINING, Lines, sentence, sentences, vocabulary_of


def encode(corpus: Sequence[TaggedWords]) -> tuple[EncodedCorpus, FormTable]:
    """Encode sentences with their own vocabulary."""
    table = FormTable(vocabulary_of(sentences(TRAINING)), capacity=1 << 62)
    return EncodedCorpus(corpus, table, ("O", "B-PER", "I-PER")), table


def test_sentences_are_grouped_by_document_and_empty_ones_left_out() -> None:
    corpus, table = encode(
        [
            sentence("[PER Mira Olsen] waved", starts_document=False),
            sentence("at [PER Tom]", starts_document=False),
            Lines([], [], starts_document=True),
            sentence("rain", starts_document=True),
        ]
    )
    assert [[window.gold.tolist() for window in document] for document in corpus.documents] == [
        [[1, 2, 0], [0, 1]],
        [[0]],
    ]
    assert corpus.documents[0][1].rows.tolist() == table.rows(["at", "Tom"]).tolist()


def random_corpus(seed: int) -> list[Lines]:
    """Make sentences of 1 to 30 words in some documents."""
    chance = random.Random(seed)
    return [
        Lines(words, ["O"] * len(words), starts_document=chance.random() < 0.2)
        for words in ([chance.choice('ab."?') for _ in range(chance.randint(1, 30))] for _ in range(60))
    ]


@pytest.mark.parametrize("limit", [2, 7, 20])
def test_validation_windows_are_those_of_tagging(limit: int) -> None:
    corpus = random_corpus(limit)
    encoded, table = encode(corpus)
    fake = FakeTagger(limit)
    list(fake.tag_passages(Passage("", s.words, s.starts_document, ends_sentence=True) for s in corpus))
    assert [w.rows.tolist() for w in encoded.windows(limit)] == [table.rows(words).tolist() for words in fake.cut]


@pytest.mark.parametrize("limit", [2, 7, 40])
def test_training_windows_hold_every_token_once_and_vary_in_length(limit: int) -> None:
    corpus = random_corpus(limit)
    encoded, _ = encode(corpus)
    everything = np.concatenate([s.rows for document in encoded.documents for s in document]).tolist()
    cuts = []
    for seed in (1, 2):
        windows = encoded.varied_windows(limit, random.Random(seed))
        assert np.concatenate([window.rows for window in windows]).tolist() == everything
        assert all(0 < len(window.rows) == len(window.gold) <= limit for window in windows)
        cuts.append([len(window.rows) for window in windows])
    assert max(cuts[0]) == limit
    assert limit < 40 or cuts[0] != cuts[1]  # with shorter windows most are pieces of one sentence


def test_training_windows_end_with_sentences_and_documents() -> None:
    corpus = [
        sentence("a b c"),
        sentence("d e", starts_document=False),
        sentence("f", starts_document=False),
        sentence("g"),
    ]
    encoded, table = encode(corpus)
    texts = {"abc", "abcde", "abcdef", "de", "def", "f", "g"}
    allowed = {tuple(table.rows(list(text)).tolist()) for text in texts}
    for seed in range(20):
        found = {tuple(window.rows.tolist()) for window in encoded.varied_windows(6, random.Random(seed))}
        assert found <= allowed


def windows_of(lengths: Sequence[int]) -> list[Window]:
    """Make windows of some lengths."""
    return [Window(np.full(length, number), np.zeros(length, np.int64)) for number, length in enumerate(lengths)]


@pytest.mark.parametrize("chance", [None, random.Random(3)])
def test_batches_hold_every_window_once_within_their_size(chance: random.Random | None) -> None:
    lengths = [random.Random(5).randint(1, 30) for _ in range(200)] + [150]
    batches = batches_of(windows_of(lengths), 100, chance)
    assert sorted(int(window.rows[0]) for batch in batches for window in batch) == list(range(201))
    for batch in batches:
        assert len(batch) == 1 or max(len(window.rows) for window in batch) * len(batch) <= 100
    padded = sum(max(len(window.rows) for window in batch) * len(batch) for batch in batches)
    assert sum(lengths) > 0.8 * padded
    if chance is None:
        order = [len(window.rows) for batch in batches for window in batch]
        assert order == sorted(order)


def test_batches_are_drawn_anew() -> None:
    windows = windows_of([5] * 50)
    first, second = (batches_of(windows, 20, random.Random(seed)) for seed in (1, 2))
    assert [id(window) for batch in first for window in batch] != [id(window) for batch in second for window in batch]
