"""Soft labels: read, checked, and learned."""

from __future__ import annotations

import gzip
import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from nertag.encoding import EncodedCorpus
from nertag.errors import DataError
from nertag.network import TorchBatch, loss_of
from nertag.soft_labels import SoftSentence, read_soft_labels
from nertag.training import EpochReport
from tests.tiny import fast_training, make_trainer, tiny_config

ROWS = [
    {"doc": "a", "tokens": ["Mira", "left"], "probabilities": [[0.25, 0.75, 0], [1, 0, 0]]},
    {"doc": "a", "tokens": ["rain"], "probabilities": [[0.99, 0.005, 0.005]]},
    {"doc": "b", "tokens": ["Tom", "Olsen"], "probabilities": [[0.1, 0.8, 0.1], [0.2, 0.3, 0.5]]},
]


def written(path: Path, rows: list[object]) -> Path:
    """Write rows as JSON Lines."""
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("name", ["soft.jsonl", "soft.jsonl.gz"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    found = read_soft_labels(written(tmp_path / name, [*ROWS]), 3)
    assert [sentence.words for sentence in found] == [("Mira", "left"), ("rain",), ("Tom", "Olsen")]
    assert [sentence.starts_document for sentence in found] == [True, False, True]
    np.testing.assert_allclose(found[0].probabilities, [[0.25, 0.75, 0], [1, 0, 0]])


def test_rounded_probabilities_are_made_to_add_up(tmp_path: Path) -> None:
    row = {"doc": 1, "tokens": ["x"], "probabilities": [[0.33, 0.33, 0.33]]}
    (found,) = read_soft_labels(written(tmp_path / "a.jsonl", [row]), 3)
    assert found.probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1], "it is no JSON object"),
        ({"doc": 1, "probabilities": []}, "it has no 'tokens'"),
        ({"tokens": ["a"], "probabilities": [[1, 0, 0]]}, "it has no 'doc'"),
        ({"doc": 1, "tokens": [], "probabilities": []}, "tokens must be a list of strings, not empty"),
        ({"doc": 1, "tokens": [3], "probabilities": [[1, 0, 0]]}, "tokens must be a list of strings, not empty"),
        ({"doc": 1, "tokens": ["a"], "probabilities": [[1, 0]]}, "the shape (1, 2), not (1, 3)"),
        ({"doc": 1, "tokens": ["a", "b"], "probabilities": [[1, 0, 0]]}, "the shape (1, 3), not (2, 3)"),
        ({"doc": 1, "tokens": ["a"], "probabilities": [["x", 0, 0]]}, "must be lists of numbers of equal length"),
        ({"doc": 1, "tokens": ["a"], "probabilities": [[0.5, 0.3, 0]]}, "must add up to 1"),
        ({"doc": 1, "tokens": ["a"], "probabilities": [[1.5, -0.5, 0]]}, "must not be negative"),
        ({"doc": 1, "tokens": ["a"], "probabilities": [[float("nan"), 0, 1]]}, "must not be negative"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, row: object, message: str) -> None:
    path = written(tmp_path / "soft.jsonl", [ROWS[0], row])
    with pytest.raises(DataError) as caught:
        read_soft_labels(path, 3)
    assert message in str(caught.value)
    assert str(caught.value.path) == str(path) and caught.value.line == 2


@pytest.mark.parametrize("content", [b"", b"{\n", b"\xff\n"])
def test_a_damaged_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "soft.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read_soft_labels(path, 3)


def test_a_missing_or_truncated_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_soft_labels(tmp_path / "none.jsonl", 3)
    path = written(tmp_path / "soft.jsonl.gz", [*ROWS])
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match="cannot be read"):
        read_soft_labels(path, 3)


def soft(words: str, row: tuple[float, float, float], *, starts: bool = True) -> SoftSentence:
    """Make a sentence of which every token has the same probabilities."""
    tokens = tuple(words.split())
    return SoftSentence(tokens, np.array([row] * len(tokens), np.float32), starts)


def test_the_loss_is_the_cross_entropy_of_the_probabilities() -> None:
    logits = torch.tensor([[[0.0, 1.0, 2.0], [9.0, 9.0, 9.0]], [[1.0, 0.0, 0.0], [0.0, 0.0, 3.0]]])
    wanted = torch.tensor([[[0.2, 0.5, 0.3], [0.0, 0.0, 0.0]], [[1.0, 0.0, 0.0], [0.0, 0.1, 0.9]]])
    forms = torch.zeros(2, 2, dtype=torch.int64)
    none = torch.zeros(1, dtype=torch.int64)
    batch = TorchBatch(none, none[:, None], none, forms, torch.tensor([1, 2]), forms, wanted)

    def expected(scores: list[float], target: list[float]) -> float:
        total = math.log(sum(math.exp(score) for score in scores))
        return sum(p * (total - score) for p, score in zip(target, scores, strict=True))

    parts = [
        expected([0, 1, 2], [0.2, 0.5, 0.3]),
        expected([1, 0, 0], [1, 0, 0]),
        expected([0, 0, 3], [0, 0.1, 0.9]),
    ]
    assert loss_of(logits, batch).item() == pytest.approx(sum(parts) / 3)


def test_a_share_of_the_documents_is_drawn_anew() -> None:
    trainer = make_trainer()
    corpus = EncodedCorpus([], trainer.table, trainer.network.config.tags)
    corpus.add_soft([soft(f"word{n} more{n}", (1, 0, 0)) for n in range(10)], trainer.table)
    draws = [
        sorted(int(window.rows[0]) for window in corpus.varied_windows(20, random.Random(seed), 0.3))
        for seed in range(4)
    ]
    assert all(len(set(draw)) == 3 for draw in draws)
    assert len({tuple(draw) for draw in draws}) > 1


def test_sentences_of_a_document_are_joined_and_cut_with_their_probabilities() -> None:
    trainer = make_trainer()
    corpus = EncodedCorpus([], trainer.table, trainer.network.config.tags)
    corpus.add_soft([soft("a b c", (1, 0, 0)), soft("d e", (0, 0.6, 0.4), starts=False)], trainer.table)
    windows = corpus.varied_windows(2, random.Random(1))
    joined = np.concatenate([window.soft for window in windows if window.soft is not None])
    np.testing.assert_allclose(joined, [[1, 0, 0]] * 3 + [[0, 0.6, 0.4]] * 2)
    assert all(len(window.rows) == len(window.gold) <= 2 for window in windows)


def test_a_network_learns_soft_labels_beside_gold_ones() -> None:
    """A word that gold text never shows, and that the soft labels call a name."""
    trainer = make_trainer(tiny_config(), fast_training(epochs=30))
    trainer.training.add_soft([soft("zorvex", (0.05, 0.9, 0.05)) for _ in range(4)], trainer.table)
    trainer._steps_per_epoch = len(trainer._draw(random.Random(0)))
    last = [report for report in trainer.epochs() if isinstance(report, EpochReport)][-1]
    assert math.isfinite(last.loss)
    window = trainer.training.soft_documents[0][0]
    ((_, logits),) = trainer.logits_of([window])
    found = torch.softmax(torch.from_numpy(logits[0, 0]), dim=0)
    assert found[1].item() == pytest.approx(0.9, abs=0.1)
