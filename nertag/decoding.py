"""Logits in; valid tags and their probabilities out, in NumPy: the same for validation in training and for tagging."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from nertag.labels import split_tag

Floats = npt.NDArray[np.float32]
TagIds = npt.NDArray[np.int64]

# The log-probability of a tag that is out of the question: below that of any sequence of other tags.
_NEVER = -1e6


def decode(
    logits: Floats,
    lengths: npt.NDArray[np.int64],
    tags: Sequence[str],
    temperature: float,
    threshold: float | None = None,
) -> tuple[TagIds, Floats]:
    """Choose the most probable valid tags, or the most probable ones for a given decision about each token.

    Args:
        logits: float32, (batch, time, outputs); `outputs` is the number of tags, or 1 for binary output.
        lengths: Tokens of each window, (batch,).
        tags: The IOB2 tags behind the outputs: `O`, then `B-` and `I-` of each label.
        temperature: What the logits are divided by, so that probabilities agree with frequencies (Guo et al. 2017,
            arXiv:1706.04599).
        threshold: The least probability, 0 to 1, of being inside some mention at which a token is put inside one; None
            leaves that to the tags. A lower one never takes a token out.

    Returns:
        Tag ids, int64, (batch, time), a strict IOB2 sequence in each row; and for every token the probability that it
        carries the chosen label, B- and I- taken together, float32, (batch, time). Both are arbitrary past the lengths.
    """
    real = np.arange(logits.shape[1]) < lengths[:, None]
    flat = logits[real]
    ids, scores = np.zeros(real.shape, np.int64), np.zeros(real.shape, np.float32)
    ids[real] = choose(flat, np.cumsum(lengths) - lengths, tags, temperature, threshold)
    scores[real] = scores_of(flat, ids[real], temperature)
    return ids, scores


def choose(
    logits: Floats,
    starts: npt.NDArray[np.int64],
    tags: Sequence[str],
    temperature: float,
    threshold: float | None = None,
) -> TagIds:
    """Choose tags as `decode` does, for windows one after another.

    Args:
        logits: float32, (tokens, outputs).
        starts: First token of every window, rising from 0, (windows,).
        tags: As in `decode`, and so are the others.
        temperature: Likewise.
        threshold: Likewise.

    Returns:
        Tag ids, int64, (tokens,), a strict IOB2 sequence in every window.
    """
    if logits.shape[1] == 1:
        return _choose_binary(logits[:, 0], starts, temperature, threshold)
    eligible = None if threshold is None else _eligible(_softmax(logits / temperature), threshold)
    chosen = _highest(logits if eligible is None else np.where(eligible, logits, -np.inf))
    allowed = allowed_transitions(tuple(tags))
    broken = _broken(chosen, starts, allowed)
    ends = np.append(starts[1:], len(chosen))
    for window in sorted(set((np.searchsorted(starts, broken, side="right") - 1).tolist())):
        part = slice(starts[window], ends[window])
        evidence = np.log(_softmax(logits[part] / temperature) + 1e-30)
        if eligible is not None:
            evidence = np.where(eligible[part], evidence, _NEVER)
        chosen[part] = _viterbi(evidence, allowed)
    return chosen


def _highest(logits: Floats) -> TagIds:
    """Return the index of the highest of each token's logits, which are few: `argmax` takes longer."""
    highest = logits[:, 0].copy()
    chosen = np.zeros(len(logits), np.int64)
    for index in range(1, logits.shape[1]):
        column = logits[:, index]
        chosen[column > highest] = index
        np.maximum(highest, column, out=highest)
    return chosen


def _broken(chosen: TagIds, starts: npt.NDArray[np.int64], allowed: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the tokens whose tag may not follow the one before, rising; `O` always may."""
    places = np.flatnonzero(chosen)
    before = chosen[places - 1]  # What this is for the first token does not matter: a window starts there.
    first = np.searchsorted(starts, places).clip(max=len(starts) - 1)
    before[starts[first] == places] = 0
    return places[~allowed[before, chosen[places]]]


def scores_of(logits: Floats, ids: TagIds, temperature: float) -> Floats:
    """Return the probability that each token, (tokens,), carries the label of its tag id, B- and I- taken together."""
    if logits.shape[1] == 1:
        probability = _sigmoid(logits[:, 0] / temperature)
        return np.where(ids > 0, probability, 1 - probability).astype(np.float32)
    label_of = np.array([(index + 1) // 2 for index in range(logits.shape[1])])
    same_label = (label_of[:, None] == label_of).astype(np.float32)
    result: Floats = (_softmax(logits / temperature) * same_label[ids]).sum(axis=1, dtype=np.float32)
    return result


def continues(ids: TagIds) -> npt.NDArray[np.bool_]:
    """Say which tag ids are I-; one less makes them the B- of their label."""
    result: npt.NDArray[np.bool_] = (ids > 0) & (ids % 2 == 0)
    return result


def starting_anew(ids: TagIds) -> TagIds:
    """Return the tag ids of a part of a sequence, (time,), with a mention that began before it starting anew."""
    if len(ids) and continues(ids[:1])[0]:
        ids = ids.copy()
        ids[0] -= 1
    return ids


def _softmax(logits: Floats) -> Floats:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return result


def _eligible(probabilities: Floats, threshold: float) -> npt.NDArray[np.bool_]:
    """Say which tags each token may get, bool, (tokens, tags): `O` alone, or all but `O`."""
    inside = 1 - probabilities[:, :1] >= threshold
    result: npt.NDArray[np.bool_] = inside != (np.arange(probabilities.shape[1]) == 0)
    return result


def _sigmoid(logits: Floats) -> Floats:
    """The logistic function."""
    result: Floats = 1 / (1 + np.exp(-logits.clip(-60, 60)))
    return result


def _choose_binary(
    logits: Floats, starts: npt.NDArray[np.int64], temperature: float, threshold: float | None
) -> TagIds:
    """Decode one logit per token, (tokens,): a run of tokens above one half, or the threshold, is one mention."""
    positive = logits > 0 if threshold is None else _sigmoid(logits / temperature) >= threshold
    continued = np.concatenate([[False], positive[:-1]])
    continued[starts] = False
    return np.where(positive, np.where(continued, 2, 1), 0).astype(np.int64)


@lru_cache
def allowed_transitions(tags: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Say which tag may follow which in IOB2: bool, (tags, tags), row before column; row 0, `O`, is the start, too."""
    parts = [split_tag(tag) for tag in tags]
    return np.array([[letter != "I" or label == before for letter, label in parts] for _, before in parts])


def _viterbi(log_probabilities: Floats, allowed: npt.NDArray[np.bool_]) -> TagIds:
    """Return the most probable allowed sequence (Viterbi 1967): int64, (time,).

    In plain Python: of so few tags, a call of NumPy for each token takes longer. Most tags may follow the same ones.
    """
    befores = [tuple(np.flatnonzero(column).tolist()) for column in allowed.T]
    kinds = set(befores)
    first, *others = log_probabilities.tolist()
    best = [value if allowed[0, tag] else -math.inf for tag, value in enumerate(first)]
    came_from: list[list[int]] = []
    for values in others:
        origin = {before: max(before, key=best.__getitem__) for before in kinds}
        came_from.append([origin[before] for before in befores])
        best = [best[tag] + value for tag, value in zip(came_from[-1], values, strict=True)]
    path = [best.index(max(best))]
    for origins in reversed(came_from):
        path.append(origins[path[-1]])
    return np.array(path[::-1], np.int64)
