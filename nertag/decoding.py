"""Logits in; valid tags and their probabilities out, in NumPy: the same for validation in training and for tagging."""

from __future__ import annotations

from collections.abc import Sequence

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
    if logits.shape[2] == 1:
        return _decode_binary(logits[:, :, 0] / temperature, threshold)
    probabilities = _softmax(logits / temperature)
    eligible = None if threshold is None else _eligible(probabilities, threshold)
    chosen: TagIds = (probabilities if eligible is None else np.where(eligible, probabilities, -1)).argmax(axis=2)
    allowed = allowed_transitions(tags)
    inside = np.arange(logits.shape[1]) < lengths[:, None]
    broken = ~allowed[0, chosen[:, 0]] | (~allowed[chosen[:, :-1], chosen[:, 1:]] & inside[:, 1:]).any(axis=1)
    if broken.any():
        # Past the end nothing speaks for any tag, so that padding has no say in the tags before it.
        evidence = np.log(probabilities + 1e-30)
        if eligible is not None:
            evidence = np.where(eligible, evidence, _NEVER)
        evidence = np.where(inside[:, :, None], evidence, 0.0)[broken].astype(np.float32)
        chosen[broken] = _viterbi(evidence, allowed)
    label_of = np.array([(index + 1) // 2 for index in range(len(tags))])
    same_label = (label_of[:, None] == label_of).astype(np.float32)
    return chosen, np.einsum("btk,btk->bt", probabilities, same_label[chosen], dtype=np.float32)


def starting_anew(ids: TagIds) -> TagIds:
    """Return the tag ids of a part of a sequence, (time,), with a mention that began before it starting anew."""
    if len(ids) and ids[0] and ids[0] % 2 == 0:
        ids = ids.copy()
        ids[0] -= 1
    return ids


def _softmax(logits: Floats) -> Floats:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return result


def _eligible(probabilities: Floats, threshold: float) -> npt.NDArray[np.bool_]:
    """Say which tags each token may get, bool, (batch, time, tags): `O` alone, or all but `O`."""
    inside: npt.NDArray[np.bool_] = 1 - probabilities[:, :, :1] >= threshold
    return inside != (np.arange(probabilities.shape[2]) == 0)


def _decode_binary(logits: Floats, threshold: float | None) -> tuple[TagIds, Floats]:
    """Decode one logit per token, (batch, time): a run of tokens above one half, or the threshold, is one mention."""
    probability = 1 / (1 + np.exp(-logits.clip(-60, 60)))
    positive = logits > 0 if threshold is None else probability >= threshold
    continued = np.zeros_like(positive)
    continued[:, 1:] = positive[:, :-1]
    ids = np.where(positive, np.where(continued, 2, 1), 0).astype(np.int64)
    return ids, np.where(positive, probability, 1 - probability).astype(np.float32)


def allowed_transitions(tags: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Say which tag may follow which in IOB2: bool, (tags, tags), row before column; row 0, `O`, is the start, too."""
    parts = [split_tag(tag) for tag in tags]
    return np.array([[letter != "I" or label == before for letter, label in parts] for _, before in parts])


def _viterbi(log_probabilities: Floats, allowed: npt.NDArray[np.bool_]) -> TagIds:
    """Return the most probable allowed sequences (Viterbi 1967): int64, (batch, time)."""
    batch, time, _ = log_probabilities.shape
    barrier = np.where(allowed, 0.0, -np.inf).astype(np.float32)
    best = log_probabilities[:, 0] + barrier[0]
    came_from = np.zeros(log_probabilities.shape, np.int64)
    for step in range(1, time):
        totals = best[:, :, None] + barrier
        came_from[:, step] = totals.argmax(axis=1)
        best = totals.max(axis=1) + log_probabilities[:, step]
    path = np.zeros((batch, time), np.int64)
    path[:, -1] = best.argmax(axis=1)
    rows = np.arange(batch)
    for step in range(time - 1, 0, -1):
        path[:, step - 1] = came_from[rows, step, path[:, step]]
    return path
