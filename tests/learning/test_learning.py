"""What is learnt: a dozen sentences by heart, with every cell, direction and embedding."""

from __future__ import annotations

from typing import Any

import pytest

from nertag.training import EpochReport, Trainer
from tests.tiny import TRAINING, fast_training, make_trainer, tiny_config


def epochs_until_perfect(trainer: Trainer) -> int | None:
    """Train until micro-F1 is 1; return the epoch, or None if it never was."""
    for report in trainer.epochs():
        if isinstance(report, EpochReport) and report.f1 == 1.0:
            return report.epoch
    return None


@pytest.mark.parametrize("embedding", ["one-hot", "pretrained", "learned"])
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_dozen_sentences_are_learnt_by_heart(cell: str, direction: str, embedding: str) -> None:
    config = tiny_config(cell=cell, direction=direction, embedding=embedding)
    trainer = make_trainer(config, fast_training(epochs=80, patience=80), validation=TRAINING)
    assert epochs_until_perfect(trainer)


@pytest.mark.parametrize(
    "changes",
    [
        {"output": "binary"},
        {"labels": ("PER", "ORG", "LOC")},
        {"layers": 2},
        {"cell": "rnn", "activation": "relu"},
        {"cell": "rnn", "activation": "sigmoid"},
        {"characters": False, "shapes": False},
        {"embedding": "pretrained", "tune_embedding": True},
    ],
)
def test_so_they_are_with_other_shapes(changes: dict[str, Any]) -> None:
    trainer = make_trainer(tiny_config(**changes), fast_training(epochs=80, patience=80), validation=TRAINING)
    assert epochs_until_perfect(trainer)


def test_so_they_are_with_every_kind_of_noise() -> None:
    noise = {"dropout": 0.2, "word_dropout": 0.1, "lower_share": 0.05, "upper_share": 0.05, "title_share": 0.05}
    trainer = make_trainer(training=fast_training(epochs=150, patience=150, **noise), validation=TRAINING)
    assert epochs_until_perfect(trainer)
