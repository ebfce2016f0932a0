"""A training run's reports in; a progress bar and one line per epoch on standard error out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nertag.console import can_redraw, draw_aside

if TYPE_CHECKING:
    from rich.progress import Progress

_FIELDS = ("{task.description}", "{task.fields[speed]}")


class TrainingProgress:
    """Shows how training goes: live on a terminal, one line per epoch everywhere.

    Args:
        epochs: The most epochs there will be.
        quiet: Whether nothing is shown.
    """

    def __init__(self, epochs: int, *, quiet: bool) -> None:
        self._epochs = epochs
        self._console = None if quiet else draw_aside()
        self._bar: Progress | None = None
        self._began = time.perf_counter()
        self._done_before: float | None = None

    def __enter__(self) -> TrainingProgress:
        """Draw the bar, if this is a terminal."""
        if self._console and can_redraw():
            from rich.progress import BarColumn, Progress, TextColumn
            from rich.table import Column

            text = [TextColumn(field, table_column=Column(no_wrap=True)) for field in _FIELDS]
            self._bar = Progress(text[0], BarColumn(bar_width=16), text[1], console=self._console, transient=True)
            self._bar.start()
            self._bar.add_task("starting", total=self._epochs, speed="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()

    def step(self, epochs_done: int, share: float, tokens: int, loss: float) -> None:
        """Move the bar.

        Args:
            epochs_done: Finished epochs.
            share: Of the running epoch that is done, 0 to 1.
            tokens: Training tokens read in the running epoch.
            loss: Mean cross-entropy per token so far in the running epoch.
        """
        if not self._bar:
            return
        now = time.perf_counter()
        done = epochs_done + share
        if self._done_before is None:
            self._done_before, self._began = done, now
        passed = done - self._done_before
        if passed <= 0:
            return
        remaining = (self._epochs - done) * (now - self._began) / passed
        per_second = tokens / share * passed / (now - self._began)
        speed = f"loss {loss:.4f}  {rounded(per_second)} tokens/s  at most {clock(remaining)} left"
        task = self._bar.task_ids[0]
        description = f"epoch {epochs_done + 1}/{self._epochs}"
        self._bar.update(task, completed=done, description=description, speed=speed)

    def epoch(self, line: Mapping[str, Any]) -> None:
        """Write an epoch's line; a star marks the best F1 so far.

        Args:
            line: The fields of an `EpochReport`.
        """
        if not self._console:
            return
        text = (
            f"epoch {line['epoch']:>{len(str(self._epochs))}}/{self._epochs}  loss {line['loss']:.4f}  "
            f"P {line['precision']:.3f}  R {line['recall']:.3f}  F1 {line['f1']:.4f}{'*' if line['is_best'] else ' '}  "
            f"norm {line['gradient_norm']:.1f}  {rounded(line['tokens'] / line['seconds'])} tokens/s"
        )
        self._console.print(text, soft_wrap=True)


def rounded(number: float) -> str:
    """Write a number in thousands, if it has any."""
    return f"{number / 1000:,.0f}k" if number >= 999.5 else f"{number:.0f}"


def counted(number: int, noun: str) -> str:
    """Write a number with what it counts."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def clock(seconds: float) -> str:
    """Write seconds as hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
