"""Text in; its chunks out, thousands at once and without an object for each, and an index that knows them again.

A **chunk** is a run without white space, such as `Potter,"`. Python would make a string of each and look it up in a
dictionary; comparing the bytes of all of them in NumPy takes a third of the time (docs/performance.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

LONGEST_KEY = 15
"""Bytes of a chunk that an index can know."""

OTHER_SPACES = "\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""White space that is no ASCII."""

_MARGIN = b" " * 16  # What a key may read behind the last chunk.
_PLACES = 19  # Binary logarithm of the places in an index.
_FIRST_FACTOR, _SECOND_FACTOR = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)

# By a chunk's length: which bits of the sixteen bytes from its start on belong to it; and the length, in the last byte.
_LENGTHS = np.arange(LONGEST_KEY + 2)
_FIRST_BITS = np.array([(1 << 8 * min(length, 8)) - 1 for length in _LENGTHS.tolist()], np.uint64)
_SECOND_BITS = np.array([(1 << 8 * max(length - 8, 0)) - 1 for length in _LENGTHS.tolist()], np.uint64)
_SECOND_BITS[-1] = 0
_LENGTH_BITS = _LENGTHS.astype(np.uint64) << np.uint64(56)


@dataclass(frozen=True, slots=True)
class Chunks:
    """Where the chunks of a text stand.

    Attributes:
        data: The text, in UTF-8, and white space behind it.
        starts: First byte of every chunk, int64, (chunks,).
        lengths: Its bytes, int64, (chunks,).
        ends: One past the last chunk of every line, int64, (lines,).
    """

    data: bytes
    starts: Numbers
    lengths: Numbers
    ends: Numbers

    def texts(self, indices: Numbers) -> list[str]:
        """Return the texts of some of them."""
        bounds = zip(self.starts[indices].tolist(), self.lengths[indices].tolist(), strict=True)
        return [self.data[start : start + length].decode("utf-8", "surrogatepass") for start, length in bounds]


def find_chunks(text: str) -> Chunks:
    """Part text at white space, as `str.split` does, and its lines at line feeds.

    Args:
        text: Lines; the last one may lack its line feed.

    Returns:
        Its chunks in order.
    """
    if not text.isascii():
        for space in OTHER_SPACES:
            if space in text:
                text = text.replace(space, " ")
    data = b"".join([b" ", text.encode("utf-8", "surrogatepass"), _MARGIN])
    codes = np.frombuffer(data, np.uint8)
    # Below, what is less than the first code of a range is a large number.
    is_space = (codes == 0x20) | (codes - np.uint8(0x09) < 5) | (codes - np.uint8(0x1C) < 4)
    borders = np.flatnonzero(is_space[1:] != is_space[:-1]) + 1
    starts = borders[::2]
    line_ends = np.flatnonzero(codes == 0x0A)
    if not text.endswith("\n"):
        line_ends = np.append(line_ends, len(data))
    return Chunks(data, starts, borders[1::2] - starts, np.searchsorted(starts, line_ends))


@dataclass(frozen=True, slots=True)
class Keys:
    """What an index compares: the bytes and the length of a chunk as two integers, the same for no two chunks.

    Attributes:
        first: The first eight bytes, uint64, (chunks,).
        second: The rest and the length, uint64, (chunks,).
        places: Where an index looks for it, int64, (chunks,).
        short: Whether it is a key at all: others are the same for all chunks with the same beginning, bool, (chunks,).
    """

    first: Words
    second: Words
    places: Numbers
    short: npt.NDArray[np.bool_]


def keys_of(chunks: Chunks) -> Keys:
    """Return the keys of all chunks of a text."""
    eights = np.ndarray((len(chunks.data) - 7,), "<u8", chunks.data, 0, (1,)).astype(np.uint64)  # From every byte on.
    lengths = np.minimum(chunks.lengths, LONGEST_KEY + 1)
    first = eights.take(chunks.starts)
    first &= _FIRST_BITS.take(lengths)
    second = eights.take(chunks.starts + 8)
    second &= _SECOND_BITS.take(lengths)
    second |= _LENGTH_BITS.take(lengths)
    places = first * _FIRST_FACTOR + second * _SECOND_FACTOR
    places >>= np.uint64(64 - _PLACES)
    return Keys(first, second, places.view(np.int64), lengths <= LONGEST_KEY)


class ChunkIndex:
    """Numbers of chunks. Every key has but one place, and the later of two that meet there stays.

    So what an index does not know may be known all the same: it is for the many chunks that come again and again.

    Args:
        room: The largest number it shall have room for.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._numbers = np.zeros(1 << _PLACES, np.int32)  # Pages that are never written to take no memory.
        self._first = np.zeros(self._room + 1, np.uint64)
        self._second = np.zeros(self._room + 1, np.uint64)

    def find(self, keys: Keys) -> npt.NDArray[np.int32]:
        """Return the numbers of chunks, int32, (chunks,); 0 for those that are not in their place."""
        numbers = self._numbers.take(keys.places)
        known = self._first.take(numbers) == keys.first
        known &= self._second.take(numbers) == keys.second
        numbers *= known
        return numbers

    def keep(self, keys: Keys, indices: Numbers, numbers: npt.NDArray[np.int32]) -> None:
        """Put chunks into their places, except for long ones, and those with a number there is no room for.

        Args:
            keys: Of a text.
            indices: Which of its chunks, (new,).
            numbers: Their numbers, each more than 0, (new,).
        """
        kept = keys.short[indices] & (numbers <= self._room)
        indices, numbers = indices[kept], numbers[kept]
        self._numbers[keys.places[indices]] = numbers
        self._first[numbers] = keys.first[indices]
        self._second[numbers] = keys.second[indices]
