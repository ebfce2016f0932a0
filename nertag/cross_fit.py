"""The second look's training: on what networks say about documents that they have not learned from.

A network is surer of its training text than of any other, so the correction has to be learned where it is needed: every
document is tagged by a network that learned from the others (cross-fitting).
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nertag.agreement import FEATURES, Agreement, features_of
from nertag.augmentation import CaseVariants
from nertag.encoding import EncodedCorpus, Window
from nertag.errors import TrainingError
from nertag.training import EpochReport, Trainer, describe

_EPOCHS = 30
_BATCH = 512
_RATE = 0.01
_WEIGHT_DECAY = 0.001


def cross_fit(trainer: Trainer, report: Callable[[int, EpochReport], None]) -> Agreement:
    """Train a network per fold and fit the second look to what each says about the documents held out from it.

    Half of the documents held out are read a second time in lower case and the others in upper case, if training
    changes case at all.

    Args:
        trainer: Set up to train on all documents, and not yet begun: every fold starts from its network.
        report: Is told the fold, counted from 1, and each of its epochs.

    Returns:
        The second look.

    Raises:
        TrainingError: If there are too few documents to put into folds.
    """
    folds = trainer.config.agreement_folds
    parts = _fold_of_documents(trainer.training, folds)
    if len(set(parts)) < folds:
        raise TrainingError(
            f"{len(parts)} training documents are too few to put into {folds} folds", hint="Train with --agreement 0."
        )
    features: list[Tensor] = []
    logits: list[Tensor] = []
    gold: list[Tensor] = []
    for fold in range(folds):
        part = trainer.fold(copy.deepcopy(trainer.network), [number == fold for number in parts])
        for event in part.epochs():
            if isinstance(event, EpochReport):
                report(fold + 1, event)
        for windows in _readings(part):
            found = part.flat_logits(windows)
            chosen, described = features_of(found, *describe(windows, part.table))
            features.append(torch.from_numpy(described))
            logits.append(torch.from_numpy(found[chosen]))
            gold.append(torch.from_numpy(np.concatenate([window.gold for window in windows])[chosen]))
    units = trainer.network.config.agreement
    return _fit(torch.cat(features), torch.cat(logits), torch.cat(gold), units, trainer.config.seed)


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
