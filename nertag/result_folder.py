"""What is to be written for the inputs of a run in; a file for each of them, in one folder, out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nertag.batch import Item, Opened
from nertag.errors import ConfigError, InputError, NertagError, OutputError
from nertag.manifest import Done, Made, Manifest
from nertag.outputs import NewFile, temporary_name
from nertag.writers import Sink
from nertag.writers.pseudonyms import PseudonymSink

_GROUP = 1 << 24
"""Bytes of input whose results appear together if they share a mapping of names."""
_GROUP_FILES = 100  # And how many at most: they are all open until then.


@dataclass(frozen=True, slots=True)
class _Whole:
    """A result that is whole but does not bear its name yet."""

    target: str
    file: NewFile
    made: Made


class ResultFolder:
    """A file in a folder for every input.

    Results of numbered pseudonyms depend on those before them. So that a run that was killed can be taken up, they
    appear in groups with the mapping of names, and every group begins from what the mapping says.

    Args:
        manifest: The folder.
        extension: What is added to the places of results.
        settings: A digest of everything but the input that decides about results.
        new_sink: Makes the second half of the format for an input.
        names: The second half of the format if all inputs share it; None if each has its own.
    """

    def __init__(
        self,
        manifest: Manifest,
        extension: str,
        settings: str,
        new_sink: Callable[[Item], Sink],
        names: PseudonymSink | None = None,
    ) -> None:
        self._manifest = manifest
        self._extension = extension
        self._settings = settings
        self._new_sink = new_sink
        self._sink: Sink = names or Sink()
        self._names = names
        if names and names.size < manifest.records.saved:
            manifest.confirm(names.size)
        self._opened: Opened | None = None
        self._file: NewFile | None = None
        self._waiting: list[_Whole] = []
        self._kept = 0  # Names up to the last input that was whole.
        self._placing = False  # Whether results that depend on one another are being given their names.

    def target(self, item: Item) -> str:
        """Return the name of an input's result in the folder."""
        return item.place + self._extension

    def path(self, item: Item) -> str:
        """Return where an input's result lies."""
        return os.path.join(self._manifest.folder, self.target(item))

    def is_done(self, opened: Opened) -> bool:
        """Whether the result is there, and neither the input nor the settings have changed since."""
        made = self._made(opened)
        names = None if self._names is None else self._names.size
        target = self.target(opened.item)
        return made is not None and self._manifest.records.holds(target, made, self.path(opened.item), names)

    def claim(self, items: Sequence[Item], *, replace: bool) -> None:
        """Say what is about to be written.

        Args:
            items: The inputs.
            replace: Whether files that are not nertag's may be written over.

        Raises:
            ConfigError: If there are such files.
        """
        for item in items:
            path = self.path(item)
            ours = self.target(item) in self._manifest.records.ours and not os.path.islink(path)  # We make no links.
            if not replace and not ours and os.path.lexists(path):
                hint = "Choose another --output; --force writes over it."
                raise ConfigError("this file was not written by nertag", hint=hint, path=path)
        self._clean()
        self._manifest.claim(map(self.target, items))

    def _clean(self) -> None:
        """Take away what a run that was killed has left."""
        for target in self._manifest.records.ours:
            with contextlib.suppress(OSError):
                os.unlink(temporary_name(os.path.join(self._manifest.folder, target)))

    def _made(self, opened: Opened) -> Made | None:
        """Return how a result would be made now; None if nobody can say."""
        state = opened.state
        if state is None:
            return None
        path = opened.item.path
        return Made(path, os.path.abspath(path), state.size, state.time, self._settings)

    def open(self, opened: Opened) -> None:
        """Begin with an input."""
        self._opened = opened
        if opened.item.fault:
            return
        if self._names is None:
            self._sink = self._new_sink(opened.item)
        else:
            self._kept = self._names.size
        path = self.path(opened.item)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except OSError as error:
            raise OutputError(error, path) from None
        self._file = NewFile(path, follow=False)
        self._file.write(self._sink.begin())

    def write(self, pieces: Iterable[Any]) -> None:
        """Write pieces."""
        assert self._file is not None
        for piece in pieces:
            self._file.write(self._sink.write(piece))

    def flush(self) -> None:
        """Do nothing: results appear as a whole."""

    def close(self) -> int:
        """Complete a result."""
        assert self._file is not None and self._opened is not None
        for content in self._sink.finish():
            self._file.write(content)
        self._file.complete()
        item, made = self._opened.item, self._made(self._opened)
        made = made or Made(item.path, os.path.abspath(item.path), -1, -1, self._settings)
        self._waiting.append(_Whole(self.target(item), self._file, made))
        self._file = None
        size = sum(each.made.size for each in self._waiting)
        full = self._names is None or size >= _GROUP or len(self._waiting) >= _GROUP_FILES
        return self._place() if full else 0

    def fail(self) -> None:
        """Forget an input, and the names in it."""
        if self._file is not None:
            self._file.discard()
            self._file = None
            if self._names is not None:
                self._names.rewind(self._kept)

    def _place(self) -> int:
        """Give the results that wait their names. What happens in which order matters: see `nertag.manifest`."""
        whole, self._waiting = self._waiting, []
        names = None if self._names is None else self._names.size
        self._placing = names is not None
        for each in whole:
            each.file.place()
        self._manifest.add({each.target: Done(each.made, each.file.size, names) for each in whole})
        if self._names is not None and whole:
            self._names.close()
            self._manifest.confirm(self._names.size)
            self._names.rewind(self._names.size)
        self._placing = False
        return len(whole)

    def finish(self, any_read: bool) -> int:
        """Give the last results their names."""
        return self._place()

    def abandon(self) -> None:
        """Take away what is not whole, and let other runs write to the folder."""
        self.fail()
        for each in self._waiting:
            each.file.discard()
        self._manifest.close()

    def is_misfit(self, error: NertagError) -> bool:
        """Whether the next result can be written all the same."""
        if self._placing:
            return False
        return isinstance(error, InputError) or (isinstance(error, OutputError) and not error.of_the_disk)
