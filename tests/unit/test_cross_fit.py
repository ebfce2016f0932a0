"""The second look's training: held-out documents, copies kept together, and what it learns."""

from __future__ import annotations

import copy
import multiprocessing
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from nertag.agreement import FEATURES
from nertag.cross_fit import _fit, _fold_of_documents, cross_fit
from nertag.encoding import EncodedCorpus
from nertag.errors import TrainingError
from nertag.training import EpochReport, Trainer
from tests.tiny import TRAINING, fast_training, make_trainer, sentences, tiny_config

LINES = [*TRAINING, *(f"{line} again" for line in TRAINING)]


def trainer_for(**changes: object) -> Trainer:
    """Set up a trainer whose model takes a second look."""
    training = replace(fast_training(epochs=2), **{"agreement_folds": 2, **changes})  # type: ignore[arg-type]
    return make_trainer(tiny_config(agreement=4), training, marked=LINES)


def test_a_second_look_has_the_shapes_of_its_equation() -> None:
    trainer = trainer_for()
    agreement = cross_fit(trainer, lambda fold, report: None)
    assert agreement.entry.shape == (FEATURES + 1, 4) and agreement.exit.shape == (5, 3)
    assert np.isfinite(agreement.entry).all() and np.isfinite(agreement.exit).all()
    assert agreement.exit.any()


def test_every_fold_and_epoch_is_reported_and_the_trainer_is_as_it_was() -> None:
    trainer = trainer_for()
    before = copy.deepcopy(trainer.network.state_dict())
    told: list[tuple[int, int]] = []

    def tell(fold: int, report: EpochReport) -> None:
        told.append((fold, report.epoch))

    cross_fit(trainer, tell)
    assert told == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert trainer.epoch == 0
    for name, value in trainer.network.state_dict().items():
        assert torch.equal(value, before[name])


def test_equal_seeds_give_equal_second_looks() -> None:
    first, second = (cross_fit(trainer_for(lower_share=0.1, upper_share=0.1), lambda *_: None) for _ in range(2))
    np.testing.assert_array_equal(first.entry, second.entry)
    np.testing.assert_array_equal(first.exit, second.exit)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
@pytest.mark.parametrize("processes", [2, 3])
def test_folds_side_by_side_give_the_same_second_look_to_the_bit(processes: int) -> None:
    changes = {"agreement_folds": 3, "lower_share": 0.1, "upper_share": 0.1}
    told: list[tuple[int, int]] = []
    alone = cross_fit(trainer_for(**changes), lambda *_: None)
    together = cross_fit(trainer_for(**changes), lambda fold, report: told.append((fold, report.epoch)), processes)
    np.testing.assert_array_equal(alone.entry, together.entry)
    np.testing.assert_array_equal(alone.exit, together.exit)
    assert sorted(told) == [(fold, epoch) for fold in (1, 2, 3) for epoch in (1, 2)]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_a_fold_that_fails_or_is_killed_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Trainer) -> Iterator[EpochReport]:
        yield from ()
        raise TrainingError("the loss is nan")

    monkeypatch.setattr(Trainer, "epochs", fail)
    with pytest.raises(TrainingError, match="the loss is nan"):
        cross_fit(trainer_for(), lambda *_: None, 2)

    def die(self: Trainer) -> Iterator[EpochReport]:
        yield from ()
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(Trainer, "epochs", die)
    with pytest.raises(TrainingError, match=r"the process of fold [12] was killed: code -9"):
        cross_fit(trainer_for(), lambda *_: None, 2)
    assert not multiprocessing.active_children()


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't allocate memory"), ZeroDivisionError("a bug")])
def test_an_error_in_a_fold_is_the_same_side_by_side(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Trainer) -> Iterator[EpochReport]:
        yield from ()
        raise error

    monkeypatch.setattr(Trainer, "epochs", fail)
    with pytest.raises(type(error)) as caught:
        cross_fit(trainer_for(), lambda *_: None, 2)
    assert str(caught.value) == str(error) and "test_cross_fit.py" in str(caught.value.__cause__)
    assert not multiprocessing.active_children()


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_folds_end_with_the_process_that_trains_them(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it ends: nothing goes on learning for nobody."""
    read, write = os.pipe()

    def go_on(self: Trainer) -> Iterator[EpochReport]:
        yield from ()
        os.write(write, b"!")
        time.sleep(600)

    monkeypatch.setattr(Trainer, "epochs", go_on)
    process = multiprocessing.get_context("fork").Process(target=cross_fit, args=(trainer_for(), str, 2))
    process.start()
    os.close(write)
    assert [os.read(read, 1), os.read(read, 1)] == [b"!", b"!"]
    assert process.pid
    os.kill(process.pid, number)
    process.join()
    assert process.exitcode == -number
    assert select.select([read], [], [], 60)[0] and not os.read(read, 1)  # Nobody has the other end any more.
    os.close(read)


def test_a_fold_learns_from_what_is_not_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[set[int], set[int]]] = []
    run = Trainer.epochs

    def spy(self: Trainer) -> object:
        seen.append(tuple({id(document) for document in part.documents} for part in (self.training, self._validation)))  # type: ignore[arg-type]
        return run(self)

    monkeypatch.setattr(Trainer, "epochs", spy)
    trainer = trainer_for()
    cross_fit(trainer, lambda *_: None)
    everything = {id(document) for document in trainer.training.documents}
    assert len(seen) == 2
    for learned, held_out in seen:
        assert learned and held_out and learned.isdisjoint(held_out) and learned | held_out == everything
    assert seen[0][1].isdisjoint(seen[1][1])


def test_copies_of_a_document_are_in_the_same_fold() -> None:
    trainer = trainer_for()
    table, tags = trainer.table, trainer.network.config.tags
    corpus = EncodedCorpus([*sentences(LINES), *sentences(LINES)], table, tags)
    parts = _fold_of_documents(corpus, 3)
    half = len(parts) // 2
    assert parts[:half] == parts[half:]
    assert len(set(parts)) > 1


def test_too_few_documents_are_said_so() -> None:
    trainer = make_trainer(tiny_config(agreement=4), replace(fast_training(), agreement_folds=2), marked=TRAINING[:1])
    with pytest.raises(TrainingError, match="1 training documents are too few to put into 2 folds"):
        cross_fit(trainer, lambda *_: None)


def test_fitting_learns_what_other_places_say() -> None:
    """Tokens whose own logits say nothing, and whose tag follows the highest probability elsewhere."""
    chance = np.random.default_rng(0)
    elsewhere = chance.random(2000).astype(np.float32)
    features = np.zeros((2000, FEATURES), np.float32)
    features[:, 1] = elsewhere
    gold = (elsewhere > 0.5).astype(np.int64)
    logits = torch.zeros(2000, 3)
    agreement = _fit(torch.from_numpy(features), logits, torch.from_numpy(gold), 8, seed=1)
    hidden = np.tanh(features @ agreement.entry[:-1] + agreement.entry[-1])
    found = (hidden @ agreement.exit[:-1] + agreement.exit[-1]).argmax(axis=1)
    assert (found == gold).mean() > 0.9
