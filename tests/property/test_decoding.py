from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nertag.decoding import decode
from nertag.labels import TagError, spans_of, tags_of

LABELS = ("PER", "ORG", "LOC")


@st.composite
def windows(draw: st.DrawFn, longest: int = 6) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Draw logits, lengths and the tags behind the logits."""
    tags = tags_of(LABELS[: draw(st.integers(1, 2))])
    lengths = np.array(draw(st.lists(st.integers(1, longest), min_size=1, max_size=3)))
    shape = (len(lengths), int(lengths.max()), len(tags))
    # Halves: ties are common, sums are exact.
    halves = hnp.arrays(np.int64, shape, elements=st.integers(-8, 8))
    return draw(halves).astype(np.float32) / 2, lengths, tags


def valid_paths(tags: tuple[str, ...], length: int) -> Iterator[tuple[int, ...]]:
    """Yield every strict IOB2 sequence of a length."""
    for path in itertools.product(range(len(tags)), repeat=length):
        try:
            spans_of([tags[i] for i in path])
        except TagError:
            continue
        yield path


@given(windows(longest=12))
def test_tags_are_always_strict_iob2_and_scores_are_probabilities(
    case: tuple[np.ndarray, np.ndarray, tuple[str, ...]],
) -> None:
    logits, lengths, tags = case
    for values in (logits, logits[:, :, :1]):
        ids, scores = decode(values, lengths, tags, 0.7)
        for row, length in enumerate(lengths):
            spans_of([tags[i] for i in ids[row, :length]])
            assert ((scores[row, :length] >= 0) & (scores[row, :length] <= 1.000001)).all()


@given(windows(longest=4))
def test_no_valid_sequence_is_likelier(case: tuple[np.ndarray, np.ndarray, tuple[str, ...]]) -> None:
    logits, lengths, tags = case
    ids, _ = decode(logits, lengths, tags, 1.0)
    for row, length in enumerate(lengths.tolist()):
        places = np.arange(length)
        best = max(logits[row, places, list(path)].sum() for path in valid_paths(tags, length))
        assert abs(logits[row, places, ids[row, :length]].sum() - best) < 1e-4


@given(windows())
def test_a_valid_argmax_is_the_answer(case: tuple[np.ndarray, np.ndarray, tuple[str, ...]]) -> None:
    logits, lengths, tags = case
    ids, _ = decode(logits, lengths, tags, 1.0)
    for row, length in enumerate(lengths):
        chosen = logits[row, :length].argmax(axis=1)
        try:
            spans_of([tags[i] for i in chosen])
        except TagError:
            continue
        assert ids[row, :length].tolist() == chosen.tolist()


@given(windows(longest=12))
def test_a_window_is_decoded_alone_as_among_others(case: tuple[np.ndarray, np.ndarray, tuple[str, ...]]) -> None:
    logits, lengths, tags = case
    ids, scores = decode(logits, lengths, tags, 1.0)
    for row, length in enumerate(lengths):
        alone_ids, alone_scores = decode(logits[row : row + 1, :length], lengths[row : row + 1], tags, 1.0)
        assert alone_ids[0].tolist() == ids[row, :length].tolist()
        np.testing.assert_allclose(alone_scores[0], scores[row, :length], atol=1e-6)


@given(windows(longest=12), st.lists(st.floats(0.01, 0.99), min_size=2, max_size=4))
def test_a_lower_threshold_never_loses_a_token(
    case: tuple[np.ndarray, np.ndarray, tuple[str, ...]], thresholds: list[float]
) -> None:
    logits, lengths, tags = case
    for values in (logits, logits[:, :, :1]):
        found: set[tuple[int, int]] = set()
        for threshold in sorted(thresholds, reverse=True):
            ids, _ = decode(values, lengths, tags, 0.7, threshold)
            inside = {(row, token) for row, length in enumerate(lengths) for token in np.flatnonzero(ids[row, :length])}
            assert found <= inside
            found = inside
            for row, length in enumerate(lengths):
                spans_of([tags[i] for i in ids[row, :length]])
