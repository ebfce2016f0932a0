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
        lengths = np.fromiter(map(len, forms), np.intp, len(forms)).clip(1, LONGEST_FORM)
        order = np.argsort(-lengths, kind="stable")  # So that the forms that have a character are those before one.
        lengths = lengths[order]
        ordered = [forms[index] for index in order.tolist()]
        there = np.arange(lengths[0]) < lengths[:, None]
        margin = len(self._tables) // 2
        around = np.full((len(forms), lengths[0] + 2 * margin), PADDING)
        around[:, margin : margin + lengths[0]][there] = self._ids(ordered)
        responses = self._responses(around.T, there.T)
        greatest, done = responses[: len(forms)], len(forms)
        for longer in np.count_nonzero(there[:, 1:], axis=0).tolist():
            np.maximum(greatest[:longer], responses[done : done + longer], out=greatest[:longer])
            done += longer
        result = np.empty_like(greatest)
        result[order] = np.maximum(greatest + self._bias, 0.0)
        result[np.fromiter((not form for form in forms), np.bool_, len(forms))] = 0.0  # Nothing to respond to.
        return result

    def _responses(self, around: npt.NDArray[np.intp], there: npt.NDArray[np.bool_]) -> Floats:
        """Return the response of every filter at all first characters, at all second ones, and so on.

        Args:
            around: Ids of the characters of forms, with a margin of padding before and after, (width, forms).
            there: Which of those without the margin belong to a form, (characters, forms).

        Returns:
            Float32, (characters of all forms, filters).
        """
        first, *others = self._tables
        responses = first.take(around[: len(there)][there], axis=0)
        for place, table in enumerate(others, start=1):
            responses += table.take(around[place : place + len(there)][there], axis=0)
        return responses

    def _ids(self, forms: Sequence[str]) -> npt.NDArray[np.intp]:
        """Return the ids of the characters of all forms, one after the other; an empty form has one, padding."""
        text = "".join([clip(form) or "\0" for form in forms])
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        ids: npt.NDArray[np.intp] = self._ids_of_ascii[codes.clip(max=127)]
        for place in np.flatnonzero(codes > 127).tolist():
            ids[place] = self._vocabulary.character_ids(text[place])[0]
        return ids


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
