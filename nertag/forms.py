"""Every form met so far with its vector, and every chunk between white space with its forms: most of a text is known.

A **chunk** is a run without white space, such as `Potter,"`, a **form** the text of a token. Both are encoded on first
sight and looked up afterwards, thousands at a time: chunks by their bytes (`nertag.chunks`), and in a dictionary only
those that are not found so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from nertag.chunks import ChunkIndex, find_chunks, keys_of
from nertag.features import fold, shape_of
from nertag.text import form_kind, split_chunk

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]

CAPACITY = 3 << 14
"""Forms after which a table starts afresh, so that its memory does not grow; chunks may be four times as many."""

_ROOM = 1 << 14  # Forms for which there is room beyond that without moving the table.
_HELD = 1 << 23  # Code points of forms and chunks after which it does so, too.
_AT_ONCE = 1 << 11  # Forms encoded at once.


class Forms:
    """A table of forms.

    Args:
        encode: Gives the vectors of forms, float32, (forms, size).
        size: Their dimensions.
    """

    def __init__(self, encode: Callable[[Sequence[str]], Floats], size: int) -> None:
        self._encode = encode
        room = CAPACITY + _ROOM  # Pages that are never written to take no memory.
        self._vectors = np.empty((room, size), np.float32)
        self._kinds = np.empty(room, np.uint8)
        self._shapes = np.empty(room, np.uint8)
        self._numbers = np.empty(room, np.int32)
        self._flat = np.empty(8 * room, np.int32)  # The rows of all chunks, one after the other,
        self._firsts = np.empty(4 * room, np.int32)  # where those of each begin, by a number from 1 on,
        self._sizes = np.empty(4 * room, np.int32)  # and how many they are.
        self._index = ChunkIndex(4 * room)
        self._clear()

    def _clear(self) -> None:
        """Forget everything."""
        self._rows: dict[str, int] = {}
        self._chunks: dict[str, int] = {}
        self._words: dict[str, int] = {}
        self._index.clear()
        self._undescribed: list[str] = []  # Forms that lack their shape and word, the last ones of all.
        self._filled = 0
        self._held = 0

    def reserve(self) -> None:
        """Start afresh if the table is full. Row numbers handed out before are void afterwards."""
        if max(len(self._rows), len(self._chunks) // 4) >= CAPACITY or self._held >= _HELD:
            self._clear()

    @property
    def vectors(self) -> Floats:
        """The vectors of all forms in the table, float32, (forms, size)."""
        return self._vectors[: len(self._rows)]

    @property
    def names(self) -> list[str]:
        """All forms in the table, in the order of the rows."""
        return list(self._rows)

    def kinds(self, rows: Rows) -> npt.NDArray[np.uint8]:
        """Return what `text.form_kind` says of tokens given by row, (tokens,)."""
        return self._kinds[rows]

    def shapes(self, rows: Rows) -> npt.NDArray[np.uint8]:
        """Return the shape ids of tokens given by row, (tokens,)."""
        self._describe()
        return self._shapes[rows]

    def words(self, rows: Rows) -> Rows:
        """Return a number for the word of every token given by row, int32, (tokens,): the same in whatever case."""
        self._describe()
        return self._numbers[rows]

    def _describe(self) -> None:
        """Make up for the shapes and words of all forms that have been added since they were last asked for."""
        if not self._undescribed:
            return
        folded = list(map(fold, self._undescribed))
        past = len(self._rows)
        done = past - len(folded)
        self._shapes, self._numbers = _grown(self._shapes, past), _grown(self._numbers, past)
        self._shapes[done:past] = list(map(shape_of, folded))
        self._numbers[done:past] = [self._words.setdefault(form.lower(), len(self._words)) for form in folded]
        self._undescribed = []

    def rows(self, words: Sequence[str]) -> Rows:
        """Return the row of every token, int32, (tokens,)."""
        return _looked_up(self._rows, words, self._add)

    def split(self, text: str) -> tuple[Rows, Numbers]:
        """Split lines of text into tokens.

        Args:
            text: Lines; the last one may lack its line feed.

        Returns:
            The row of every token, int32, (tokens,), and one past the last token of every line, int64, (lines,).
        """
        chunks = find_chunks(text)
        keys = keys_of(chunks)
        numbers = self._index.find(keys)
        missing = np.flatnonzero(numbers == 0)
        if len(missing):
            found = _looked_up(self._chunks, chunks.texts(missing), self._add_chunks)
            self._index.keep(keys, missing, found)
            numbers[missing] = found
        sizes = self._sizes.take(numbers)
        ends = np.zeros(len(numbers) + 1, np.int32)
        np.cumsum(sizes, out=ends[1:])
        places = np.repeat(self._firsts.take(numbers) - ends[:-1], sizes)
        places += np.arange(len(places), dtype=np.int32)
        return self._flat.take(places), ends.take(chunks.ends).astype(np.int64)

    def _add(self, words: list[str]) -> None:
        """Encode forms that are not in the table."""
        for first in range(0, len(words), _AT_ONCE):
            new = words[first : first + _AT_ONCE]
            row = len(self._rows)
            past = row + len(new)
            self._vectors, self._kinds = _grown(self._vectors, past), _grown(self._kinds, past)
            self._vectors[row:past] = self._encode(new)
            self._kinds[row:past] = list(map(form_kind, new))
            self._rows.update(zip(new, range(row, past), strict=True))
            self._undescribed += new
            self._held += sum(map(len, new))

    def _add_chunks(self, chunks: list[str]) -> None:
        """Split chunks that are not in the table."""
        parts = list(map(split_chunk, chunks))
        number, first = len(self._chunks) + 1, self._filled
        sizes = np.fromiter(map(len, parts), np.int32, len(parts))
        past, filled = number + len(chunks), first + int(sizes.sum())
        self._firsts, self._sizes = _grown(self._firsts, past), _grown(self._sizes, past)
        self._flat = _grown(self._flat, filled)
        self._flat[first:filled] = self.rows([word for part in parts for word in part])
        self._sizes[number:past] = sizes
        self._firsts[number:past] = first + np.cumsum(sizes) - sizes
        self._filled = filled
        self._chunks.update(zip(chunks, range(number, past), strict=True))
        self._held += sum(map(len, chunks))


def _looked_up(known: dict[str, int], keys: Sequence[str], add: Callable[[list[str]], None]) -> Rows:
    """Look keys up in a dictionary after adding those that are not in it."""
    numbers = np.fromiter(map(known.get, keys, repeat(-1)), np.int32, len(keys))
    places = np.flatnonzero(numbers < 0)
    if len(places):
        unknown = [keys[place] for place in places.tolist()]
        add(list(dict.fromkeys(unknown)))
        numbers[places] = np.fromiter(map(known.__getitem__, unknown), np.int32, len(unknown))
    return numbers


def _grown(array: npt.NDArray[Any], least: int) -> npt.NDArray[Any]:
    """Return an array with the same content and room for at least so many rows."""
    if least <= len(array):
        return array
    larger = np.empty((max(least, 2 * len(array)), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger
