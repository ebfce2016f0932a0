from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from nertag.config import TrainingConfig
from nertag.encoding import EncodedCorpus, Window
from nertag.errors import TrainingError
from nertag.network import loss_of
from nertag.training import EpochReport, StepReport, Trainer, fit_temperature
from tests.tiny import TRAINING, Lines, fast_training, make_trainer, sentence, sentences, tiny_config

NOISY = {
    "dropout": 0.3,
    "word_dropout": 0.2,
    "lower_share": 0.2,
    "upper_share": 0.1,
    "title_share": 0.1,
    "swap_share": 0.3,
    "averaging": 0.9,
}
FOUR = ["[PER Mira] lost her keys", "[PER Tom] walked home .", "the street was closed", "and tea with bread"]
"""Documents of four tokens, which are a window each."""


def run(trainer: Trainer) -> list[EpochReport]:
    """Train to the end; return the epochs' reports."""
    return [report for report in trainer.epochs() if isinstance(report, EpochReport)]


def weights_of(trainer: Trainer) -> list[Tensor]:
    """Return copies of everything that training changes: weights, averages, best."""
    return [tensor for _, tensor in sorted(trainer.state().items())]


def same(first: Sequence[Tensor], second: Sequence[Tensor]) -> bool:
    """Whether tensors are the same, bit for bit."""
    return len(first) == len(second) and all(map(torch.equal, first, second))


def without_time(reports: Sequence[EpochReport]) -> list[dict[str, object]]:
    """Return what reports say but for the seconds."""
    return [{**asdict(report), "seconds": 0} for report in reports]


# --- Epochs -----------------------------------------------------------------------------------------------------------


def test_reports_tell_how_far_training_has_come() -> None:
    trainer = make_trainer(training=fast_training(epochs=2, batch_tokens=4), marked=FOUR)
    reports = list(trainer.epochs())
    steps = [(report.step, report.steps, report.tokens) for report in reports if isinstance(report, StepReport)]
    assert steps == [(1, 4, 4), (2, 4, 8), (3, 4, 12), (4, 4, 16)] * 2
    epochs = [report for report in reports if isinstance(report, EpochReport)]
    assert [(report.epoch, report.tokens) for report in epochs] == [(1, 16), (2, 16)]
    assert reports[4] is epochs[0] and isinstance(reports[3], StepReport) and reports[3].loss == epochs[0].loss
    assert all(report.seconds > 0 for report in epochs)


def test_the_loss_of_an_epoch_is_its_mean_per_token() -> None:
    """With a rate that changes nothing, the epoch's loss is that of all tokens together."""
    marked = [*FOUR, "[PER Ada Quill] smiled at nobody in the rain on the bridge ."]
    trainer = make_trainer(training=fast_training(epochs=1, batch_tokens=8, learning_rate=1e-30), marked=marked)
    windows = [window for document in trainer.training.documents for window in document]
    with torch.no_grad():
        batch = trainer._to_batch(windows)
        expected = loss_of(trainer.network(batch), batch).item()
    assert run(trainer)[0].loss == pytest.approx(expected, rel=1e-5)


def test_the_gradient_norm_is_reported_before_clipping() -> None:
    trainer = make_trainer(training=fast_training(epochs=1, batch_tokens=10_000, clip_norm=1e-3))
    other = copy.deepcopy(trainer.network)
    windows = [window for document in trainer.training.documents for window in document]
    batch = trainer._to_batch(windows)
    loss_of(other(batch), batch).backward()  # type: ignore[no-untyped-call]
    gradients = [parameter.grad for parameter in other.parameters() if parameter.grad is not None]
    expected = torch.cat([gradient.flatten() for gradient in gradients]).norm().item()
    (report,) = run(trainer)
    assert report.gradient_norm == pytest.approx(expected, rel=1e-4)
    assert expected > 0.1
    clipped = torch.cat([p.grad.flatten() for p in trainer.network.parameters() if p.grad is not None]).norm().item()
    assert clipped == pytest.approx(1e-3, rel=1e-3)


def test_the_learning_rate_rises_and_falls_along_a_cosine() -> None:
    trainer = make_trainer(
        training=fast_training(epochs=2, batch_tokens=4, warmup=0.25, learning_rate=0.01), marked=FOUR
    )
    rates = []
    for report in trainer.epochs():
        if isinstance(report, StepReport):
            rates.append(trainer._optimizer.param_groups[0]["lr"])
        else:
            assert report.learning_rate == rates[-1]
    # Eight steps, two of warmup, then half a cosine over six.
    shares = [0.5, 1.0, 1.0, 0.9330127, 0.75, 0.5, 0.25, 0.0669873]
    assert rates == pytest.approx([0.01 * share for share in shares], rel=1e-6)


@pytest.mark.parametrize("warmup", [0.01, 0.3])
def test_the_learning_rate_never_exceeds_its_highest(warmup: float) -> None:
    trainer = make_trainer(
        training=fast_training(epochs=2, batch_tokens=4, warmup=warmup, learning_rate=0.01), marked=FOUR
    )
    rates = [trainer._optimizer.param_groups[0]["lr"] for report in trainer.epochs() if isinstance(report, StepReport)]
    assert len(rates) == 8
    assert max(rates) == 0.01


def test_the_average_follows_the_weights_from_the_first_step_on() -> None:
    trainer = make_trainer(training=fast_training(epochs=1, batch_tokens=10_000, averaging=0.998))
    before = [weight.detach().clone() for weight in trainer._weights]
    run(trainer)
    for old, new, average in zip(before, trainer._weights, trainer._average, strict=True):
        torch.testing.assert_close(average, old / 11 + new * 10 / 11)
    assert any(not torch.equal(old, new) for old, new in zip(before, trainer._weights, strict=True))


def test_without_averaging_the_weights_themselves_are_kept() -> None:
    trainer = make_trainer(training=fast_training(epochs=2, averaging=0.0))
    run(trainer)
    assert same(list(trainer._weights), trainer._average)


def test_validation_scores_the_average_and_puts_the_weights_back(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make_trainer(training=fast_training(epochs=1, averaging=0.99))
    seen: list[list[Tensor]] = []
    validate = trainer._validate

    def spy() -> tuple[float, float, float]:
        trained = [weight.detach().clone() for weight in trainer._weights]
        for _ in trainer.validation_logits():
            seen.append([weight.detach().clone() for weight in trainer._weights])
        assert same(list(trainer._weights), trained)
        return validate()

    monkeypatch.setattr(trainer, "_validate", spy)
    run(trainer)
    assert same(seen[0], trainer._average)
    assert not same(seen[0], list(trainer._weights))


def script(trainer: Trainer, scores: Sequence[float], monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """Let validation give these scores, one after the other."""
    left = iter(scores)
    monkeypatch.setattr(trainer, "_validate", lambda: (0.1, 0.2, next(left)))
    return left


def test_training_stops_early_and_on_a_tie_the_earlier_epoch_stays_best(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make_trainer(training=fast_training(epochs=9, patience=3))
    left = script(trainer, [0.5, 0.7, 0.7, 0.6, 0.7, 0.9], monkeypatch)
    averages = []
    reports = []
    for report in trainer.epochs():
        if isinstance(report, EpochReport):
            reports.append(report)
            averages.append([weight.clone() for weight in trainer._average])
    assert [report.is_best for report in reports] == [True, True, False, False, False]
    assert list(left) == [0.9]
    assert trainer.finished and list(trainer.epochs()) == []
    trainer.take_best()
    assert same(list(trainer._weights), averages[1])
    assert not same(averages[1], averages[2])


def test_patience_starts_anew_with_a_better_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make_trainer(training=fast_training(epochs=9, patience=2))
    script(trainer, [0.5, 0.4, 0.6, 0.5, 0.5, 0.9], monkeypatch)
    assert [report.f1 for report in run(trainer)] == [0.5, 0.4, 0.6, 0.5, 0.5]


def test_a_first_epoch_that_finds_nothing_is_still_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make_trainer(training=fast_training(epochs=2))
    script(trainer, [0.0, 0.0], monkeypatch)
    assert [report.is_best for report in run(trainer)] == [True, False]


def test_the_corpus_is_not_altered() -> None:
    lines = [Lines([*each.words], [*each.tags], True) for each in sentences(TRAINING)]
    before = copy.deepcopy(lines)
    trainer = make_trainer(training=fast_training(epochs=2, **NOISY))
    trainer.training = EncodedCorpus(lines, trainer.table, trainer.network.config.tags)
    documents = copy.deepcopy(trainer.training.documents)
    run(trainer)
    assert lines == before
    for old, new in zip(itertools.chain(*documents), itertools.chain(*trainer.training.documents), strict=True):
        assert old.rows.tolist() == new.rows.tolist() and old.gold.tolist() == new.gold.tolist()


def test_a_validation_mention_that_a_window_cuts_is_scored_whole() -> None:
    """A sentence longer than the window: its mention is in two windows, and gold stays one."""
    long = "and so it was that " * 5 + "[PER Mira Olsen]"
    trainer = make_trainer(tiny_config(window=26), fast_training(epochs=1), validation=[f"{long} {long[10:]}"])
    windows = trainer.validation_windows
    assert len(windows) > 1 and any(window.gold[0] == 2 for window in windows)
    (report,) = run(trainer)
    assert 0 <= report.f1 <= 1


def test_a_mention_found_across_sentences_is_cut_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = [sentence("[PER Mira Olsen]"), sentence("[PER Tom]", starts_document=False), sentence("rain")]
    trainer = make_trainer(training=fast_training(epochs=1))
    trainer._validation = EncodedCorpus(corpus, trainer.table, trainer.network.config.tags)
    trainer.validation_windows = trainer._validation.windows(20)
    assert [len(window.rows) for window in trainer.validation_windows] == [3, 1]

    def one_long_mention(logits: npt.NDArray[np.float32], *_: object) -> tuple[npt.NDArray[np.int64], None]:
        ids = np.full(logits.shape[:2], 2)
        ids[:, 0] = 1
        return ids, None

    monkeypatch.setattr("nertag.training.decode", one_long_mention)
    (report,) = run(trainer)
    # Mira Olsen and Tom are right, rain is not.
    assert report.precision == pytest.approx(2 / 3) and report.recall == 1.0


# --- Seeds and resuming -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, {"cell": "gru", "embedding": "one-hot"}, {"embedding": "pretrained"}])
def test_equal_seeds_give_equal_weights_and_others_do_not(changes: dict[str, object]) -> None:
    first, second, third = (
        make_trainer(tiny_config(**changes), fast_training(epochs=2, seed=seed, **NOISY)) for seed in (7, 7, 8)
    )
    assert without_time(run(first)) == without_time(run(second))
    run(third)
    assert same(weights_of(first), weights_of(second))
    assert not same(weights_of(first), weights_of(third))


def order_of(seed: int) -> list[list[list[int]]]:
    """Return the rows of every window in the order of training, by epoch; the first weights do not matter."""
    trainer = make_trainer(training=fast_training(epochs=2, seed=seed))
    found: list[list[list[int]]] = [[], []]
    step = trainer._train_step

    def spy(windows: Sequence[Window]) -> tuple[float, float]:
        found[trainer.epoch] += [window.rows.tolist() for window in windows]
        return step(windows)

    trainer._train_step = spy  # type: ignore[method-assign]
    run(trainer)
    return found


def test_the_order_of_windows_depends_on_the_seed_and_the_epoch() -> None:
    first, second, other = order_of(7), order_of(7), order_of(8)
    assert first == second
    assert first[0] != first[1] and first[0] != other[0]
    assert sorted(first[0]) == sorted(first[1]) == sorted(other[0])


def test_a_resumed_run_ends_as_an_unbroken_one() -> None:
    training = fast_training(epochs=4, **NOISY)
    unbroken = make_trainer(training=training)
    expected = run(unbroken)
    broken = make_trainer(training=training)
    kept: dict[int, tuple[dict[str, Tensor], dict[str, float]]] = {}
    for report in broken.epochs():
        if isinstance(report, EpochReport):
            kept[report.epoch] = broken.state(), broken.progress()
        elif broken.epoch == 2 and report.step == 2:
            break
    resumed = make_trainer(training=training)
    resumed.resume(*kept[2])
    reports = run(resumed)
    assert without_time(reports) == without_time(expected[2:])
    assert same(weights_of(resumed), weights_of(unbroken))
    unbroken.take_best()
    resumed.take_best()
    assert same(list(resumed._weights), list(unbroken._weights))


def test_a_finished_run_can_be_resumed_to_be_written() -> None:
    trainer = make_trainer(training=fast_training(epochs=1))
    run(trainer)
    resumed = make_trainer(training=fast_training(epochs=1))
    resumed.resume(trainer.state(), trainer.progress())
    assert resumed.finished and run(resumed) == []
    assert same(weights_of(trainer), weights_of(resumed))


# --- Temperature ------------------------------------------------------------------------------------------------------


def drawn(temperature: float, outputs: int) -> tuple[list[Window], npt.NDArray[np.float32]]:
    """Draw gold tags from the probabilities that logits have at a temperature; a tenth of the logits is padding."""
    chance = np.random.default_rng(1)
    logits = chance.normal(scale=3, size=(200, 50, outputs)).astype(np.float32)
    both = logits if outputs > 1 else np.concatenate([np.zeros_like(logits), logits], axis=2)
    gold = (both / temperature + chance.gumbel(size=both.shape)).argmax(axis=2)
    return [Window(row[:45], row[:45]) for row in gold], logits


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_that_gold_tags_were_drawn_at_is_found(temperature: float, outputs: int) -> None:
    assert fit_temperature([drawn(temperature, outputs)] * 2) == pytest.approx(temperature, rel=0.07)


@pytest.mark.parametrize(("temperature", "found"), [(0.01, 0.25), (50.0, 4.0)])
def test_the_temperature_stays_within_bounds(temperature: float, found: float) -> None:
    assert fit_temperature([drawn(temperature, 3)]) == pytest.approx(found)


def test_the_defaults_train() -> None:
    training = TrainingConfig(epochs=1, device="cpu")
    (report,) = run(make_trainer(training=training))
    assert math.isfinite(report.loss) and math.isfinite(report.gradient_norm)


def test_a_diverged_run_says_so() -> None:
    trainer = make_trainer()
    with torch.no_grad():
        trainer.network.output.weight.fill_(float("nan"))
    with pytest.raises(
        TrainingError, match=r"^training diverged in epoch 1: the loss is nan, its gradient's norm nan\n"
    ):
        list(trainer.epochs())
