"""The second look: its features against a slow reference, and what it must leave alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from nertag.agreement import FEATURES, LEAST, Agreement, features_of
from nertag.features import SHAPES

LOWER, TITLE, UPPER = SHAPES.index("lower"), SHAPES.index("title"), SHAPES.index("upper")

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


def drawn(seed: int, tokens: int, words: int, documents: int) -> tuple[Floats, Rows, Rows, Rows]:
    """Draw documents of which most tokens are clearly no names."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(scale=2, size=(tokens, 3)).astype(np.float32)
    logits[:, 0] += chance.choice([0, 8], size=tokens, p=[0.4, 0.6])
    shapes = chance.choice([LOWER, TITLE, UPPER], size=tokens)
    return logits, chance.integers(words, size=tokens), shapes, np.sort(chance.integers(documents, size=tokens))


def softmax(logits: Floats) -> Floats:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def described(logits: Floats, words: Rows, shapes: Rows, documents: Rows) -> dict[int, list[float]]:
    """Describe tokens one by one, as the docstring of `features_of` says."""
    p = softmax(logits)
    inside = 1 - p[:, 0]
    several = [max(p[i, 2], p[i, 1] * (p[i + 1, 2] if i + 1 < len(p) else 0)) for i in range(len(p))]
    odds = np.log(inside + 1e-4) - np.log(p[:, 0] + 1e-4)

    def others(i: int) -> list[int]:
        return [j for j in range(len(p)) if j != i and words[j] == words[i] and documents[j] == documents[i]]

    def live(i: int) -> bool:
        return bool(others(i)) and any(inside[j] >= LEAST for j in [i, *others(i)])

    def of_others(i: int) -> list[float]:
        rest = others(i)
        if not live(i):
            return [0.0] * 10
        return [
            np.log(len(rest) + 1),
            max(inside[j] for j in rest),
            sum(inside[j] for j in rest) / len(rest),
            min(inside[j] for j in rest),
            max(several[j] for j in rest),
            sum(several[j] for j in rest) / len(rest),
            max(p[j, 1] for j in rest),
            max(p[j, 2] for j in rest),
            sum(shapes[j] == LOWER for j in rest) / len(rest),
            max(odds[j] for j in rest) / 5,
        ]

    def beside(i: int, j: int) -> list[float]:
        if not 0 <= j < len(p) or documents[i] != documents[j]:
            return [0.0] * 5
        return [*p[j], of_others(j)[1], of_others(j)[4]]

    return {
        i: [
            *of_others(i),
            *p[i],
            *(np.log(p[i] + 1e-5) / 3),
            *(float(shapes[i] == shape) for shape in range(len(SHAPES))),
            *beside(i, i - 1),
            *beside(i, i + 1),
        ]
        for i in range(len(p))
        if live(i)
    }


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("tokens", "words", "documents"), [(1, 1, 1), (60, 4, 1), (80, 12, 3), (50, 200, 9)])
def test_features_are_what_their_description_says(seed: int, tokens: int, words: int, documents: int) -> None:
    text = drawn(seed, tokens, words, documents)
    expected = described(*text)
    chosen, features = features_of(*text)
    assert chosen.tolist() == sorted(expected)
    assert features.shape == (len(expected), FEATURES) and features.dtype == np.float32
    for index, row in zip(chosen.tolist(), features, strict=True):
        np.testing.assert_allclose(row, expected[index], atol=2e-5)


def test_equal_highest_probabilities_count_as_others() -> None:
    """Two places that say exactly the same: for each the other one is still there."""
    logits = np.array([[0, 3, 0], [5, 0, 0], [0, 3, 0]], np.float32)
    _, features = features_of(logits, np.array([7, 1, 7]), np.full(3, TITLE), np.zeros(3, np.int64))
    assert features[0, 1] == features[-1, 1] == pytest.approx(1 - softmax(logits)[0, 0])


def look(seed: int = 0, units: int = 5) -> Agreement:
    """Draw a second look."""
    chance = np.random.default_rng(seed)
    entry = chance.normal(size=(FEATURES + 1, units)).astype(np.float32)
    return Agreement(entry, chance.normal(size=(units + 1, 3)).astype(np.float32))


def test_the_correction_is_the_equation() -> None:
    text = drawn(3, 60, 6, 2)
    agreement = look()
    chosen, features = features_of(*text)
    corrected = agreement.correct(*text)
    for index, row in zip(chosen, features, strict=True):
        hidden = np.tanh(agreement.entry[:-1].T @ row + agreement.entry[-1])
        expected = text[0][index] + agreement.exit[:-1].T @ hidden + agreement.exit[-1]
        np.testing.assert_allclose(corrected[index], expected, atol=1e-4)
    left = np.setdiff1d(np.arange(60), chosen)
    assert len(left) and (corrected[left] == text[0][left]).all()


def test_the_logits_given_are_not_altered() -> None:
    text = drawn(4, 60, 6, 2)
    before = text[0].copy()
    look().correct(*text)
    assert (text[0] == before).all()


def test_a_document_depends_on_itself_alone() -> None:
    logits, words, shapes, documents = drawn(5, 90, 5, 3)
    together = look().correct(logits, words, shapes, documents)
    for number in range(3):
        part = documents == number
        alone = look().correct(logits[part], words[part], shapes[part], documents[part])
        np.testing.assert_allclose(together[part], alone, atol=1e-5)


def test_how_words_are_numbered_does_not_matter() -> None:
    logits, words, shapes, documents = drawn(6, 70, 6, 2)
    renumbered = np.array([40, 3, 99, 0, 7, 21])[words]
    np.testing.assert_array_equal(
        look().correct(logits, words, shapes, documents), look().correct(logits, renumbered, shapes, documents)
    )


def test_a_word_that_stands_once_is_left_alone() -> None:
    logits, _, shapes, documents = drawn(7, 40, 1, 2)
    corrected = look().correct(logits, np.arange(40), shapes, documents)
    assert (corrected == logits).all()


def test_text_without_anything_like_a_name_stays_as_it_is() -> None:
    logits = np.tile(np.array([9, 0, 0], np.float32), (4, 1))
    words = np.arange(4) // 2
    corrected = look().correct(logits, words, np.full(4, LOWER), np.zeros(4, np.int64))
    assert (corrected == logits).all()


def test_no_tokens_are_no_fault() -> None:
    nothing = np.zeros(0, np.int64)
    assert look().correct(np.zeros((0, 3), np.float32), nothing, nothing, nothing).shape == (0, 3)
