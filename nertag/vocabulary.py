"""A vocabulary on disk: written once, then looked up where it lies, whatever its size.

A dictionary of all words would take longer to build than most texts take to tag. `vocabulary.safetensors` holds

- `text`, the words one after the other in the order of their ids, as UTF-8; `ends`, where each of them ends;
- `hashes`, the CRC-32 of every word in ascending order, and `order`, the word that each of them belongs to;
- `characters`, likewise as UTF-8.

A form is looked up by bisection among the hashes and compared with the words found there: equal hashes of different
words do no harm.
"""

from __future__ import annotations

import json
import operator
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from nertag.errors import ModelError
from nertag.features import PADDING, PARTS, RESERVED, UNKNOWN, Vocabulary, part_ids, strip_marks

Tensors = dict[str, npt.NDArray[Any]]
Ids = npt.NDArray[np.int64]

_LARGEST_HEADER = 1 << 20
_NUMPY_TYPES = {"F32": "<f4", "F16": "<f2", "I8": "i1", "U8": "u1", "U32": "<u4"}
_NAMES = {np.dtype(kind): name for name, kind in _NUMPY_TYPES.items()}


class VocabularyTable:
    """The words and characters that a network knows, mapped into memory.

    Args:
        path: The file.
        parts: Whether a form that is unknown is looked up by its parts.

    Raises:
        ModelError: If it is damaged.
    """

    def __init__(self, path: Path, parts: bool = False) -> None:
        self._parts = parts
        tensors = map_tensors(path)
        kinds = {"text": "u1", "ends": "<u4", "hashes": "<u4", "order": "<u4", "characters": "u1"}
        if {name: array.dtype.str.lstrip("|") for name, array in tensors.items()} != kinds:
            raise ModelError("it holds no vocabulary", path=path)
        self._text, self._ends = tensors["text"], tensors["ends"]
        self._hashes, self._order = tensors["hashes"], tensors["order"]
        self._sorted = np.require(self._hashes, requirements="A").data  # Single ones are read faster from there.
        if not self._is_sound([tensors[name].shape for name in kinds]):
            raise ModelError("its parts do not fit together", path=path)
        try:
            self._known = Vocabulary((), tensors["characters"].tobytes().decode("utf-8", "surrogatepass"))
        except ValueError as error:
            raise ModelError(f"its characters are damaged: {error}", path=path) from None
        self.characters = self._known.characters
        self.character_ids = self._known.character_ids

    def _is_sound(self, shapes: list[tuple[int, ...]]) -> bool:
        """Whether every look-up stays within the file and finds what is there."""
        count = len(self._ends) if self._ends.ndim else -1
        if [len(shape) for shape in shapes] != [1] * 5 or shapes[2:4] != [(count,)] * 2:
            return False
        if not count:
            return not len(self._text)
        ascending = (self._ends[1:] >= self._ends[:-1]).all() and (self._hashes[1:] >= self._hashes[:-1]).all()
        return bool(ascending and self._ends[-1] == len(self._text) and self._order.max() < count)

    @property
    def size(self) -> int:
        """Rows of an embedding for these words, padding and the unknown word included."""
        return len(self._ends) + RESERVED

    def words(self) -> list[str]:
        """Read all words.

        Returns:
            The words in the order of their ids.

        Raises:
            ValueError: If they are no UTF-8.
        """
        text, ends = self._text.tobytes(), self._ends.tolist()
        bounds = zip([0, *ends], ends)  # noqa: B905 - the first is longer by the end of the last
        return [text[start:end].decode("utf-8", "surrogatepass") for start, end in bounds]

    def word_ids(self, forms: Sequence[str]) -> Ids:
        """Look folded forms up: as they stand, else lower-cased, else without diacritics, else by parts or unknown.

        Returns:
            Ids as `Vocabulary.word_ids` gives them, int64, (forms, 1), or (forms, `PARTS`), 0 on the right, if forms
            are looked up by parts.
        """
        ids = self._find(forms)
        self._mend(ids, forms, str.lower)
        self._mend(ids, forms, lambda form: form if form.isascii() else strip_marks(form.lower()))
        if not self._parts:
            return ids[:, None]
        result = np.full((len(forms), PARTS), PADDING, np.int64)
        result[:, 0] = ids
        for index in np.flatnonzero(ids == UNKNOWN).tolist():
            if forms[index]:
                found = part_ids(forms[index], self._find_few)
                result[index, : len(found)] = found
        return result

    def _mend(self, ids: Ids, forms: Sequence[str], change: Callable[[str], str]) -> None:
        """Look the forms that are unknown so far up in another way, as far as that makes a difference."""
        places = [int(index) for index in np.flatnonzero(ids == UNKNOWN)]
        changed = [(index, new) for index in places if (new := change(forms[index])) != forms[index]]
        if changed:
            ids[[index for index, _ in changed]] = self._find([new for _, new in changed])

    def _find(self, forms: Sequence[str]) -> Ids:
        """Look forms up as they stand."""
        ids = np.full(len(forms), UNKNOWN, np.int64)
        keys = [form.encode("utf-8", "surrogatepass") for form in forms]
        hashes = np.fromiter(map(crc32, keys), np.uint32, len(keys))
        places = np.searchsorted(self._hashes, hashes)
        there = places < len(self._hashes)
        there[there] = self._hashes[places[there]] == hashes[there]
        indices = np.flatnonzero(there)
        words = self._order[places[indices]].astype(np.int64)
        same = self._are(words, [keys[index] for index in indices.tolist()])
        ids[indices] = np.where(same, words + RESERVED, UNKNOWN)
        for index in indices[~same].tolist():
            ids[index] = self._find_key(keys[index], int(places[index]))
        return ids

    def _find_few(self, forms: Sequence[str]) -> list[int]:
        """Do what `_find` does, sooner for a few."""
        keys = [form.encode("utf-8", "surrogatepass") for form in forms]
        return [self._find_key(key, bisect_left(self._sorted, crc32(key))) for key in keys]

    def _find_key(self, key: bytes, place: int) -> int:
        """Return the id of the word that is `key`, if one of those from a place on with the same hash is."""
        hashed = crc32(key)
        while place < len(self._sorted) and self._sorted[place] == hashed:
            word = int(self._order[place])
            start = int(self._ends[word - 1]) if word else 0
            if self._text[start : int(self._ends[word])].tobytes() == key:
                return word + RESERVED
            place += 1
        return UNKNOWN

    def _are(self, words: Ids, keys: Sequence[bytes]) -> npt.NDArray[np.bool_]:
        """Say which words, given by their place in the text, are the keys, bool, (words,)."""
        ends = self._ends[words].astype(np.int64)
        starts = np.where(words > 0, self._ends[words - 1], 0)
        same: npt.NDArray[np.bool_] = ends - starts == np.fromiter(map(len, keys), np.int64, len(keys))
        equal = np.flatnonzero(same)
        lengths = (ends - starts)[equal]
        shift = starts[equal] - (np.cumsum(lengths) - lengths)
        letters = self._text[np.repeat(shift, lengths) + np.arange(lengths.sum())]
        wanted = np.frombuffer(b"".join([keys[index] for index in equal.tolist()]), np.uint8)
        same[np.repeat(equal, lengths)[letters != wanted]] = False
        return same


def vocabulary_bytes(vocabulary: Vocabulary) -> bytes:
    """Return the content of `vocabulary.safetensors`."""
    keys = [word.encode("utf-8", "surrogatepass") for word in vocabulary.words]
    hashes = np.array([crc32(key) for key in keys], np.uint32)
    order = np.argsort(hashes, kind="stable").astype(np.uint32)
    characters = vocabulary.characters.encode("utf-8", "surrogatepass")
    return tensor_bytes(
        {
            "ends": np.cumsum([len(key) for key in keys], dtype=np.int64).astype(np.uint32),
            "hashes": hashes[order],
            "order": order,
            "text": np.frombuffer(b"".join(keys), np.uint8),
            "characters": np.frombuffer(characters, np.uint8),
        }
    )


# --- Safetensors ------------------------------------------------------------------------------------------------------


def map_tensors(path: Path) -> Tensors:
    """Map the tensors of a safetensors file into memory without reading them.

    The format: eight bytes of little-endian header length, a JSON header with type, shape and byte range of each
    tensor, the tensors. Reading it here keeps the base install to NumPy.

    Returns:
        Read-only arrays by name.

    Raises:
        ModelError: If the header does not agree with itself or with the file's size.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if length <= _LARGEST_HEADER else None
        if not isinstance(header, dict):
            raise ModelError("it is no safetensors file", path=path)
        data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"it is no safetensors file: {error}", path=path) from None
    header.pop("__metadata__", None)
    plain = data.view(np.ndarray)  # A slice of a memmap costs ten times as much.
    return {name: _map_tensor(plain, name, entry, path) for name, entry in header.items()}


def _map_tensor(data: npt.NDArray[np.uint8], name: str, entry: Any, path: Path) -> npt.NDArray[Any]:  # noqa: ANN401
    """Return a view of one tensor, whose header entry may be anything.

    Raises:
        ModelError: If its entry makes no sense.
    """
    try:
        kind = np.dtype(_NUMPY_TYPES[entry["dtype"]])
        begin, end = map(operator.index, entry["data_offsets"])
        shape = tuple(map(operator.index, entry["shape"]))
        if 0 <= begin <= end <= len(data) and min(shape, default=0) >= 0:
            return data[begin:end].view(kind).reshape(shape)
    except (KeyError, TypeError, ValueError, OverflowError):
        pass
    raise ModelError(f"its tensor {name!r} is damaged", path=path)


def tensor_bytes(tensors: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return the content of a safetensors file.

    Args:
        tensors: By name, the ones with the largest elements first, so that each starts at a multiple of its element.
    """
    header: dict[str, Any] = {}
    position = 0
    for name, array in tensors.items():
        span = [position, position + array.nbytes]
        header[name] = {"dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": span}
        position += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *(array.tobytes() for array in tensors.values())])
