"""The second look's training: on what networks say about documents that they have not learned from.

A network is surer of its training text than of any other, so the correction has to be learned where it is needed: every
document is tagged by a network that learned from the others (cross-fitting).
"""

from __future__ import annotations

import copy
import multiprocessing
import traceback
import zlib
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from nertag.agreement import FEATURES, Agreement, features_of
from nertag.augmentation import CaseVariants
from nertag.children import obey_parent
from nertag.encoding import EncodedCorpus, Window
from nertag.errors import TrainingError
from nertag.training import EpochReport, Trainer, describe

Report = Callable[[int, EpochReport], None]
Held = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]
"""Of the tokens to correct: features, float32, (tokens, FEATURES); logits, float32, (tokens, 3); gold tag ids."""

_EPOCHS = 30
_BATCH = 512
_RATE = 0.01
_WEIGHT_DECAY = 0.001


def cross_fit(trainer: Trainer, report: Report, processes: int = 1) -> Agreement:
    """Train a network per fold and fit the second look to what each says about the documents held out from it.

    Half of the documents held out are read a second time in lower case and the others in upper case, if training
    changes case at all. The result is the same to the bit however many processes there are.

    Args:
        trainer: Set up to train on all documents, and not yet begun: every fold starts from its network.
        report: Is told the fold, counted from 1, and each of its epochs.
        processes: Folds to train at the same time, each in a process that is forked from this one; 1 is this one alone.

    Returns:
        The second look.

    Raises:
        TrainingError: If there are too few documents to put into folds, or a fold's process is killed.
    """
    folds = trainer.config.agreement_folds
    parts = _fold_of_documents(trainer.training, folds)
    if len(set(parts)) < folds:
        raise TrainingError(
            f"{len(parts)} training documents are too few to put into {folds} folds", hint="Train with --agreement 0."
        )
    if processes > 1:
        learned = _side_by_side(trainer, parts, report, processes)
    else:
        learned = [_learn(trainer, parts, fold, report) for fold in range(folds)]
    features, logits, gold = (torch.from_numpy(np.concatenate(arrays)) for arrays in zip(*learned, strict=True))
    return _fit(features, logits, gold, trainer.network.config.agreement, trainer.config.seed)


def _learn(trainer: Trainer, parts: Sequence[int], fold: int, report: Report) -> Held:
    """Train one fold's network and describe what it says about the documents held out from it."""
    part = trainer.fold(copy.deepcopy(trainer.network), [number == fold for number in parts])
    for event in part.epochs():
        if isinstance(event, EpochReport):
            report(fold + 1, event)
    held = []
    for windows in _readings(part):
        found = part.flat_logits(windows)
        chosen, described = features_of(found, *describe(windows, part.table))
        held.append((described, found[chosen], np.concatenate([window.gold for window in windows])[chosen]))
    features, logits, gold = (np.concatenate(arrays) for arrays in zip(*held, strict=True))
    return features, logits, gold


def _side_by_side(trainer: Trainer, parts: Sequence[int], report: Report, processes: int) -> list[Held]:
    """Train the folds in processes of their own, so many at a time."""
    context = multiprocessing.get_context("fork")
    folds = trainer.config.agreement_folds
    waiting = list(range(folds))
    running: dict[Connection, tuple[int, BaseProcess]] = {}
    learned: dict[int, Held] = {}
    try:
        while len(learned) < folds:
            while waiting and len(running) < processes:
                fold = waiting.pop(0)
                ours, theirs = context.Pipe(duplex=False)
                child = context.Process(target=_tell, args=(theirs, trainer, parts, fold), daemon=True)
                child.start()
                theirs.close()
                running[ours] = fold, child
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                fold, process = running[ready]
                try:
                    said = ready.recv()
                except (EOFError, OSError):  # The latter in the middle of what it said.
                    process.join()
                    raise TrainingError(f"the process of fold {fold + 1} was killed: code {process.exitcode}") from None
                if isinstance(said, _Failure):
                    raise said.error from RuntimeError(f"in the process of fold {fold + 1}:\n{said.traceback}")
                if isinstance(said, EpochReport):
                    report(fold + 1, said)
                else:
                    learned[fold] = said
                    del running[ready]
                    process.join()
    finally:
        for _, left in running.values():
            left.terminate()
            left.join()
    return [learned[fold] for fold in range(folds)]


class _Failure(NamedTuple):
    """An error that ended the process of a fold, and where it was raised, which is no part of an error that is sent."""

    error: Exception
    traceback: str


def _tell(pipe: Connection, trainer: Trainer, parts: Sequence[int], fold: int) -> None:
    """Be the process of a fold: send its epochs and what it learned, or the error that ended it."""
    obey_parent()
    torch.set_num_threads(1)
    try:
        pipe.send(_learn(trainer, parts, fold, lambda _, event: pipe.send(event)))
    except Exception as error:  # Whoever trains the folds alone gets it, too.
        pipe.send(_Failure(error, traceback.format_exc()))


def _fold_of_documents(corpus: EncodedCorpus, folds: int) -> list[int]:
    """Put every document into a fold by its words, so that copies of a document are in the same one."""
    return [zlib.crc32(repr(words).encode("utf-8", "surrogatepass")) % folds for words in corpus.words]


def _readings(part: Trainer) -> Iterator[Sequence[Window]]:
    """Give the windows held out as they are, and then in another case if training does so, too."""
    windows = part.validation_windows
    yield windows
    config = part.config
    if config.lower_share and config.upper_share:
        variants = CaseVariants(part.table, part.table.forms)
        yield [variants.change(window, ("lower", "upper")[window.document % 2]) for window in windows]


def _fit(features: Tensor, logits: Tensor, gold: Tensor, units: int, seed: int) -> Agreement:
    """Fit the correction by cross-entropy.

    Args:
        features: float32, (tokens, FEATURES).
        logits: Before correction, float32, (tokens, 3).
        gold: Tag ids, int64, (tokens,).
        units: Hidden units.
        seed: Of the initial weights and the order of the tokens.

    Returns:
        The second look.
    """
    torch.manual_seed(seed)
    entry, exit_ = nn.Linear(FEATURES, units), nn.Linear(units, 3)
    nn.init.zeros_(exit_.weight)
    nn.init.zeros_(exit_.bias)
    weights = [*entry.parameters(), *exit_.parameters()]
    optimizer = torch.optim.AdamW(weights, _RATE, weight_decay=_WEIGHT_DECAY)
    steps = _EPOCHS * max(1, -(-len(gold) // _BATCH))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(_EPOCHS):
        for batch in torch.split(torch.randperm(len(gold)), _BATCH):
            corrected = logits[batch] + exit_(torch.tanh(entry(features[batch])))
            loss = nn.functional.cross_entropy(corrected, gold[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    stacked = [torch.cat([layer.weight.T, layer.bias[None]]).detach().numpy() for layer in (entry, exit_)]
    return Agreement(np.ascontiguousarray(stacked[0]), np.ascontiguousarray(stacked[1]))
