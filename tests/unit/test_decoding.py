from __future__ import annotations

import math

import numpy as np
import pytest

from nertag.decoding import allowed_transitions, choose, decode, starting_anew
from nertag.labels import tags_of

PER = tags_of(["PER"])
TWO = tags_of(["PER", "ORG"])


def logits_of(*probabilities: list[float]) -> np.ndarray:
    """Return the logits of one window whose tokens have these probabilities."""
    return np.log(np.array([probabilities], np.float32))


def decoded(
    logits: np.ndarray, tags: tuple[str, ...], temperature: float = 1.0, threshold: float | None = None
) -> tuple[list[str], list[float]]:
    """Decode one window without padding."""
    ids, scores = decode(logits, np.array([logits.shape[1]]), tags, temperature, threshold)
    assert ids.dtype == np.int64 and scores.dtype == np.float32
    return [tags[i] for i in ids[0]], scores[0].tolist()


def test_a_valid_argmax_is_taken_as_it_is() -> None:
    tags, scores = decoded(logits_of([0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2]), PER)
    assert tags == ["O", "B-PER", "I-PER", "O"]
    # The probability of the label: B- and I- taken together.
    assert scores == pytest.approx([0.7, 0.9, 0.8, 0.5])


def test_of_equal_logits_the_first_is_taken() -> None:
    logits = np.random.default_rng(1).integers(0, 3, (200, 5)).astype(np.float32)
    starts = np.arange(200)
    found = choose(logits, starts, TWO, 1.0)
    valid = np.isin(logits.argmax(axis=1), [0, 1, 3])
    assert found[valid].tolist() == logits.argmax(axis=1)[valid].tolist()
    assert 0 < valid.sum() < 200


def test_an_orphan_starts_a_mention_if_that_is_likelier_than_none() -> None:
    # O I is not allowed; of O O (0.5·0.1), O B (0.5·0.1) and B I (0.3·0.8) the last is the likeliest.
    assert decoded(logits_of([0.5, 0.3, 0.2], [0.1, 0.1, 0.8]), PER)[0] == ["B-PER", "I-PER"]
    # O I again, but B is so unlikely at the first token that O B (0.98·0.3) beats B I (0.01·0.6).
    assert decoded(logits_of([0.98, 0.01, 0.01], [0.1, 0.3, 0.6]), PER)[0] == ["O", "B-PER"]
    # I at the start: B (0.25) loses to O (0.35).
    assert decoded(logits_of([0.35, 0.25, 0.4]), PER)[0] == ["O"]


def test_a_mention_keeps_one_label() -> None:
    # B-PER I-ORG is not allowed: of B-PER I-PER (0.5·0.3) and B-ORG I-ORG (0.4·0.5) the second is the likelier.
    tags, scores = decoded(logits_of([0.05, 0.5, 0.02, 0.4, 0.03], [0.05, 0.05, 0.3, 0.1, 0.5]), TWO)
    assert tags == ["B-ORG", "I-ORG"]
    assert scores == pytest.approx([0.43, 0.6])


def test_which_tag_may_follow_which() -> None:
    rows = {
        before: [after for j, after in enumerate(TWO) if allowed_transitions(TWO)[i, j]] for i, before in enumerate(TWO)
    }
    assert rows == {
        "O": ["O", "B-PER", "B-ORG"],
        "B-PER": ["O", "B-PER", "I-PER", "B-ORG"],
        "I-PER": ["O", "B-PER", "I-PER", "B-ORG"],
        "B-ORG": ["O", "B-PER", "B-ORG", "I-ORG"],
        "I-ORG": ["O", "B-PER", "B-ORG", "I-ORG"],
    }


def test_binary_runs_are_mentions_and_scores_are_those_of_the_decision() -> None:
    logits = np.array([[-math.log(3), math.log(3), 0.1, -0.1, math.log(9)]], np.float32)[:, :, None]
    tags, scores = decoded(logits, PER)
    assert tags == ["O", "B-PER", "I-PER", "O", "B-PER"]
    assert scores == pytest.approx([0.75, 0.75, 0.524979, 0.524979, 0.9], abs=1e-6)


def test_exactly_one_half_is_outside() -> None:
    assert decoded(np.zeros((1, 2, 1), np.float32), PER) == (["O", "O"], [0.5, 0.5])


@pytest.mark.parametrize("outputs", [1, 3])
def test_temperature_moves_probabilities_and_not_valid_tags(outputs: int) -> None:
    logits = (
        np.array([[[0.0, 2.0, -1.0]]], np.float32)[:, :, 1:2]
        if outputs == 1
        else np.array([[[0.0, 2.0, -1.0]]], np.float32)
    )
    (_, (cold,)), (_, (hot,)) = decoded(logits, PER, 0.5), decoded(logits, PER, 4.0)
    assert decoded(logits, PER, 4.0)[0] == ["B-PER"]
    top, rest = math.exp(0.5), 0.0
    if outputs == 1:
        expected = top / (1 + top)
    else:
        rest = math.exp(-0.25)
        expected = (top + rest) / (1 + top + rest)
    assert hot == pytest.approx(expected, abs=1e-6)
    assert cold > hot


def test_huge_logits_overflow_nowhere() -> None:
    for outputs in (1, 3):
        logits = np.full((1, 3, outputs), -1e4, np.float32)
        logits[0, 1] = 1e4
        logits[0, 2, 0] = 3e4
        _, scores = decoded(logits, PER)
        assert np.isfinite(scores).all()


def test_padding_has_no_say_in_the_tags_before_it() -> None:
    alone = logits_of([0.35, 0.25, 0.4])
    padded = np.concatenate([alone, logits_of([0.001, 0.001, 0.998], [0.001, 0.001, 0.998])], axis=1)
    ids, _ = decode(padded, np.array([1]), PER, 1.0)
    assert PER[ids[0, 0]] == decoded(alone, PER)[0][0] == "O"


def test_padding_alone_is_not_mended() -> None:
    """A valid window keeps its argmax whatever its padding says."""
    logits = logits_of([0.6, 0.3, 0.1], [0.1, 0.1, 0.8])
    ids, _ = decode(logits, np.array([1]), PER, 1.0)
    assert ids[0, 0] == 0


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.05, ["B-PER", "I-PER", "O", "B-PER"]),
        (0.25, ["B-PER", "I-PER", "O", "O"]),
        (0.65, ["O", "B-PER", "O", "O"]),
        (0.95, ["O", "O", "O", "O"]),
    ],
)
def test_a_threshold_decides_which_tokens_are_inside(threshold: float, expected: list[str]) -> None:
    # Inside with 0.6, 0.9, 0.03 and 0.1. The second would rather continue a mention than start one.
    logits = logits_of([0.4, 0.4, 0.2], [0.1, 0.3, 0.6], [0.97, 0.01, 0.02], [0.9, 0.06, 0.04])
    tags, scores = decoded(logits, PER, threshold=threshold)
    assert tags == expected
    inside = [0.6, 0.9, 0.03, 0.1]
    assert scores == pytest.approx(
        [inside[index] if tag != "O" else 1 - inside[index] for index, tag in enumerate(tags)], abs=1e-6
    )


def test_a_threshold_holds_for_calibrated_probabilities() -> None:
    # The odds of 1 to 16 become 1 to 2 at a temperature of 4.
    logits = logits_of([16 / 17, 1 / 17, 1e-9])
    binary = np.array([[[-math.log(16)]]], np.float32)
    for values in (logits, binary):
        assert decoded(values, PER, 1.0, 0.2)[0] == ["O"]
        assert decoded(values, PER, 4.0, 0.2)[0] == ["B-PER"]


def test_a_threshold_decides_for_binary_output() -> None:
    logits = np.array([[-math.log(3), math.log(3), 0.1, -0.1, math.log(9)]], np.float32)[:, :, None]
    assert decoded(logits, PER, threshold=0.2)[0] == ["B-PER", "I-PER", "I-PER", "I-PER", "I-PER"]
    assert decoded(logits, PER, threshold=0.8)[0] == ["O", "O", "O", "O", "B-PER"]


def test_a_token_that_must_be_inside_is_so_however_unlikely_its_tags() -> None:
    # ORG and PER take turns, and none of them wants to start a mention.
    logits = np.full((1, 6, 5), -200, np.float32)
    logits[0, ::2, 2] = logits[0, 1::2, 4] = 0
    assert "O" not in decoded(logits, TWO, threshold=0.5)[0]


@pytest.mark.parametrize(
    ("ids", "expected"), [([2, 2, 0], [1, 2, 0]), ([1, 2], [1, 2]), ([0, 1], [0, 1]), ([4, 4], [3, 4]), ([], [])]
)
def test_a_mention_cut_in_two_starts_anew(ids: list[int], expected: list[int]) -> None:
    given = np.array(ids, np.int64)
    assert starting_anew(given).tolist() == expected
    assert given.tolist() == ids
