"""The loop: trains, yields one report per epoch, decides when to stop. It opens no file and draws nothing."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nertag.agreement import Agreement
from nertag.augmentation import CaseVariants, NameSwaps
from nertag.config import TrainingConfig
from nertag.decoding import decode, starting_anew
from nertag.encoding import EncodedCorpus, Rows, Window, batches_of
from nertag.errors import TrainingError
from nertag.features import Batch, FormTable
from nertag.labels import PERSON
from nertag.metrics import mention_scores
from nertag.names import RegionNames
from nertag.network import Network, TorchBatch, loss_of


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What happened in one epoch.

    Attributes:
        epoch: Counted from 1.
        loss: Mean cross-entropy per training token.
        precision: Of mentions on the validation sentences, 0 to 1.
        recall: Likewise.
        f1: Likewise.
        gradient_norm: Mean over the steps of the gradient's norm before clipping.
        learning_rate: At the epoch's last step.
        tokens: Training tokens read.
        seconds: Of training, validation left out.
        is_best: Whether no earlier epoch had this F1 or a better one.
    """

    epoch: int
    loss: float
    precision: float
    recall: float
    f1: float
    gradient_norm: float
    learning_rate: float
    tokens: int
    seconds: float
    is_best: bool


@dataclass(frozen=True, slots=True)
class StepReport:
    """How far an epoch has come.

    Attributes:
        step: Steps done in this epoch.
        steps: Steps of this epoch.
        tokens: Training tokens read in this epoch.
        loss: Mean cross-entropy per token so far in this epoch.
    """

    step: int
    steps: int
    tokens: int
    loss: float


def _pad_gold(windows: Sequence[Window], batch: Batch) -> Tensor:
    """Put the gold tags of windows together, int64, (batch, time)."""
    gold = np.zeros_like(batch.forms)
    gold[np.arange(gold.shape[1]) < batch.lengths[:, None]] = np.concatenate([window.gold for window in windows])
    return torch.from_numpy(gold)


def _pad_soft(windows: Sequence[Window], batch: Batch, outputs: int) -> Tensor | None:
    """Put soft labels together, gold tags as certain ones, float32, (batch, time, outputs); None if all are gold."""
    if all(window.soft is None for window in windows):
        return None
    certain = np.eye(outputs, dtype=np.float32)
    soft = np.zeros((*batch.forms.shape, outputs), np.float32)
    for row, window in enumerate(windows):
        soft[row, : len(window.rows)] = certain[window.gold] if window.soft is None else window.soft
    return torch.from_numpy(soft)


class Trainer:
    """A network in training, with everything that an interrupted run needs to go on as if nothing had happened.

    Randomness is drawn afresh for every epoch from the seed and the epoch's number, so none of it has to be kept.

    Args:
        network: On the CPU; moved to `device`.
        table: Holds every training and validation form.
        training: What to learn from.
        validation: What to choose the best epoch on.
        config: How to train.
        device: Where.
        regions: Names from elsewhere to swap in for persons' names.

    Attributes:
        agreement: The second look, which validation takes, too, once there is one.
        validation_windows: The validation documents, cut as tagging cuts them.
    """

    def __init__(
        self,
        network: Network,
        table: FormTable,
        training: EncodedCorpus,
        validation: EncodedCorpus,
        config: TrainingConfig,
        device: torch.device,
        regions: Sequence[RegionNames] = (),
    ) -> None:
        self.network = network.to(device)
        self.table = table
        self.training = training
        self.config = config
        self.device = device
        self.epoch = 0
        self.step = 0
        self.best_f1 = -1.0
        self.stale = 0
        self._weights: list[Tensor] = [p for p in network.parameters() if p.requires_grad]
        self._average = [weight.detach().clone() for weight in self._weights]
        self._best = [weight.detach().clone() for weight in self._weights]
        self._optimizer = torch.optim.AdamW(self._weights, lr=config.learning_rate, weight_decay=config.weight_decay)
        self._swaps: list[NameSwaps] = []
        if config.swap_share:
            self._swaps = [
                NameSwaps(table, training, 2 * index + 1, regions if label == PERSON else ())
                for index, label in enumerate(network.config.labels)
            ]
        self._variants = None
        if config.lower_share or config.upper_share or config.title_share:
            self._variants = CaseVariants(table, table.forms)
        self.agreement: Agreement | None = None
        self._regions = regions
        self._validation = validation
        self.validation_windows = validation.windows(network.config.window)
        self._steps_per_epoch = len(self._draw(random.Random(0)))

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or none of the last ones was better."""
        return self.epoch >= self.config.epochs or self.stale >= self.config.patience

    def epochs(self) -> Iterator[StepReport | EpochReport]:
        """Train until finished, reporting every step and every epoch."""
        while not self.finished:
            yield from self._run_epoch()

    def _draw(self, chance: random.Random) -> list[list[Window]]:
        """Draw the batches of one epoch."""
        windows = self.training.varied_windows(self.network.config.window, chance, self.config.soft_share)
        for swaps in self._swaps:
            windows = swaps.apply(windows, self.config.swap_share, chance)
        if self._variants:
            windows = self._variants.apply(windows, self.config, chance)
        return batches_of(windows, self.config.batch_tokens, chance)

    def _run_epoch(self) -> Iterator[StepReport | EpochReport]:
        """Read all training windows once, then validate."""
        chance = random.Random(f"{self.config.seed} {self.epoch}")
        torch.manual_seed(chance.getrandbits(63))
        self.network.train()
        began = time.perf_counter()
        batches = self._draw(chance)
        total_loss = total_norm = 0.0
        tokens = 0
        for number, windows in enumerate(batches, start=1):
            loss, norm = self._train_step(windows)
            count = sum(len(window.rows) for window in windows)
            total_loss += loss * count
            total_norm += norm
            tokens += count
            yield StepReport(number, len(batches), tokens, total_loss / tokens)
        seconds = time.perf_counter() - began
        self.epoch += 1
        precision, recall, f1 = self._validate()
        is_best = f1 > self.best_f1
        self.stale = 0 if is_best else self.stale + 1
        if is_best:
            self.best_f1 = f1
            self._best = [weight.clone() for weight in self._average]
        rate = self._optimizer.param_groups[0]["lr"]
        mean_norm = total_norm / len(batches)
        yield EpochReport(
            self.epoch, total_loss / tokens, precision, recall, f1, mean_norm, rate, tokens, seconds, is_best
        )

    def _train_step(self, windows: Sequence[Window]) -> tuple[float, float]:
        """Learn from one batch.

        Returns:
            The batch's loss and its gradient's norm before clipping.

        Raises:
            TrainingError: If either is no number any more.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate()
        batch = self._to_batch(windows)
        precise = not (self.config.mixed_precision and self.device.type == "cuda")
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=not precise):
            logits = self.network(batch)
        loss = loss_of(logits, batch)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self._weights, self.config.clip_norm)
        if not math.isfinite(loss.item()) or not math.isfinite(norm.item()):
            found = f"the loss is {loss.item()}, its gradient's norm {norm.item()}"
            raise TrainingError(
                f"training diverged in epoch {self.epoch + 1}: {found}", hint="Lower --learning-rate or --clip-norm."
            )
        self._optimizer.step()
        self.step += 1
        decay = min(self.config.averaging, self.step / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self._average, self._weights, 1 - decay)
        return loss.item(), norm.item()

    def _learning_rate(self) -> float:
        """Rise linearly, then fall along half a cosine to 0 at the last epoch's end (Loshchilov and Hutter 2017)."""
        steps = self._steps_per_epoch * self.config.epochs
        warmup = self.config.warmup * steps
        if self.step < warmup:
            return self.config.learning_rate * min(1.0, (self.step + 1) / warmup)
        done = min(1.0, (self.step - warmup) / max(1.0, steps - warmup))
        return self.config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))

    def _to_batch(self, windows: Sequence[Window]) -> TorchBatch:
        """Pad windows and move them to the device."""
        batch = self.table.batch([window.rows for window in windows])
        soft = _pad_soft(windows, batch, self.network.config.outputs)
        return TorchBatch.of(batch, self.device, _pad_gold(windows, batch), soft)

    def _validate(self) -> tuple[float, float, float]:
        """Score the averaged weights on the validation sentences: precision, recall and F1 of mentions.

        As in tagging, a mention that runs over a sentence's end is cut there.

        Returns:
            Fractions from 0 to 1.
        """
        tags = self.network.config.tags
        found: dict[int, Rows] = {}
        for windows, logits in self.validation_logits():
            lengths = np.array([len(window.rows) for window in windows])
            ids, _ = decode(logits, lengths, tags, 1.0)
            found |= {id(window): row[: len(window.rows)] for window, row in zip(windows, ids, strict=True)}
        sentences = [sentence.gold for document in self._validation.documents for sentence in document]
        ends = np.cumsum([len(gold) for gold in sentences])
        predicted = np.split(np.concatenate([found[id(window)] for window in self.validation_windows]), ends[:-1])
        gold_tags = [[tags[i] for i in gold] for gold in sentences]
        scores = mention_scores(gold_tags, [[tags[i] for i in starting_anew(ids)] for ids in predicted])
        return scores.precision, scores.recall, scores.f1

    def fold(self, network: Network, chosen: Sequence[bool]) -> Trainer:
        """Return a trainer that learns from the documents that are not chosen, and validates on those that are.

        It has two thirds of the epochs, measured to be enough, and never stops early.
        """
        epochs = -(-self.config.epochs * 2 // 3)
        config = replace(self.config, epochs=epochs, patience=epochs)
        left = self.training.part([not taken for taken in chosen])
        held_out = self.training.part(chosen)
        return Trainer(network, self.table, left, held_out, config, self.device, self._regions)

    def validation_logits(self) -> Iterator[tuple[list[Window], npt.NDArray[np.float32]]]:
        """Run the averaged weights over the validation windows, batch by batch.

        Yields:
            Windows with their logits, float32, (batch, time, outputs), after the second look if there is one.
        """
        if self.agreement is None:
            yield from self.logits_of(self.validation_windows)
            return
        windows = self.validation_windows
        flat = self.flat_logits(windows)
        corrected = self.agreement.correct(flat, *describe(windows, self.table))
        ends = np.cumsum([len(window.rows) for window in windows])
        for window, logits in zip(windows, np.split(corrected, ends[:-1]), strict=True):
            yield [window], logits[None]

    def flat_logits(self, windows: Sequence[Window]) -> npt.NDArray[np.float32]:
        """Run the averaged weights over windows: float32, (tokens, outputs), in the order of the windows."""
        found = {
            id(window): row[: len(window.rows)]
            for batch, logits in self.logits_of(windows)
            for window, row in zip(batch, logits, strict=True)
        }
        return np.concatenate([found[id(window)] for window in windows])

    def logits_of(self, windows: Sequence[Window]) -> Iterator[tuple[list[Window], npt.NDArray[np.float32]]]:
        """Run the averaged weights over windows, batch by batch, similar lengths together."""
        trained = [weight.detach().clone() for weight in self._weights]
        self._set_weights(self._average)
        self.network.eval()
        try:
            with torch.inference_mode():
                for batch in batches_of(windows, 6400, None):
                    yield batch, self.network(self._to_batch(batch)).cpu().numpy()
        finally:
            self._set_weights(trained)

    def _set_weights(self, values: Sequence[Tensor]) -> None:
        """Copy values into the network, from whatever device they are on."""
        with torch.no_grad():
            for weight, value in zip(self._weights, values, strict=True):
                weight.copy_(value)

    def take_best(self) -> None:
        """Give the network the averaged weights of the best epoch, for good."""
        self._average = [weight.clone() for weight in self._best]
        self._set_weights(self._best)
        self.network.eval()

    def state(self) -> dict[str, Tensor]:
        """Return all tensors that a resumed run needs, on the CPU."""
        tensors: dict[str, Tensor] = {}
        for index, weight in enumerate(self._weights):
            moments = self._optimizer.state[weight]
            values = {"weight": weight, "average": self._average[index], "best": self._best[index]}
            values |= {name: moments[name] for name in ("exp_avg", "exp_avg_sq", "step") if name in moments}
            tensors |= {f"{name}.{index}": value.detach().cpu().clone() for name, value in values.items()}
        if self.agreement:
            tensors |= {f"agreement.{name}": torch.from_numpy(a) for name, a in self.agreement.tensors().items()}
        return tensors

    def progress(self) -> dict[str, float]:
        """Return all numbers that a resumed run needs."""
        return {"epoch": self.epoch, "step": self.step, "best_f1": self.best_f1, "stale": self.stale}

    def resume(self, tensors: Mapping[str, Tensor], progress: Mapping[str, float]) -> None:
        """Go on from what `state` and `progress` returned at the end of an epoch."""
        self.epoch, self.step = int(progress["epoch"]), int(progress["step"])
        self.best_f1, self.stale = progress["best_f1"], int(progress["stale"])
        place = [
            {name: tensors[f"{name}.{index}"].to(self.device) for name in ("weight", "average", "best")}
            for index in range(len(self._weights))
        ]
        if "agreement.entry" in tensors:
            self.agreement = Agreement(tensors["agreement.entry"].numpy(), tensors["agreement.exit"].numpy())
        self._set_weights([values["weight"] for values in place])
        self._average = [values["average"] for values in place]
        self._best = [values["best"] for values in place]
        for index, weight in enumerate(self._weights):
            self._optimizer.state[weight] = {
                "step": tensors[f"step.{index}"].cpu(),
                "exp_avg": tensors[f"exp_avg.{index}"].to(self.device),
                "exp_avg_sq": tensors[f"exp_avg_sq.{index}"].to(self.device),
            }


def describe(windows: Sequence[Window], table: FormTable) -> tuple[Rows, Rows, Rows]:
    """Return what `Agreement.correct` needs to know of the tokens of windows: words, shapes, documents, (tokens,)."""
    rows = np.concatenate([window.rows for window in windows])
    documents = np.repeat([window.document for window in windows], [len(window.rows) for window in windows])
    return table.words(rows), table.shapes(rows), documents


def fit_temperature(batches: Sequence[tuple[Sequence[Window], npt.NDArray[np.float32]]]) -> float:
    """Choose the temperature that makes the gold tags of validation windows most likely (Guo et al. 2017).

    Args:
        batches: Windows with their logits, float32, (batch, time, outputs).

    Returns:
        A factor from 0.25 to 4 to divide logits by.
    """
    logits = np.concatenate([_real(windows, values) for windows, values in batches]).astype(np.float64)
    gold = np.concatenate([window.gold for windows, _ in batches for window in windows])
    return min((0.25 * 2 ** (k / 16) for k in range(65)), key=lambda t: _surprise(logits / t, gold))


def _real(windows: Sequence[Window], logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Drop the padding: (tokens, outputs)."""
    return np.concatenate([logits[row, : len(window.rows)] for row, window in enumerate(windows)])


def _surprise(logits: npt.NDArray[np.float64], gold: Rows) -> float:
    """Mean negative log-likelihood of gold tag ids, (tokens,), under logits, (tokens, outputs)."""
    if logits.shape[1] == 1:
        signed = np.where(gold > 0, logits[:, 0], -logits[:, 0])
        return float(np.logaddexp(0, -signed).mean())
    top = logits.max(axis=1)
    total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return float((total - logits[np.arange(len(gold)), gold]).mean())
