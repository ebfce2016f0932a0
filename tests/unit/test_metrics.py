"""Scores worked out by hand, and against what seqeval exports."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB2

from nertag.metrics import (
    Averages,
    Scores,
    Tags,
    macro_average,
    mention_scores,
    mention_scores_of,
    token_scores,
)

# Five gold mentions: found exactly, cut short, found exactly beside a false one, missed, missed.
GOLD = [
    ["B-PER", "I-PER", "O"],
    ["B-PER", "I-PER", "I-PER"],
    ["O", "B-PER", "O", "O"],
    ["B-PER", "B-PER"],
]
PREDICTED = [
    ["B-PER", "I-PER", "O"],
    ["B-PER", "I-PER", "O"],
    ["O", "B-PER", "O", "B-PER"],
    ["O", "O"],
]


def test_a_mention_is_right_with_exactly_its_boundaries() -> None:
    # 2 of 4 predicted are right, 2 of 5 gold are found; F1 is 2 · 1/2 · 2/5 / (1/2 + 2/5) = 4/9.
    assert mention_scores(GOLD, PREDICTED) == Scores(0.5, 0.4, pytest.approx(4 / 9), gold=5, predicted=4, correct=2)


def test_a_token_is_right_wherever_its_mention_begins() -> None:
    # Inside gold mentions are 2 + 3 + 1 + 2 tokens, inside predicted ones 2 + 2 + 2 + 0, inside both 2 + 2 + 1.
    assert token_scores(GOLD, PREDICTED) == Scores(5 / 6, 5 / 8, pytest.approx(5 / 7), gold=8, predicted=6, correct=5)


def test_two_mentions_read_as_one_are_wrong_as_mentions_and_right_as_tokens() -> None:
    gold, predicted = [["B-PER", "B-PER"]], [["B-PER", "I-PER"]]
    assert mention_scores(gold, predicted).correct == 0
    assert token_scores(gold, predicted).f1 == 1.0


def test_several_labels_are_averaged_over_mentions() -> None:
    gold = [["B-PER", "B-ORG", "O", "B-ORG"]]
    predicted = [["B-PER", "B-PER", "O", "B-ORG"]]
    assert mention_scores(gold, predicted) == Scores(
        pytest.approx(2 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3), 3, 3, 2
    )
    assert token_scores(gold, predicted) == Scores(
        pytest.approx(2 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3), 3, 3, 2
    )
    assert mention_scores_of("PER", gold, predicted) == Scores(0.5, 1.0, pytest.approx(2 / 3), 1, 2, 1)
    assert mention_scores_of("ORG", gold, predicted) == Scores(1.0, 0.5, pytest.approx(2 / 3), 2, 1, 1)


@pytest.mark.parametrize("score", [mention_scores, token_scores])
def test_nothing_to_find_and_nothing_found_is_zero(score: Callable[[list[Tags], list[Tags]], Scores]) -> None:
    nothing: list[Tags] = [["O", "O"]]
    something: list[Tags] = [["O", "B-PER"]]
    assert score([], []) == Scores(0.0, 0.0, 0.0, 0, 0, 0)
    assert score(nothing, nothing) == Scores(0.0, 0.0, 0.0, 0, 0, 0)
    assert score(something, nothing) == Scores(0.0, 0.0, 0.0, 1, 0, 0)
    assert score(nothing, something) == Scores(0.0, 0.0, 0.0, 0, 1, 0)


def random_tags(source: random.Random, length: int) -> list[str]:
    tags: list[str] = []
    for _ in range(length):
        inside = tags[-1][2:] if tags else ""
        choices = ["O", "O", "B-PER", "B-ORG", *([f"I-{inside}"] * 2 if inside else [])]
        tags.append(source.choice(choices))
    return tags


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_that_seqeval_exports_and_fit_our_counts(seed: int) -> None:
    source = random.Random(seed)
    lengths = [source.randint(1, 6) for _ in range(200)]
    gold = [random_tags(source, length) for length in lengths]
    predicted = [tags if source.random() < 0.5 else random_tags(source, len(tags)) for tags in gold]
    scores = mention_scores(gold, predicted)
    options = {"mode": "strict", "scheme": IOB2, "zero_division": 0}
    assert scores.precision == precision_score(gold, predicted, **options)
    assert scores.recall == recall_score(gold, predicted, **options)
    assert scores.f1 == f1_score(gold, predicted, **options)
    assert 0 < scores.correct < scores.gold
    assert scores.precision == pytest.approx(scores.correct / scores.predicted, abs=1e-12)
    assert scores.recall == pytest.approx(scores.correct / scores.gold, abs=1e-12)


@pytest.mark.parametrize("score", [mention_scores, token_scores])
def test_sequences_that_do_not_fit_are_our_mistake(score: Callable[[list[Tags], list[Tags]], Scores]) -> None:
    with pytest.raises(ValueError, match=r"^2 gold sequences but 1 predicted ones$"):
        score([["O"], ["O"]], [["O"]])
    with pytest.raises(ValueError, match=r"^sequence 1: 2 gold tags but 1 predicted ones$"):
        score([["O"], ["O", "O"]], [["O"], ["O"]])


def test_in_the_macro_average_every_corpus_counts_the_same() -> None:
    large = Scores(0.5, 0.9, 0.6, gold=1000, predicted=1800, correct=900)
    small = Scores(1.0, 0.1, 0.2, gold=10, predicted=1, correct=1)
    # The F1 is the average of the F1s, not that of the averages.
    assert macro_average([large, small]) == Averages(0.75, 0.5, pytest.approx(0.4))
