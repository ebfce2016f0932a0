r"""What an output folder holds, in a hidden file that only grows, so that a run knows what an earlier one has finished.

`.nertag.jsonl` has a JSON object on every line, the first one being the head:

| object | says |
| --- | --- |
| `{"nertag": "manifest", "version": 1}` | what this file is |
| `{"ours": ["a.txt.labels", …]}` | these results are about to be written: whatever bears these names is ours |
| `{"done": "a.txt.labels", …}` | this result is whole: the input it was made from, how, and its size |
| `{"names": 12}` | the mapping of names has been saved with so many entries |

A result's name is there before the result is, and `done` after. A line that a crash has cut short or lost says nothing:
at the worst, a file is tagged again. `.nertag.lock` is locked while a run writes to the folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from nertag.errors import NertagError, OutputError
from nertag.outputs import lock, sync_folder

MANIFEST = ".nertag.jsonl"
LOCK = ".nertag.lock"

_HEAD = b'{"nertag": "manifest", "version": 1}\n'


@dataclass(frozen=True, slots=True)
class Made:
    """How a result was made.

    Attributes:
        input: The input's name as the user gave it, which some formats repeat.
        at: Where it lay.
        size: Its bytes.
        time: When it was last changed, in nanoseconds.
        settings: A digest of everything else that decides about the result.
    """

    input: str
    at: str
    size: int
    time: int
    settings: str


@dataclass(frozen=True, slots=True)
class Done:
    """A finished result.

    Attributes:
        made: How it was made.
        bytes: Its size.
        names: Entries that the mapping of names has to have for it; None if it does not depend on one.
    """

    made: Made
    bytes: int
    names: int | None = None


@dataclass(slots=True)
class Records:
    """What a manifest says.

    Attributes:
        ours: Results that were ever begun.
        done: Those that were finished.
        saved: Entries of the mapping of names when it was last saved.
    """

    ours: set[str]
    done: dict[str, Done]
    saved: int = 0

    def holds(self, target: str, made: Made, path: str, names: int | None) -> bool:
        """Whether a result is there and would become the same again.

        Args:
            target: Its name in the folder.
            made: How it would be made now.
            path: Where it lies.
            names: Entries of the mapping of names; None if there is none.

        Returns:
            Whether it need not be made.
        """
        done = self.done.get(target)
        if done is None or done.made != made:
            return False
        if done.names is not None and (names is None or not self._has_names(done.names, names)):
            return False
        try:
            return os.stat(path).st_size == done.bytes
        except OSError:
            return False

    def save(self, names: int) -> None:
        """Take in that the mapping of names has been saved; with fewer names than before, it is another one."""
        if names < self.saved:
            self.done = {target: done for target, done in self.done.items() if done.names is None}
        self.saved = names

    def _has_names(self, needed: int, names: int) -> bool:
        """Whether the mapping has the names of a result. What may not have been saved must be the last in it."""
        return needed <= names if needed <= self.saved else needed == names


def settings_digest(settings: Mapping[str, object]) -> str:
    """Return a digest of everything but the input that decides about a result."""
    content = json.dumps(settings, sort_keys=True, default=repr)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def read(folder: str) -> Records:
    """Read the manifest of a folder.

    Returns:
        What it says; nothing if there is none.

    Raises:
        NertagError: If it cannot be read, or is none.
    """
    path = os.path.join(folder, MANIFEST)
    records = Records(set(), {})
    try:
        with open(path, "rb") as stream:
            head = stream.readline()
            if not _HEAD.startswith(head):
                raise NertagError("this is no manifest of nertag, or one of another version", path=path)
            for line in stream:
                _take(line, records)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise NertagError(f"it cannot be read: {error.strerror}", path=path) from None
    return records


def results_in(folder: str) -> set[str]:
    """Return the absolute paths, without links, of all results that were ever written to an output folder."""
    try:
        targets = read(folder).ours
    except NertagError:  # Somebody else's file of this name.
        return set()
    real = os.path.realpath(folder)
    return {os.path.join(real, target) for target in targets}


def _take(line: bytes, records: Records) -> None:
    """Take in what a line says; one that is damaged says nothing."""
    try:
        found: Any = json.loads(line)
        if "ours" in found:
            records.ours.update(found["ours"])
        elif "done" in found:
            made = Made(**{each.name: found[each.name] for each in fields(Made)})
            records.done[found["done"]] = Done(made, found["bytes"], found.get("names"))
        elif "names" in found:
            records.save(int(found["names"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return


class Manifest:
    """An output folder while a run writes to it.

    Args:
        folder: The folder; it is made if it is not there.

    Raises:
        NertagError: If another run writes to it, or its manifest is none.
        OutputError: If it cannot be written.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._path = os.path.join(folder, MANIFEST)
        try:
            os.makedirs(folder, exist_ok=True)
            self._lock = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise OutputError(error, folder) from None
        if not lock(self._lock):
            os.close(self._lock)
            hint = "Wait for it to end, or choose another --output."
            raise NertagError("another run is writing to this folder", hint=hint, path=folder)
        self._stream: int | None = None
        try:
            self.records = read(folder)
            self._stream = self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> int:
        """Open the manifest to write at its end, which is a whole line.

        Returns:
            Its descriptor.

        Raises:
            OutputError: If it cannot be written.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
            size = os.fstat(descriptor).st_size
            if size < len(_HEAD):  # New, or cut short by a crash.
                os.ftruncate(descriptor, 0)
                os.write(descriptor, _HEAD)
                os.fsync(descriptor)
                sync_folder(self.folder)
            else:
                os.lseek(descriptor, size - 1, os.SEEK_SET)
                if os.read(descriptor, 1) != b"\n":
                    os.write(descriptor, b"\n")
        except OSError as error:
            raise OutputError(error, self._path) from None
        return descriptor

    def claim(self, targets: Iterable[str]) -> None:
        """Say that results are about to be written.

        Raises:
            OutputError: If it cannot be written.
        """
        new = sorted(set(targets) - self.records.ours)
        if new:
            self._append({"ours": new}, sync=True)
            self.records.ours.update(new)

    def add(self, done: Mapping[str, Done]) -> None:
        """Say that results are whole.

        Raises:
            OutputError: If it cannot be written.
        """
        lines = [
            {"done": target, **asdict(each.made), "bytes": each.bytes}
            | ({} if each.names is None else {"names": each.names})
            for target, each in done.items()
        ]
        # If these lines are lost, files are tagged again; with a mapping, they have to be there before it is.
        self._append(*lines, sync=any(each.names is not None for each in done.values()))
        self.records.done.update(done)

    def confirm(self, names: int) -> None:
        """Say that the mapping of names has been saved.

        Args:
            names: Its entries.

        Raises:
            OutputError: If it cannot be written.
        """
        self._append({"names": names}, sync=True)
        self.records.save(names)

    def _append(self, *lines: Mapping[str, object], sync: bool) -> None:
        """Write lines.

        Args:
            *lines: The lines.
            sync: Whether they have to be on the disk before anything else happens.

        Raises:
            OutputError: If they cannot be written.
        """
        content = "".join(json.dumps(line) + "\n" for line in lines).encode("ascii")
        assert self._stream is not None
        try:
            while content:
                content = content[os.write(self._stream, content) :]
            if sync:
                os.fsync(self._stream)
        except OSError as error:
            raise OutputError(error, self._path) from None

    def close(self) -> None:
        """Let other runs write to the folder."""
        for descriptor in (self._stream, self._lock):
            if descriptor is not None:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
