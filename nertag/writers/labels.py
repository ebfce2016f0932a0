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
    counts = np.diff(ends, prepend=0)
    empty = counts == 0
    text = np.full(2 * len(inside) + int(empty.sum()), _LINE_FEED, np.uint8)
    before = np.cumsum(empty)  # Every empty line moves all tokens after it by its line feed.
    places = 2 * np.arange(len(inside)) + np.repeat(before, counts)
    text[places] = inside + np.uint8(_ZERO)
    text[places + 1] = _SPACE
    text[(2 * ends + before - 1)[~empty]] = _LINE_FEED
    return text.tobytes().decode("ascii")
