"""Results in; files out that bear their names only when they are whole.

Content goes to a temporary file in the same folder. When all of it is there and on the disk, the file is renamed; what
bore the name before is there until then. The temporary name follows from the other: a run that was killed leaves at
most files that the next one writes over.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import sys
from collections.abc import Mapping

from nertag.errors import ConfigError, NertagError, OutputError

_BUFFER = 1 << 18
_FOR_ALL = 0o666
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)  # Where there is such a thing.


def lock(descriptor: int) -> bool:
    """Claim a file for this process until it closes the file or ends, however it ends. Its children have no part in it.

    Returns:
        Whether nobody else has claimed it. On a file system without locks, nobody ever has.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def temporary_name(path: str) -> str:
    """Return the name that a file has until it is whole: hidden, in the same folder, never too long."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".nertag-{hashlib.sha256(os.fsencode(name)).hexdigest()[:24]}.tmp")


def check_apart(files: Mapping[str, str]) -> None:
    """Check that options name files of their own: what is written for one would destroy that of another.

    Args:
        files: The options, and the file that each names.

    Raises:
        ConfigError: If two name one file, or one names none.
    """
    owners: dict[object, str] = {}
    for option, path in files.items():
        if not path:
            raise ConfigError(f"{option} names no file")
        other = option if _leads_elsewhere(path) else owners.setdefault(_identity(path), option)
        if other != option:
            raise ConfigError(f"{other} and {option} name the same file", path=path)


def _leads_elsewhere(path: str) -> bool:
    """Whether there is something that several may write to, such as `/dev/null`, or that nobody can."""
    try:
        return _is_special(path)
    except (OSError, ValueError):
        return True


def _identity(path: str) -> object:
    """Return what all names of a regular file, or of one that is yet to be made, have in common."""
    if not os.path.exists(path):
        return os.path.normcase(os.path.realpath(path))
    status = os.stat(path)
    return status.st_dev, status.st_ino


class NewFile:
    """A file that bears its name when it is finished.

    A link stays a link: what it leads to is replaced. What is there and is no regular file, such as a named pipe or
    `/dev/null`, is written to directly.

    Args:
        path: Its name.
        mode: Who may read and write it, as far as the process grants that.
        follow: Whether a link stays one; otherwise the link itself is replaced, wherever it leads.

    Raises:
        OutputError: If it cannot be made.
        NertagError: If another process is writing a file of this name.
    """

    def __init__(self, path: str, mode: int = _FOR_ALL, *, follow: bool = True) -> None:
        self.path = path
        self._mode = mode
        is_link = not follow and os.path.islink(path)
        folder, name = os.path.split(path)
        self._target = os.path.join(os.path.realpath(folder), name) if is_link else os.path.realpath(path)
        self.size = 0
        """Bytes written so far."""
        try:
            self._work = None if not is_link and _is_special(self._target) else temporary_name(self._target)
            self._stream = open(self._claim(self._work), "wb", buffering=_BUFFER) if self._work else open(path, "wb")
        except OSError as error:
            raise OutputError(error, path) from None

    def _claim(self, work: str) -> int:
        """Make the temporary file, or take that of a run that was killed.

        Returns:
            Its descriptor.

        Raises:
            NertagError: If another process is writing it.
        """
        while True:
            descriptor = os.open(work, os.O_WRONLY | os.O_CREAT | _FLAGS, self._mode)
            if not lock(descriptor):
                os.close(descriptor)
                raise NertagError("another run is writing this file", path=self.path)
            if _is_at(descriptor, work):  # Whoever had claimed it before may have renamed it in the meantime.
                os.ftruncate(descriptor, 0)
                self._grant(descriptor)
                return descriptor
            os.close(descriptor)

    def _grant(self, descriptor: int) -> None:
        """Let those read and write the file who are to: whoever left it may have let others, or it replaces one."""
        mode = self._mode
        with contextlib.suppress(FileNotFoundError):
            mode &= stat.S_IMODE(os.stat(self._target, follow_symlinks=False).st_mode)
        if mode != _FOR_ALL and hasattr(os, "fchmod"):
            os.fchmod(descriptor, mode)

    def write(self, content: str | bytes) -> None:
        r"""Add text, as UTF-8, or bytes as they are. Half of a surrogate pair is written as `\ud83d`.

        Raises:
            OutputError: If it cannot be written, as on a full disk.
        """
        raw = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
        try:
            self._stream.write(raw)
        except OSError as error:
            raise OutputError(error, self.path) from None
        self.size += len(raw)

    def flush(self) -> None:
        """Do nothing: nothing appears before the end."""

    def complete(self) -> None:
        """Put everything onto the disk; nothing is added afterwards.

        Raises:
            OutputError: If it cannot be written.
        """
        try:
            self._stream.flush()
            if self._work:
                os.fsync(self._stream.fileno())
        except OSError as error:
            raise OutputError(error, self.path) from None

    def place(self) -> None:
        """Give the complete file its name.

        Raises:
            OutputError: If that cannot be.
        """
        try:
            if self._work and os.name == "nt":  # What is open cannot be renamed there.
                self._stream.close()
            if self._work:
                os.replace(self._work, self._target)
                sync_folder(os.path.dirname(self._target))
            self._stream.close()
        except OSError as error:
            raise OutputError(error, self.path) from None

    def finish(self) -> None:
        """Complete the file and give it its name.

        Raises:
            OutputError: If it cannot be written.
        """
        self.complete()
        self.place()

    def discard(self) -> None:
        """Leave what bore the name before, if anything did. Nothing happens to a file that has its name."""
        if self._stream.closed:
            return
        with contextlib.suppress(OSError):
            if self._work:
                os.unlink(self._work)
        with contextlib.suppress(OSError):
            self._stream.close()


def _is_special(path: str) -> bool:
    """Whether there is something that is no regular file; what could have no such name is an error."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


def _is_at(descriptor: int, path: str) -> bool:
    """Whether an open file is the one of a name."""
    opened = os.fstat(descriptor)
    try:
        named = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino)


def sync_folder(folder: str) -> None:
    """Put the names in a folder onto the disk, where that can be asked for."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
