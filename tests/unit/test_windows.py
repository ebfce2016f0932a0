from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nertag.windows import BATCH_TOKENS, arrange


def bounds_of(lengths: list[int]) -> np.ndarray:
    """Return the bounds of windows of these lengths, one after the other."""
    ends = np.cumsum(lengths, dtype=np.int64)
    return np.stack([ends - lengths, ends], axis=1)


@given(st.lists(st.one_of(st.integers(1, 100), st.integers(1, 2 * BATCH_TOKENS)), min_size=1, max_size=80))
def test_batches_hold_every_window_once_the_shortest_first(lengths: list[int]) -> None:
    bounds = bounds_of(lengths)
    tokens = np.arange(100, 100 + sum(lengths), dtype=np.int32)
    batches = arrange(bounds)
    spread = batches.spread(tokens)
    assert spread.dtype == np.int32 and (spread[batches.places] == tokens).all()
    found: list[list[int]] = []
    first = 0
    for sizes, size in zip(batches.lengths, batches.sizes.tolist(), strict=True):
        assert size == len(sizes) * sizes[-1] and (size <= BATCH_TOKENS or len(sizes) == 1)
        times = spread[first : first + size].reshape(-1, len(sizes))
        columns = [times[:length, column].tolist() for column, length in enumerate(sizes.tolist())]
        assert set(times.ravel().tolist()) == {token for column in columns for token in column}  # padding included
        found += columns
        first += size
    assert first == len(spread)
    windows = [tokens[start:end].tolist() for start, end in bounds.tolist()]
    assert found == sorted(windows, key=len)


def test_no_windows_make_no_batches() -> None:
    batches = arrange(np.zeros((0, 2), np.int64))
    assert (batches.lengths, len(batches.spread(np.zeros(0, np.int32)))) == ([], 0)
