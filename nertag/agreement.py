"""A second look at a document: what its other mentions of a word say about this one.

A recurrent network sees one window. That "Wang" is a person is plain where his full name stands, and not where a window
says only that "Wang was jailed"; and a firm that looks like a person once looks like a firm in the next paragraph. So,
after all windows of a document have their logits, a small network reads, for every token that could be in a mention,
what the logits say at the other places where the same word stands, in whatever case, and adds its correction:

    logits'_i = logits_i + V·tanh(W·f_i + b) + c

with f_i the features of `features_of`. It runs over the few tokens whose word somewhere in the document looks like a
name, in NumPy, and costs little. Earlier uses of other mentions in a document: Krishnan and Manning 2006 (a second
stage that reads the first one's predictions), Akbik et al. 2019 (pooled embeddings).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nertag.features import SHAPES

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer[Any]]

LEAST = 0.01
"""The probability of being in a mention that some place of a word must have for the second look to take place."""

_LEAST_LEAD = math.log(LEAST / (1 - LEAST)) - math.log(2) - 0.001
# How far the logit of O may at most lead those of B- and I- where that probability is reached; a little less.

_OF_OTHERS = 10
_OF_NEIGHBOUR = 5
FEATURES = _OF_OTHERS + 6 + len(SHAPES) + 2 * _OF_NEIGHBOUR
"""Features of a token."""

_NOTHING = np.zeros(0, np.int64), np.zeros((0, FEATURES), np.float32)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The correction's weights.

    Attributes:
        entry: W and b, float32, (FEATURES + 1, units), b in the last row.
        exit: V and c, float32, (units + 1, 3), c in the last row.
    """

    entry: Floats
    exit: Floats

    def tensors(self) -> dict[str, Floats]:
        """Return the weights by name, as a model folder keeps them behind `agreement.`."""
        return {"entry": self.entry, "exit": self.exit}

    def correct(self, logits: Floats, words: Rows, shapes: Rows, documents: Rows) -> Floats:
        """Correct the logits of whole documents.

        Args:
            logits: Of O, B- and I-, float32, (tokens, 3), documents one after another.
            words: A number for each token's word, the same for the same word in any case, int64, (tokens,).
            shapes: Shape ids, int64, (tokens,).
            documents: A number for each token's document, rising, int64, (tokens,).

        Returns:
            Corrected logits, float32, (tokens, 3).
        """
        chosen, features = features_of(logits, words, shapes, documents)
        if not len(chosen):
            return logits
        hidden = np.tanh(features @ self.entry[:-1] + self.entry[-1])
        corrected: Floats = logits.copy()
        corrected[chosen] += hidden @ self.exit[:-1] + self.exit[-1]
        return corrected


def features_of(logits: Floats, words: Rows, shapes: Rows, documents: Rows) -> tuple[Rows, Floats]:
    """Describe every token whose word looks like a name somewhere in its document, and stands there more than once.

    A token's features: of the other places of its word in the document the logarithm of their number plus one, the
    highest, mean and lowest probability of being in a mention, the highest and mean probability of being in a mention
    of several tokens, the highest ones of B- and I-, the share written in lower case, and the highest log-odds; its own
    probabilities and their logarithms; its shape; and of the token before and the one after their probabilities and the
    highest probability elsewhere of being in a mention and in one of several tokens.

    Args:
        logits: As in `Agreement.correct`, and so are the others.
        words: Likewise.
        shapes: Likewise.
        documents: Likewise.

    Returns:
        The tokens' indices, int64, (chosen,), and their features, float32, (chosen, FEATURES).
    """
    # Most words look like a name nowhere, and cheap tests leave them out first.
    likely = np.flatnonzero(np.maximum(logits[:, 1], logits[:, 2]) - logits[:, 0] >= _LEAST_LEAD)
    likely = likely[1 - _softmax(logits[likely])[:, 0] >= LEAST]
    marked = np.zeros(int(words.max(initial=0)) + 1, np.bool_)
    marked[words[likely]] = True
    listed = np.flatnonzero(marked[words])
    # One number for each word of each document.
    place = documents.astype(np.int64) * len(marked) + words
    hot = _distinct(place[likely])
    if not len(hot):
        return _NOTHING
    group = np.searchsorted(hot, place[listed])
    group[group == len(hot)] = 0
    found = hot[group] == place[listed]
    several = found & (np.bincount(group[found], minlength=len(hot))[group] > 1)
    chosen, taken = listed[several], group[several]
    if not len(chosen):
        return _NOTHING
    own, before, after = (_probabilities(logits, chosen + step) for step in (0, -1, 1))
    of_others = _of_others(own, after[:, 2], shapes[chosen], np.searchsorted(_distinct(taken), taken))
    shape = np.eye(len(SHAPES), dtype=np.float32)[shapes[chosen]]
    neighbours = [_neighbour(found, of_others, chosen, documents, step) for found, step in ((before, -1), (after, 1))]
    features = np.concatenate([of_others, own, np.log(own + 1e-5) / 3, shape, *neighbours], axis=1)
    return chosen, features.astype(np.float32)


def _probabilities(logits: Floats, places: Rows) -> Floats:
    """Return the probabilities at some places, float32, (places, 3); 0 before the first token and past the last."""
    there = (places >= 0) & (places < len(logits))
    return np.asarray(_softmax(logits[places * there]) * there[:, None], np.float32)


def _neighbour(probabilities: Floats, of_others: Floats, chosen: Rows, documents: Rows, step: int) -> Floats:
    """Describe what stands before or after each chosen token, float32, (chosen, 5): all 0 in another document.

    Args:
        probabilities: Of that place, (chosen, 3).
        of_others: What other places say of the chosen tokens, (chosen, 10).
        chosen: Indices of the chosen tokens, rising.
        documents: Of all tokens.
        step: -1 for the place before, 1 for the one after.

    Returns:
        Its probabilities, and what its own other places say if it is chosen, too.
    """
    result = np.zeros((len(chosen), _OF_NEIGHBOUR), np.float32)
    result[:, :3] = probabilities
    index = np.searchsorted(chosen, chosen + step).clip(max=len(chosen) - 1)
    is_chosen = chosen[index] == chosen + step
    result[is_chosen, 3] = of_others[index[is_chosen], 1]
    result[is_chosen, 4] = of_others[index[is_chosen], 4]
    place = (chosen + step).clip(0, len(documents) - 1)
    result[documents[place] != documents[chosen]] = 0
    return result


def _of_others(p: Floats, following: Floats, shapes: Rows, group: Rows) -> Floats:
    """Describe the other places of each chosen token's word.

    Args:
        p: Probabilities of O, B- and I- at the chosen tokens, (chosen, 3).
        following: Probability of I- at the token after each, (chosen,).
        shapes: Shape ids of the chosen tokens, (chosen,).
        group: A number for each chosen token's word in its document, from 0 without gaps, (chosen,).

    Returns:
        The first features of `features_of`, float32, (chosen, 10).
    """
    inside = 1 - p[:, 0]
    several = np.maximum(p[:, 2], p[:, 1] * following)
    others = np.bincount(group)[group] - 1
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))

    def highest(values: Floats) -> Floats:
        """Return the highest value among the others."""
        top = np.maximum.reduceat(values[order], starts)[group]
        is_top = values == top
        tops = np.bincount(group, is_top)[group]
        second = np.maximum.reduceat(np.where(is_top, -np.inf, values)[order], starts)[group]
        result: Floats = np.where(is_top & (tops == 1), second, top)
        return result

    def mean(values: Floats) -> Floats:
        """Return the mean of the others."""
        result: Floats = ((np.bincount(group, values)[group] - values) / others).astype(np.float32)
        return result

    odds = np.log(inside + 1e-4) - np.log(p[:, 0] + 1e-4)
    lower = (shapes == SHAPES.index("lower")).astype(np.float32)
    columns = [
        np.log1p(others),
        highest(inside),
        mean(inside),
        -highest(-inside),
        highest(several),
        mean(several),
        highest(p[:, 1]),
        highest(p[:, 2]),
        mean(lower),
        highest(odds) / 5,
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _distinct(values: Rows) -> Rows:
    """Return the different values, sorted: `np.unique` would import `numpy.ma`, and start-up would wait."""
    ordered = np.sort(values)
    different: Rows = ordered[np.diff(ordered, prepend=-1) > 0]
    return different


def _softmax(logits: Floats) -> Floats:
    """Softmax over the last axis of two, column by column: along a few numbers NumPy is slow."""
    columns = np.ascontiguousarray(logits.T)
    powers = np.exp(columns - columns.max(axis=0))
    result: Floats = (powers / powers.sum(axis=0)).T
    return result
