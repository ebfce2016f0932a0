"""The voice: results to standard output, every other word to standard error.

Rich is imported only by what draws: a run that writes plain results never loads it.
"""

from __future__ import annotations

import io
import os
import re
import sys
from typing import TYPE_CHECKING

from nertag.errors import NertagError

if TYPE_CHECKING:
    from rich.console import Console

# What a terminal would obey if a message quotes it: control characters but tab and line feed.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

# Results are handed to the system in pieces of about this many characters, or earlier when a batch is done.
_PIECE = 1 << 16
_AT_ONCE = 1 << 20  # Characters that are encoded at once: a line may have many more.


class PipeClosedError(Exception):
    """Nobody reads standard output any more: not an error, but the end of the work."""


class Results:
    r"""Writes results to standard output, gathered, as UTF-8 with a plain line feed, never wrapped.

    What UTF-8 cannot encode, half of a surrogate pair, is written as `\ud83d`, which JSON reads back as it was.

    Raises:
        NertagError: If standard output is closed from the start.
    """

    def __init__(self) -> None:
        if sys.stdout is None:
            raise NertagError("standard output is closed, so there is nowhere to write to")
        if isinstance(sys.stdout, io.TextIOWrapper):
            encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
            sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace", newline="\n")
        self._parts: list[str] = []
        self._size = 0

    def write(self, content: str | bytes) -> None:
        """Add text, which appears with the next `flush` or when enough has gathered, or bytes, which appear at once.

        Raises:
            NertagError: If standard output cannot be written, as on a full disk.
            PipeClosedError: If nobody reads it any more.
        """
        if isinstance(content, bytes):
            self.flush()
            self._hand_over(content)
            return
        self._parts.append(content)
        self._size += len(content)
        if self._size >= _PIECE:
            self.flush()

    def finish(self) -> None:
        """Make everything appear.

        Raises:
            NertagError: If standard output cannot be written, as on a full disk.
            PipeClosedError: If nobody reads it any more.
        """
        self.flush()

    def discard(self) -> None:
        """Do nothing: what has been written has been read."""

    def flush(self) -> None:
        """Make everything written so far appear.

        Raises:
            NertagError: If standard output cannot be written, as on a full disk.
            PipeClosedError: If nobody reads it any more.
        """
        if not self._parts:
            return
        text = "".join(self._parts)
        self._parts.clear()
        self._size = 0
        self._hand_over(text)

    def _hand_over(self, content: str | bytes) -> None:
        """Give content to the system.

        Raises:
            NertagError: If standard output cannot be written, as on a full disk.
            PipeClosedError: If nobody reads it any more.
        """
        try:
            if isinstance(content, str):
                for start in range(0, len(content), _AT_ONCE):
                    sys.stdout.write(content[start : start + _AT_ONCE])
            else:
                sys.stdout.buffer.write(content)
            sys.stdout.flush()
        except OSError as error:
            abandon_stdout()
            if isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == 22):
                raise PipeClosedError from None
            raise NertagError(f"standard output cannot be written: {error.strerror}") from None


def abandon_stdout() -> None:
    """Point standard output at nothing, so that the interpreter's last flush does not fail a second time."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)


def results_are_seen() -> bool:
    """Whether standard output is a terminal, so that a person reads the results."""
    return sys.stdout is not None and sys.stdout.isatty()


def draw_results() -> Console:
    """Return a rich console for drawing on standard output; it follows NO_COLOR, FORCE_COLOR and TERM."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)


def draw_aside() -> Console:
    """Return a rich console for tables, progress and notes on standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def can_redraw() -> bool:
    """Whether standard error is a terminal on which a line can be drawn anew; FORCE_COLOR makes no file one."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")


def spelt_out(text: str) -> str:
    r"""Return a text that gives a terminal no orders: control characters as `\x1b`."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def note(message: str) -> None:
    """Say something on standard error that is neither a result nor a fault."""
    _say(f"nertag: {message}")


def report(error: NertagError) -> None:
    """Show an error and its hint on standard error."""
    _say(f"nertag: error: {error}")


def _say(text: str) -> None:
    """Write a line to standard error, if there is one that still listens; control characters are spelt out."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(spelt_out(text) + "\n")
        sys.stderr.flush()
    except OSError:
        return
