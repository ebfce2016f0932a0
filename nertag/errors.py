"""The errors a user can cause, each with a message, a place and a hint.

`cli.main` is the only place that turns them into text and an exit code; everything else is a bug of ours and keeps its
traceback.
"""

from __future__ import annotations

import errno
import os

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EROFS, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)})


class NertagError(Exception):
    """Something the user can mend.

    Args:
        message: What was wrong, with the value received, without a final full stop.
        hint: What to do next; None when the message already says it.
        path: The file, folder or repository it happened in; None when there is none.
        line: The line (or row) in that file, counted from 1; None when it concerns the whole file.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        path: str | os.PathLike[str] | None = None,
        line: int | None = None,
    ) -> None:
        self.message = message
        self.hint = hint
        self.path = None if path is None else os.fspath(path)
        self.line = line
        super().__init__(message)

    def __str__(self) -> str:
        """Return `path:line: message` and, on a line of its own, the hint."""
        path = None if self.path is None else self.path.replace("\n", "\\n")  # A name may not look like a line of ours.
        place = "" if path is None else f"{path}: " if self.line is None else f"{path}:{self.line}: "
        hint = "" if self.hint is None else f"\n  hint: {self.hint}"
        return f"{place}{self.message}{hint}"


class InputError(NertagError):
    """Text, a file or a folder that was to be tagged cannot be read."""


class OutputError(NertagError):
    """A result cannot be written.

    Args:
        error: What the system says.
        path: The file.
    """

    def __init__(self, error: OSError, path: str) -> None:
        super().__init__(f"it cannot be written: {error.strerror}", path=path)
        self.of_the_disk = error.errno in _OF_THE_DISK
        """Whether other files cannot be written either."""


class DataError(NertagError):
    """A training or evaluation corpus is missing, malformed or ambiguous."""


class ModelError(NertagError):
    """A model folder is missing, incomplete, foreign or damaged."""


class ConfigError(NertagError):
    """A setting, a recipe or a combination of options makes no sense."""


class TrainingError(NertagError):
    """A training run cannot go on."""


class MissingExtraError(NertagError):
    """A command needs packages that the base install leaves out."""
