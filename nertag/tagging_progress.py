"""How a run of `tag` goes, shown on standard error: live on a terminal, a line every so often anywhere else.

A run that is over soon shows nothing; what draws is loaded when it is needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from nertag.console import can_redraw, draw_aside, note
from nertag.progress import clock, counted, rounded

if TYPE_CHECKING:
    from rich.progress import Progress

_DRAWN_AFTER = 1.0  # Seconds until a bar is drawn,
_DRAWN_EVERY = 0.1  # and between two drawings.
_SAID_AFTER = 10.0  # Seconds until the first line,
_SAID_EVERY = 60.0  # and between two of them.


class TaggingProgress:
    """Counts what is done and shows it.

    Args:
        quiet: Whether nothing is shown.
        now: Says the time, in seconds.
    """

    def __init__(self, *, quiet: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._files = 0
        self._size = 0
        self._quiet = quiet
        self._now = now
        self._began = now()
        self._live = not quiet and can_redraw()
        self._next = self._began + (_DRAWN_AFTER if self._live else _SAID_AFTER)
        self._bar: Progress | None = None
        self._read = 0  # Bytes of the inputs that are over.
        self._current = 0  # Characters of the one that is not.
        self.over = 0
        """Inputs that are over, done or not."""
        self.tokens = 0
        self.names = 0
        self.was_shown = False

    def expect(self, files: int, size: int) -> None:
        """Take in how much there is to do.

        Args:
            files: Inputs.
            size: Their bytes, as far as they are known.
        """
        self._files = files
        self._size = size

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return self._now() - self._began

    def advance(self, tokens: int, names: int, size: int) -> None:
        """Count a section, given its code points."""
        self.tokens += tokens
        self.names += names
        self._current += size
        self._show()

    def end_input(self, size: int) -> None:
        """Count an input that is over, given its bytes."""
        self.over += 1
        self._read += size
        self._current = 0
        self._show()

    def _show(self) -> None:
        """Show how far it is, if it is time to."""
        now = self._now()
        if self._quiet or now < self._next:
            return
        self._next = now + (_DRAWN_EVERY if self._live else _SAID_EVERY)
        self.was_shown = True
        if self._live:
            self._draw()
        else:
            note(", ".join(self._told()))

    def _told(self) -> list[str]:
        """Return what there is to say, part by part: how far it is, and how long it will take if that can be told."""
        speed = rounded(self.tokens / max(self.seconds, 1e-9))
        parts = [counted(self.tokens, "token"), f"{speed} a second", counted(self.names, "name")]
        if self._files > 1:
            parts.insert(0, f"{self.over:,} of {self._files:,} files")
        share = self._share()
        if share > 0:
            parts.append(f"about {clock(self.seconds * (1 - share) / share)} left")
        return parts

    def _share(self) -> float:
        """Return how much of the input is done, 0 to 1, as far as its size is known."""
        return min((self._read + self._current) / self._size, 1.0) if self._size else 0.0

    def _draw(self) -> None:
        """Draw the bar anew."""
        if self._bar is None:
            from rich.progress import BarColumn, Progress, TextColumn
            from rich.table import Column

            text = TextColumn("{task.description}", table_column=Column(no_wrap=True))
            # Drawn from here alone: a thread that draws and processes that fork do not go together.
            self._bar = Progress(
                BarColumn(bar_width=16), text, console=draw_aside(), transient=True, auto_refresh=False
            )
            self._bar.add_task("", total=None if not self._size else 1.0)
            self._bar.start()
        *parts, last = self._told()  # A narrow terminal shows but the first of them.
        self._bar.update(self._bar.task_ids[0], completed=self._share(), description=", ".join([last, *parts]))
        self._bar.refresh()

    def hide(self) -> None:
        """Take the bar away, so that something else can be said; it comes back."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
