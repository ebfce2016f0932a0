"""A file of pretrained word vectors in; its words and their matrix out."""

from __future__ import annotations

import gzip
from collections.abc import Collection
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from nertag.errors import DataError
from nertag.model_folder import WordTable, find, read_config, read_vocabulary

Vectors = tuple[list[str], npt.NDArray[np.float32]]


def read_vectors(source: str, limit: int, wanted: Collection[str]) -> Vectors:
    """Read word vectors.

    Args:
        source: A GloVe or word2vec text file, `.gz` or not, most frequent words first; or a model (see
            `nertag.model_folder.find`), whose own word vectors are taken.
        limit: Words to keep from the top.
        wanted: Words to keep wherever they stand.

    Returns:
        Words in the file's order, each once, and their vectors, float32, (words, size).

    Raises:
        DataError: If a line is no word with as many numbers as the line before.
        ModelError: If the source is no file and there is no such model.
    """
    path = Path(source)
    return _read_file(path, limit, wanted) if path.is_file() else _take_from_model(source)


def _take_from_model(source: str) -> Vectors:
    """Return the words and vectors of a model."""
    folder = find(source)
    vocabulary = read_vocabulary(folder)
    table = WordTable(folder, vocabulary.size, read_config(folder).embedding_size)
    ids = np.arange(vocabulary.size - len(vocabulary.words), vocabulary.size)
    return list(vocabulary.words), table.vectors(ids)


def _read_file(path: Path, limit: int, wanted: Collection[str]) -> Vectors:
    """Read a text file."""
    kept: dict[str, npt.NDArray[np.float32]] = {}
    size = 0
    with _open(path) as file:
        try:
            for number, line in enumerate(file, start=1):
                word, _, numbers = line.rstrip().partition(" ")
                if number == 1 and word.isdecimal() and numbers.isdecimal():
                    continue  # the two counts at the top of a word2vec file
                if (len(kept) >= limit and word not in wanted) or word in kept:
                    continue
                word, row = _parse(line, size)
                size = size or len(row)
                if len(row) != size:
                    raise ValueError(f"word {word!r} has {len(row)} numbers, the words before have {size}")
                kept[word] = row
        except UnicodeDecodeError as error:
            raise DataError(
                f"it is no UTF-8 text: {error}", path=path, hint="Binary word2vec files are not read."
            ) from None
        except ValueError as error:
            raise DataError(str(error), path=path, line=number) from None
    if not kept:
        raise DataError("it holds no word vectors", path=path)
    return list(kept), np.stack(list(kept.values()))


def _parse(line: str, size: int) -> tuple[str, npt.NDArray[np.float32]]:
    """Split a line into its word and its numbers; a word may hold spaces, as some of GloVe 840B do, once `size` is known.

    Raises:
        ValueError: If there are no numbers.
    """
    parts = line.rstrip().rsplit(" ", size) if size else line.rstrip().split(" ")
    try:
        row = np.array(parts[1:], np.float32)
    except ValueError:
        raise ValueError(f"word {parts[0]!r} is not followed by numbers: {' '.join(parts[1:])[:40]!r}") from None
    if not parts[1:]:
        raise ValueError(f"word {parts[0]!r} is not followed by numbers")
    return parts[0], row


def _open(path: Path) -> IO[str]:
    """Open a text file, gzipped or not; lines end at line feeds only."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="\n")
    return path.open(encoding="utf-8", newline="\n")
