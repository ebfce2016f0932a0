"""Forms in; the vectors that the recurrent layers read out: word, characters and shape, in NumPy.

A form's vector depends on the form alone, so it is computed once per distinct form, and most tokens of a text have a
form that came before. That is why this is no part of the graph that runs for every token.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nertag.config import ModelConfig
from nertag.errors import ModelError
from nertag.features import LONGEST_FORM, PADDING, RESERVED, SHAPES, clip, fold, shape_of
from nertag.model_folder import WEIGHTS, WordTable
from nertag.vocabulary import VocabularyTable, map_tensors

Floats = npt.NDArray[np.float32]
Tensors = dict[str, npt.NDArray[Any]]


class FormEncoder:
    """The part of a network that sees one form at a time.

    Args:
        folder: The model folder.
        config: Its network's shape.
        embedding_size: Columns of its word table.
        vocabulary: Its words and characters.

    Raises:
        ModelError: If the weights are damaged or those of another network.
    """

    def __init__(self, folder: Path, config: ModelConfig, embedding_size: int, vocabulary: VocabularyTable) -> None:
        tensors = map_tensors(folder / WEIGHTS)
        self._vocabulary = vocabulary
        self._words = WordTable(folder, vocabulary.size, embedding_size)
        self._characters = _CharacterTables(folder, tensors, config, vocabulary) if config.characters else None
        shapes = (len(SHAPES), config.shape_size)
        self._shapes = _tensor(folder, tensors, "shapes.weight", shapes) if config.shapes else None
        extra = config.characters * config.character_filters + config.shapes * config.shape_size
        self._mixer: npt.NDArray[Any] | None = None
        self.size = embedding_size + extra
        if config.embedding == "one-hot":
            self.size = embedding_size
            self._mixer = _tensor(folder, tensors, "mixer.weight", (embedding_size, extra)) if extra else None

    def vectors(self, forms: Sequence[str]) -> Floats:
        """Return what the first recurrent layer reads of each form: float32, (forms, size).

        Args:
            forms: At least one form as it stands in the text.
        """
        folded = list(map(fold, forms))
        words = self._words.means(self._vocabulary.word_ids(folded))
        parts = []
        if self._characters is not None:
            parts.append(self._characters.vectors(folded))
        if self._shapes is not None:
            parts.append(self._shapes[np.fromiter(map(shape_of, folded), np.intp, len(folded))])
        if self._mixer is None:
            return np.concatenate([words, *parts], axis=1)
        result: Floats = words + np.concatenate(parts, axis=1) @ self._mixer.T
        return result


class _CharacterTables:
    """`network.CharacterConvolution`: a filter's response is a sum of one row per position below it.

    The rows are embedding times weights, computed beforehand, so that nothing but look-ups and additions are left.
    """

    def __init__(self, folder: Path, tensors: Tensors, config: ModelConfig, vocabulary: VocabularyTable) -> None:
        rows, size = len(vocabulary.characters) + RESERVED, config.character_size
        filters, width = config.character_filters, config.character_width
        embedding = _tensor(folder, tensors, "characters.embedding.weight", (rows, size))
        weight = _tensor(folder, tensors, "characters.convolution.weight", (filters, size, width))
        self._bias = _tensor(folder, tensors, "characters.convolution.bias", (filters,))
        self._tables = [np.ascontiguousarray(embedding @ weight[:, :, place].T) for place in range(width)]
        self._vocabulary = vocabulary
        self._ids_of_ascii = np.array([vocabulary.character_ids(chr(code))[0] for code in range(128)], np.intp)

    def vectors(self, forms: Sequence[str]) -> Floats:
        """Return the greatest positive response of every filter to every form: float32, (forms, filters)."""
        margin = len(self._tables) // 2
        lengths = np.fromiter(map(len, forms), np.intp, len(forms)).clip(1, LONGEST_FORM)
        starts = np.cumsum(lengths + margin) - lengths - margin
        around = np.full(int(starts[-1] + lengths[-1]) + 2 * margin, PADDING)
        ids = self._ids(forms)
        around[margin + np.repeat(starts, lengths) + _counted(lengths)] = ids
        places = len(around) - 2 * margin
        responses = self._tables[0][around[:places]]
        for place, table in enumerate(self._tables[1:], start=1):
            responses += table[around[place : place + places]]
        if margin:  # Between two forms nothing may win.
            responses[(starts[1:, None] - 1 - np.arange(margin)).ravel()] = -np.inf
        greatest = np.maximum.reduceat(responses, starts, axis=0)
        result: Floats = np.maximum(greatest + self._bias, 0.0)
        result[np.fromiter((not form for form in forms), np.bool_, len(forms))] = 0.0  # Nothing to respond to.
        return result

    def _ids(self, forms: Sequence[str]) -> npt.NDArray[np.intp]:
        """Return the ids of the characters of all forms, one after the other; an empty form has one, padding."""
        text = "".join([clip(form) or "\0" for form in forms])
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        ids: npt.NDArray[np.intp] = self._ids_of_ascii[codes.clip(max=127)]
        for place in np.flatnonzero(codes > 127).tolist():
            ids[place] = self._vocabulary.character_ids(text[place])[0]
        return ids


def _counted(lengths: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return 0, 1, 2, … up to each length in turn."""
    ends = np.cumsum(lengths)
    result: npt.NDArray[np.intp] = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    return result


def _tensor(folder: Path, tensors: Tensors, name: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return a tensor as float32.

    Raises:
        ModelError: If it is missing or has another shape.
    """
    found = tensors.get(name)
    if found is None or found.shape != shape:
        state = "it holds no" if found is None else f"it holds, with the shape {found.shape}, not {shape},"
        raise ModelError(f"{state} tensor {name!r}", path=folder / WEIGHTS)
    return np.asarray(found, np.float32)
