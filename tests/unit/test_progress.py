from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from nertag.progress import TrainingProgress

LINE: dict[str, Any] = {
    "epoch": 2,
    "loss": 0.123456,
    "precision": 0.9,
    "recall": 0.8,
    "f1": 0.847,
    "gradient_norm": 1.5,
    "learning_rate": 0.001,
    "tokens": 50_000,
    "seconds": 2.0,
    "is_best": True,
}
TEXT = "epoch  2/30  loss 0.1235  P 0.900  R 0.800  F1 0.8470*  norm 1.5  25k tokens/s"


class Terminal(io.StringIO):
    """A standard error that somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_a_line_per_epoch_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingProgress(30, quiet=False) as progress:
        progress.step(1, 0.5, 1000, 0.2)
        progress.epoch(LINE)
        progress.epoch({**LINE, "is_best": False})
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"{TEXT}\n{TEXT.replace('*', ' ')}\n"


@pytest.mark.parametrize(("tokens", "speed"), [(50_000, "25k"), (4, "2"), (1998, "999"), (1999, "1k")])
def test_a_line_fits_eighty_columns(tokens: int, speed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingProgress(100, quiet=False) as progress:
        progress.epoch({**LINE, "epoch": 100, "gradient_norm": 1.25, "tokens": tokens})
    line = capsys.readouterr().err.rstrip("\n")
    assert line.endswith(f"  norm 1.2  {speed} tokens/s")
    assert len(line) <= 80


@pytest.mark.parametrize(("term", "colour"), [("dumb", ""), ("xterm", "1")])
def test_no_bar_where_it_cannot_be_drawn_anew(term: str, colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal() if term == "dumb" else io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", colour)
    with TrainingProgress(30, quiet=False) as progress:
        progress.step(1, 0.5, 1000, 0.2)
        progress.epoch(LINE)
    assert terminal.getvalue() == f"{TEXT}\n"


def test_nothing_when_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingProgress(30, quiet=True) as progress:
        progress.step(0, 0.5, 1000, 0.2)
        progress.epoch(LINE)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_is_shown_the_loss_the_speed_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("nertag.progress.time.perf_counter", lambda: float(next(clock)))
    with TrainingProgress(4, quiet=False) as progress:
        progress.step(0, 0.5, 1000, 0.3)  # from here on, at 10 seconds
        progress.step(0, 1.0, 2000, 0.25)  # half an epoch, 1000 tokens, in 10 seconds
        assert progress._bar is not None
        task = progress._bar.tasks[0]
        assert (task.description, task.completed, task.total) == ("epoch 1/4", 1.0, 4)
        assert task.fields["speed"] == "loss 0.2500  100 tokens/s  at most 0:01:00 left"
        progress.epoch(LINE)
    assert "epoch 2/4  loss 0.1235" in terminal.getvalue()


def test_a_resumed_run_reckons_only_with_what_it_has_done_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("nertag.progress.time.perf_counter", lambda: float(next(clock)))
    with TrainingProgress(30, quiet=False) as progress:
        progress.step(20, 0.25, 500, 0.3)
        progress.step(20, 0.5, 1000, 0.3)  # a quarter of an epoch in 10 seconds; 9.5 epochs are left
        assert progress._bar is not None
        assert progress._bar.tasks[0].fields["speed"].endswith("at most 0:06:20 left")
