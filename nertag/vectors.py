"""A file of pretrained word vectors in; its words and their matrix out."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from nertag.errors import DataError
from nertag.model_folder import WordTable, find, read_config, read_vocabulary

Vectors = tuple[list[str], npt.NDArray[np.float32]]

_FILE_SUFFIXES = frozenset({".txt", ".vec", ".gz"})


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
        DataError: If there is no such file, or a line is no word with as many numbers as the line before.
        ModelError: If the source is no file and there is no such model.
    """
    place = find_vectors(source)
    return _read_file(place, limit, wanted) if place.is_file() else _take_from_model(place)


def find_vectors(source: str) -> Path:
    """Find what `read_vectors` reads.

    Args:
        source: As `read_vectors` takes it.

    Returns:
        A file, or a model folder.

    Raises:
        DataError: If there is no such file.
        ModelError: If there is no such model.
    """
    path = Path(source)
    if path.is_file():
        return path
    if path.suffix in _FILE_SUFFIXES and not path.is_dir():
        raise DataError("there is no such file of word vectors", path=source)
    return find(source)


def _take_from_model(folder: Path) -> Vectors:
    """Return the words and vectors of a model."""
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
                kept.setdefault(word, row)
        except UnicodeDecodeError as error:
            raise DataError(
                f"it is no UTF-8 text: {error}", path=path, hint="Binary word2vec files are not read."
            ) from None
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"it cannot be read: {error}", path=path) from None
        except ValueError as error:
            raise DataError(str(error), path=path, line=number) from None
    if not kept:
        raise DataError("it holds no word vectors", path=path)
    return list(kept), np.stack(list(kept.values()))


def _parse(line: str, size: int) -> tuple[str, npt.NDArray[np.float32]]:
    """Split a line into its word and its numbers.

    Args:
        line: A word, which may hold spaces once `size` is known, as some of GloVe 840B do, and numbers.
        size: How many numbers; 0 to take as many as there are.

    Returns:
        The word and its vector.

    Raises:
        ValueError: If there are no numbers, or not as many as there must be.
    """
    word, *numbers = line.rstrip().rsplit(" ", size) if size else line.rstrip().split(" ")
    try:
        row = np.array(numbers, np.float32)
    except ValueError:
        raise ValueError(f"word {word!r} is not followed by numbers: {' '.join(numbers)[:40]!r}") from None
    if not np.isfinite(row).all() or not numbers:
        raise ValueError(f"word {word!r} is not followed by numbers")
    if size and (len(row) != size or _is_number(word.rpartition(" ")[2]) and " " in word):
        raise ValueError(f"word {word.partition(' ')[0]!r} is not followed by {size} numbers, as the words before are")
    return word, row


def _is_number(text: str) -> bool:
    """Whether a piece of text reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _open(path: Path) -> IO[str]:
    """Open a text file, gzipped or not; lines end at line feeds only."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="\n")
    return path.open(encoding="utf-8", newline="\n")
