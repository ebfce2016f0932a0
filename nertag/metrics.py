"""Gold and predicted tags in; precision, recall and micro-F1 out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nertag.labels import OUTSIDE, spans_of, split_tag

Tags = Sequence[str]


@dataclass(frozen=True, slots=True)
class Scores:
    """How well predicted mentions or tokens agree with the gold ones, fractions from 0 to 1.

    Attributes:
        precision: Share of the predicted that are right; 0 if nothing was predicted.
        recall: Share of the gold that were found; 0 if there are none.
        f1: Their harmonic mean; 0 if both are.
        gold: How many there are.
        predicted: How many were predicted.
        correct: How many of those are right.
    """

    precision: float
    recall: float
    f1: float
    gold: int
    predicted: int
    correct: int


@dataclass(frozen=True, slots=True)
class Averages:
    """Precision, recall and F1 averaged over corpora, each of which counts the same; F1 is the average of the F1s."""

    precision: float
    recall: float
    f1: float


def mention_scores(gold: Sequence[Tags], predicted: Sequence[Tags]) -> Scores:
    """Score mentions: right is one with exactly the gold boundaries and label.

    Args:
        gold: One strict IOB2 sequence per sentence.
        predicted: Likewise, of the same lengths.

    Returns:
        seqeval's precision, recall and F1 (`mode="strict", scheme=IOB2`, micro-averaged over labels), with our counts.

    Raises:
        ValueError: If the sequences differ in number or length.
    """
    from seqeval.metrics.v1 import precision_recall_fscore_support
    from seqeval.scheme import IOB2

    _check_lengths(gold, predicted)
    # Sentences without a mention on either side change no count, and are most of them.
    busy = [pair for pair in zip(gold, predicted, strict=True) if any(tag != OUTSIDE for tags in pair for tag in tags)]
    gold_mentions, predicted_mentions = (
        {(index, span) for index, pair in enumerate(busy) for span in spans_of(pair[side])} for side in (0, 1)
    )
    pairs = busy or [([OUTSIDE], [OUTSIDE])]  # seqeval refuses no sentence at all.
    # What `precision_score`, `recall_score` and `f1_score` with mode="strict" each call.
    precision, recall, f1, _ = precision_recall_fscore_support(
        [list(tags) for tags, _ in pairs],
        [list(tags) for _, tags in pairs],
        average="micro",
        scheme=IOB2,
        zero_division=0,
    )
    correct = len(gold_mentions & predicted_mentions)
    return Scores(float(precision), float(recall), float(f1), len(gold_mentions), len(predicted_mentions), correct)


def mention_scores_of(label: str, gold: Sequence[Tags], predicted: Sequence[Tags]) -> Scores:
    """Score the mentions of one label, as `mention_scores` does.

    Args:
        label: Which.
        gold: One strict IOB2 sequence per sentence.
        predicted: Likewise, of the same lengths.

    Returns:
        The scores; mentions of other labels count neither as gold nor as predicted.
    """
    return mention_scores(_only(label, gold), _only(label, predicted))


def _only(label: str, sequences: Iterable[Tags]) -> list[list[str]]:
    """Return the sequences with all other labels outside."""
    return [[tag if split_tag(tag)[1] == label else OUTSIDE for tag in tags] for tags in sequences]


def token_scores(gold: Sequence[Tags], predicted: Sequence[Tags]) -> Scores:
    """Score tokens: right is one inside a mention that is inside a gold mention of the same label.

    Args:
        gold: One strict IOB2 sequence per sentence.
        predicted: Likewise, of the same lengths.

    Returns:
        The scores of the tokens inside mentions; where a mention starts does not matter.

    Raises:
        ValueError: If the sequences differ in number or length.
    """
    _check_lengths(gold, predicted)
    in_gold = in_predicted = correct = 0
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        for gold_tag, predicted_tag in zip(gold_tags, predicted_tags, strict=True):
            in_gold += gold_tag != OUTSIDE
            in_predicted += predicted_tag != OUTSIDE
            correct += gold_tag != OUTSIDE and gold_tag[2:] == predicted_tag[2:]
    precision = correct / in_predicted if in_predicted else 0.0
    recall = correct / in_gold if in_gold else 0.0
    f1 = 2 * precision * recall / (precision + recall) if correct else 0.0
    return Scores(precision, recall, f1, in_gold, in_predicted, correct)


def macro_average(scores: Sequence[Scores]) -> Averages:
    """Return the averages of precision, recall and F1 over at least one corpus."""
    count = len(scores)
    return Averages(
        sum(each.precision for each in scores) / count,
        sum(each.recall for each in scores) / count,
        sum(each.f1 for each in scores) / count,
    )


def _check_lengths(gold: Sequence[Tags], predicted: Sequence[Tags]) -> None:
    """Raise a ValueError if the sequences differ in number or length."""
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold sequences but {len(predicted)} predicted ones")
    for index, (gold_tags, predicted_tags) in enumerate(zip(gold, predicted, strict=True)):
        if len(gold_tags) != len(predicted_tags):
            raise ValueError(f"sequence {index}: {len(gold_tags)} gold tags but {len(predicted_tags)} predicted ones")
