"""Paths, folders and lists of paths in; the inputs of a run out, each with the place of its result, and their sections.

Folders are walked in the order of names. Hidden files and folders are left alone, links to folders are not followed,
and what is neither a file nor a link to one is passed over; so are the results of this and of earlier runs.
"""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from nertag.errors import ConfigError, InputError, NertagError
from nertag.pipeline import Marker
from nertag.sources import STDIN, Section

Identity = tuple[int, int]
"""Device and inode: what all names of a file have in common."""


class Item(NamedTuple):
    """One input of a run.

    Attributes:
        path: The file as the user named it, or as it was found below a folder that the user named; `-` is standard
            input.
        place: Where its result belongs below an output folder, but for the extension.
        size: Bytes of a regular file; 0 for anything else.
        identity: Which file it is; None if nobody knows.
        fault: Why it cannot be read; None if that is still to be seen.
    """

    path: str
    place: str = ""
    size: int = 0
    identity: Identity | None = None
    fault: NertagError | None = None


class Sieve(NamedTuple):
    """What of a folder is wanted.

    Attributes:
        globs: Patterns of which a file has to match one, if there are any.
        own: Files and folders that the run itself reads or writes beside its inputs.
        folder: The output folder; None if there is none.
        results_in: Says which results earlier runs have written to a folder, as absolute paths without links.
    """

    globs: Sequence[str] = ()
    own: frozenset[Identity] = frozenset()
    folder: str | None = None
    results_in: Callable[[str], Iterable[str]] = lambda folder: ()

    def wants(self, below: str) -> bool:
        """Whether a file matches, given its path below the folder."""
        parts = below.split(os.sep)
        return not self.globs or any(_matches(parts, _parts(pattern)) for pattern in self.globs)


def _parts(pattern: str) -> list[str]:
    """Return the parts of a pattern; one without a slash is for the name alone, however deep the file lies."""
    parts = pattern.removeprefix("./").split("/")
    return parts if len(parts) > 1 else ["**", *parts]


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path match those of a pattern, in which `**` is any number of folders.

    Only the last `**` ever takes in one folder more: trying that for all of them could take for ever.

    Returns:
        Whether they do.
    """
    position = at = resume = 0
    after_stars: int | None = None
    while position < len(parts):
        if at < len(pattern) and pattern[at] == "**":
            at += 1
            after_stars, resume = at, position
        elif at < len(pattern) and fnmatchcase(parts[position], pattern[at]):
            position, at = position + 1, at + 1
        elif after_stars is not None:
            resume += 1
            position, at = resume, after_stars
        else:
            return False
    return all(part == "**" for part in pattern[at:])


# --- Which files ------------------------------------------------------------------------------------------------------


def read_list(path: str, *, null: bool) -> list[str]:
    """Read a list of paths.

    Args:
        path: The file with the list; `-` is standard input.
        null: Whether NUL ends each path; a line feed does otherwise.

    Returns:
        The paths in their order; empty ones are left out.

    Raises:
        InputError: If the list cannot be read.
    """
    try:
        if path != STDIN:
            with open(path, "rb") as stream:
                content = stream.read()
        elif sys.stdin is None:
            raise InputError("standard input is closed, so there is no list of files on it", path=path)
        else:
            content = sys.stdin.buffer.read()
    except OSError as error:
        raise InputError(f"the list of files cannot be read: {error.strerror}", path=path) from None
    paths = content.split(b"\0" if null else b"\n")
    return [os.fsdecode(each.removesuffix(b"\r") if os.name == "nt" else each) for each in paths if each]


def collect(paths: Iterable[str], listed: Iterable[str] = (), sieve: Sieve | None = None) -> list[Item]:
    """Find the inputs of a run.

    Args:
        paths: Files, folders and `-`, as given on the command line.
        listed: Files from a list, whose folders are kept in the places of their results.
        sieve: What is wanted of folders; everything by default.

    Returns:
        The inputs in their order; what cannot be read is among them, with its fault.
    """
    items: list[Item] = []
    for path in paths:
        if path != STDIN and os.path.isdir(path):
            items += _walk(path, sieve or Sieve())
        else:
            items.append(_item(path, os.path.basename(path)))
    return items + [_item(path, _inside(path)) for path in listed]


def _item(path: str, place: str) -> Item:
    """Return the input for a path."""
    if path == STDIN:
        return Item(path, size=_size_of_stdin())
    try:
        status = os.stat(path)
    except FileNotFoundError:
        if not path:
            hint = "Is a variable of the shell empty?"
            return Item(path, place, fault=InputError("'': an empty path names no file", hint=hint))
        hint = f"To tag these words themselves: nertag tag --text {shlex.quote(path)}"
        return Item(path, place, fault=InputError("there is no such file", hint=hint, path=path))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return Item(path, place, fault=InputError(f"cannot be read: {reason}", path=path))
    if stat.S_ISDIR(status.st_mode):
        hint = "A list names files, as find -type f writes them."
        return Item(path, place, fault=InputError("this is a folder, not a file", hint=hint, path=path))
    return Item(path, place, _size(status), (status.st_dev, status.st_ino))


def _size(status: os.stat_result) -> int:
    """Return the bytes of a regular file, and 0 for anything else."""
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _size_of_stdin() -> int:
    """Return the bytes of standard input, if it is a file."""
    try:
        return _size(os.fstat(0))
    except OSError:
        return 0


def _inside(path: str) -> str:
    """Return a path that leads out of no folder: without a root, and without `.` and `..`."""
    parts = os.path.splitdrive(path)[1].replace(os.altsep or os.sep, os.sep).split(os.sep)
    return os.sep.join(part for part in parts if part not in ("", os.curdir, os.pardir))


def _walk(top: str, sieve: Sieve) -> Iterator[Item]:
    """Yield the files below a folder, and the folders that cannot be read, with their fault."""
    real = os.path.realpath(top)
    written = set(() if sieve.folder is None else sieve.results_in(sieve.folder))
    waiting = [
        ("", True)
    ]  # Paths below the folder that are still to be seen, and whether they are folders; last first.
    while waiting:
        below, is_folder = waiting.pop()
        path = os.path.join(top, below) if below else top
        if not is_folder:
            yield _item(path, below)
            continue
        try:
            with os.scandir(path) as entries:
                found = sorted((entry.name, _kind(entry)) for entry in entries)
                own = _identity(path) in sieve.own
        except OSError as error:
            fault = InputError(f"this folder cannot be read: {error.strerror}", path=path)
            yield Item(path, below, fault=fault)
            continue
        written.update(sieve.results_in(path))
        for name, kind in [] if own else reversed(found):
            inner = os.path.join(below, name)
            if name.startswith(".") or kind == "other" or os.path.join(real, inner) in written:
                continue
            if kind == "folder" or _is_wanted(top, inner, sieve):
                waiting.append((inner, kind == "folder"))


def _kind(entry: os.DirEntry[str]) -> str:
    """Return what an entry of a folder is; a link that leads nowhere is a file, so that reading it fails."""
    try:
        if entry.is_dir(follow_symlinks=False):
            return "folder"
        if entry.is_file() or (entry.is_symlink() and not os.path.exists(entry.path)):
            return "file"
    except OSError:  # A link to itself.
        return "file"
    return "other"


def _is_wanted(top: str, below: str, sieve: Sieve) -> bool:
    """Whether a file below a folder is to be tagged."""
    return sieve.wants(below) and (not sieve.own or _identity(os.path.join(top, below)) not in sieve.own)


def _identity(path: str) -> Identity | None:
    """Return which file a path leads to; None if it leads to none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def identities(paths: Iterable[str | None]) -> frozenset[Identity]:
    """Return which files and folders some paths lead to, as far as there are any."""
    found = (_identity(path) for path in paths if path)
    return frozenset(each for each in found if each is not None)


# --- Where results go -------------------------------------------------------------------------------------------------


def check_results(items: Sequence[Item], folder: str, extension: str) -> None:
    """Check that every input can have a result of its own, before anything is tagged.

    Args:
        items: The inputs.
        folder: The output folder.
        extension: What is added to the places of results.

    Raises:
        ConfigError: If two inputs would have the same result, a result would have to be a file and a folder, or a
            result would be an input.
    """
    owners: dict[str, str] = {}
    inputs = {item.identity: item.path for item in items if item.identity}
    for item in items:
        if item.path == STDIN:
            raise ConfigError("standard input has no name for a result in a folder", hint="Name a file with --output.")
        target = item.place + extension
        other = owners.setdefault(os.path.normcase(target), item.path)
        if other is not item.path:
            message = f"{other} and {item.path} would have the same result, {os.path.join(folder, target)}"
            raise ConfigError(message, hint="Tag them into folders of their own, or a folder that holds both.")
        there = _identity(os.path.join(folder, target))
        same = inputs.get(there) if there else None
        if same is not None:
            raise ConfigError(f"the result of {item.path} would be written over the input {same}")
    for target, path in owners.items():
        above = os.path.dirname(target)
        while above:
            if above in owners:
                message = f"the result of {owners[above]} would be a file where that of {path} needs a folder"
                raise ConfigError(message, hint="Tag them into folders of their own.", path=os.path.join(folder, above))
            above = os.path.dirname(above)


def check_output(items: Iterable[Item], output: frozenset[Identity], name: str, hint: str | None = None) -> None:
    """Check that what is written is none of the inputs.

    Args:
        items: The inputs.
        output: The file that is written; empty if there is none yet.
        name: What to call it.
        hint: What can be done about it.

    Raises:
        ConfigError: If it is one.
    """
    for item in items:
        if item.identity in output:
            raise ConfigError(f"this input is the output as well: {name}", hint=hint, path=item.path)


# --- Sections ---------------------------------------------------------------------------------------------------------


class State(NamedTuple):
    """What a file was like when it was opened.

    Attributes:
        identity: Which file it was.
        size: Its bytes.
        time: When it was last changed, in nanoseconds.
    """

    identity: Identity
    size: int
    time: int


class Opened(Marker):
    """Among sections: those of another input follow.

    Args:
        item: The input.
        state: What the file is like; None if it is no regular file, or none can be seen.
    """

    __slots__ = ("item", "state")

    def __init__(self, item: Item, state: State | None) -> None:
        self.item = item
        self.state = state


class Closed(Marker):
    """Among sections: those of an input have all been there.

    Args:
        item: The input.
        fault: Why it could not be read to its end; None if it was.
    """

    __slots__ = ("fault", "item")

    def __init__(self, item: Item, fault: NertagError | None) -> None:
        self.item = item
        self.fault = fault


Events = Iterator["Section | Marker | None"]


class Reading:
    """Reads inputs one after another; that one cannot be read ends nothing but itself.

    Args:
        items: The inputs.
        read: From a path to its sections.
    """

    def __init__(self, items: Iterable[Item], read: Callable[[str], Iterator[Section | None]]) -> None:
        self._items = items
        self._read = read
        self._given_up: Item | None = None

    def give_up(self, item: Item) -> None:
        """Read no more of an input."""
        self._given_up = item

    def __iter__(self) -> Events:
        """Yield the sections of all inputs, each between `Opened` and `Closed`, and None where one pauses."""
        for item in self._items:
            state = None if item.identity is None else state_of(item.path)
            yield Opened(item, state)
            fault = item.fault
            if not fault:
                try:
                    for section in self._read(item.path):
                        if self._given_up is item:
                            break
                        yield section
                    fault = _change(item.path, state)
                except NertagError as error:
                    fault = error
            yield Closed(item, fault)


def state_of(path: str) -> State | None:
    """Return what a regular file is like; None for anything else."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return State((status.st_dev, status.st_ino), status.st_size, status.st_mtime_ns)


def _change(path: str, before: State | None) -> InputError | None:
    """Return a fault if a file was changed while it was read, other than by adding to it; it may be gone by now."""
    now = state_of(path)
    if before is None or now is None or now.identity != before.identity or now == before or now.size > before.size:
        return None
    what = "it was cut short" if now.size < before.size else "it was changed"
    return InputError(f"{what} while it was read", hint="Tag it again when it is whole.", path=path)
