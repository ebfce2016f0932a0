"""Text that another model has tagged in; its tokens with the probability of every tag out.

A file has one JSON object a line, gzipped if its name ends in `.gz`:

    {"doc": "novel-3", "tokens": ["Mira", "left", "."], "probabilities": [[0.02, 0.97, 0.01], [1, 0, 0], [1, 0, 0]]}

with the probabilities of `O` and of `B-` and `I-` of every label, in the order of the model's tags. Learning from them
is distillation (Hinton et al. 2015, arXiv:1503.02531).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nertag.errors import DataError

_TOLERANCE = 0.02  # Rounded probabilities may miss 1 by so much.


@dataclass(frozen=True, slots=True)
class SoftSentence:
    """A sentence with the probability of every tag at every token.

    Attributes:
        words: Its tokens, at least one.
        probabilities: float32, (tokens, tags), each row adding up to 1.
        starts_document: Whether a document starts with it.
    """

    words: tuple[str, ...]
    probabilities: npt.NDArray[np.float32]
    starts_document: bool


def read_soft_labels(path: Path, tags: int) -> list[SoftSentence]:
    """Read a file of soft labels.

    Args:
        path: The file.
        tags: How many probabilities a token must have.

    Returns:
        Its sentences in order.

    Raises:
        DataError: If the file cannot be read or a line has another form.
    """
    sentences: list[SoftSentence] = []
    document: object = None
    try:
        for number, line in enumerate(_lines(path), start=1):
            try:
                row = json.loads(line)
                words, probabilities = _sentence(row, tags)
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                message = f"it has no {error}" if isinstance(error, KeyError) else str(error)
                hint = 'Every line must be {"doc": …, "tokens": […], "probabilities": [[…], …]}.'
                raise DataError(message, path=path, line=number, hint=hint) from None
            starts = not sentences or row["doc"] != document
            document = row["doc"]
            sentences.append(SoftSentence(words, probabilities, starts))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"it cannot be read: {error}", path=path) from None
    if not sentences:
        raise DataError("no sentences in it", path=path)
    return sentences


def _lines(path: Path) -> Iterator[str]:
    """Read the lines of a file, decompressed."""
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="\n") as file:
        yield from file


def _sentence(row: Any, tags: int) -> tuple[tuple[str, ...], npt.NDArray[np.float32]]:  # noqa: ANN401 - parsed JSON
    """Check one line.

    Returns:
        Its tokens and their probabilities.

    Raises:
        KeyError: If something is missing.
        TypeError: If it is no object.
        ValueError: If it holds something else.
    """
    if not isinstance(row, dict):
        raise TypeError("it is no JSON object")
    words, probabilities = row["tokens"], row["probabilities"]
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise ValueError("tokens must be a list of strings, not empty")
    try:
        values = np.array(probabilities, np.float32)
    except (ValueError, TypeError):
        raise ValueError("probabilities must be lists of numbers of equal length") from None
    if values.shape != (len(words), tags):
        raise ValueError(f"probabilities have the shape {values.shape}, not {(len(words), tags)}")
    if not (values >= 0).all() or not (abs(values.sum(axis=1) - 1) <= _TOLERANCE).all():
        raise ValueError("the probabilities of a token must not be negative and must add up to 1")
    row["doc"]
    return tuple(words), values / values.sum(axis=1, keepdims=True)
