"""Lines of labels for thousands of tokens at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_SPACE, _LINE_FEED, _ZERO = b" \n0"


def labels_text(inside: npt.NDArray[np.bool_], ends: npt.NDArray[np.int64]) -> str:
    """Return a line of 1 and 0 for every line, as `lines.labels_line` writes them.

    Args:
        inside: Whether each token is inside a mention, (tokens,).
        ends: One past the last token of each line, (lines,).
    """
    text = np.full(2 * len(inside), _SPACE, np.uint8)
    text[::2] = inside
    text[::2] += _ZERO
    empty = np.diff(ends, prepend=0) == 0
    text[2 * ends[~empty] - 1] = _LINE_FEED
    return np.insert(text, 2 * ends[empty], _LINE_FEED).tobytes().decode("ascii")


def count_runs(inside: npt.NDArray[np.bool_], ends: npt.NDArray[np.int64]) -> int:
    """Return how many runs of tokens inside mentions the lines have, each within one line.

    Args:
        inside: As above.
        ends: As above.
    """
    continued = np.zeros(len(inside), np.bool_)
    continued[1:] = inside[:-1]
    continued[ends[ends < len(inside)]] = False
    return int(np.count_nonzero(inside & ~continued))
