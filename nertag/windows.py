"""Tokens by number in; the windows of `text.cut_windows` and batches of them out, for thousands of tokens at once."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nertag.text import CLOSES, ENDS_SENTENCE

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BATCH_TOKENS = 1_600
"""The most tokens of one run of the graph, padding included, if it has more than one window."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where passages lie in a run of tokens.

    Attributes:
        ends: One past the last token of every passage, int64, (passages,).
        sure: Whether a sentence surely ends with it, bool, (passages,).
        starts: Whether a document starts with it, bool, (passages,).
    """

    ends: Numbers
    sure: Flags
    starts: Flags

    @classmethod
    def of_lines(cls, ends: Numbers, *, alone: bool) -> Layout:
        """Return the layout of lines of text, of which an empty one parts paragraphs."""
        return cls(ends, np.diff(ends, prepend=0) == 0, np.full(len(ends), alone))

    def firsts(self) -> Numbers:
        """Return the first token of every passage."""
        return np.concatenate([[0], self.ends[:-1]])

    def documents(self, tokens: int) -> Numbers:
        """Return a number for the document of every token, rising, int64, (tokens,).

        Args:
            tokens: How many there are; those past the last passage belong to one that has not ended yet.
        """
        starts = self.firsts()[self.starts]
        return np.cumsum(np.bincount(starts[starts < tokens], minlength=tokens))

    def part(self, first: int, past: int) -> Layout:
        """Return the layout of the tokens from `first` to before `past`, as if they were all."""
        if first == 0 and (not len(self.ends) or past >= self.ends[-1]):
            return self
        return Layout(self.ends.clip(first, past) - first, self.sure, self.starts)


def cut_block(kinds: npt.NDArray[np.uint8], layout: Layout, limit: int) -> Numbers:
    """Cut passages into windows, each document as `text.cut_windows` cuts it.

    Args:
        kinds: `text.form_kind` of every token, (tokens,).
        layout: Where passages end and documents start.
        limit: The most tokens a window may have, at least 2.

    Returns:
        First token of each window, and one past its last, (windows, 2): in order, without gaps.
    """
    stops, roots = _sentence_ends(kinds, layout.ends[layout.sure])
    borders: list[int] = layout.ends.tolist()
    documents = [0, *layout.firsts()[layout.starts].tolist(), len(kinds)]
    bounds: list[int] = []
    for start, past in zip(documents, documents[1:]):  # noqa: B905 - neighbours
        position = start
        while position < past:
            bounds.append(position)
            position = _window_end(position, past, limit, stops, roots, borders)
    cuts = np.array([*bounds, len(kinds)], np.int64)
    return np.stack([cuts[:-1], cuts[1:]], axis=1)


def _sentence_ends(kinds: npt.NDArray[np.uint8], sure: Numbers) -> tuple[list[int], list[int]]:
    """Find where sentences end.

    Returns:
        Tokens before which a sentence ends, in order; and for each the first token that a window has to hold for that
        to be seen from within: the one that ends the sentence. It is behind all others where the end is sure anyway.
    """
    closing = kinds == CLOSES
    last = np.maximum.accumulate(np.where(closing, 0, np.arange(len(kinds))))
    found = np.flatnonzero((kinds[last[:-1]] == ENDS_SENTENCE) & ~closing[1:]) + 1
    roots = dict(zip(found.tolist(), last[found - 1].tolist(), strict=True))
    roots.update(dict.fromkeys(sure.tolist(), len(kinds)))
    stops = sorted(roots)
    return stops, [roots[stop] for stop in stops]


def _window_end(start: int, past: int, limit: int, stops: list[int], roots: list[int], borders: list[int]) -> int:
    """Choose where a window that starts at `start` ends, in a document that ends at `past`, as `cut_window` does."""
    remaining = past - start
    if remaining <= limit:
        return past
    longest = start + limit
    shortest = start + limit // 2
    if remaining < 2 * limit:
        shortest = max(remaining - limit, remaining // 4) + start
        longest = min(longest, start + remaining * 5 // 8)
    shortest = max(shortest, start + 1)
    index = bisect_right(stops, longest) - 1
    while index >= 0 and stops[index] >= shortest:
        if roots[index] >= start:
            return stops[index]
        index -= 1
    border = bisect_right(borders, longest) - 1
    return borders[border] if border >= 0 and borders[border] >= shortest else longest


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where every token goes in the batches of a block, which lie one after the other, in each time after time.

    Attributes:
        lengths: Tokens of the windows of each batch, int32, (batch,): rising, the last one is the batch's time.
        sizes: Tokens of each batch, padding included, int64, (batches,).
        heads: The first token of each, int64, (batches,).
        places: Where every token of the block goes, int64, (tokens,).
    """

    lengths: list[npt.NDArray[np.int32]]
    sizes: Numbers
    heads: Numbers
    places: Numbers

    def spread(self, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Put the rows of all tokens, (tokens,), into their places.

        Integers round by the range of a whole batch, so what is padding is a token of the same batch.

        Returns:
            The rows of all batches, int32, (sum of `sizes`,).
        """
        result = np.repeat(rows[self.heads], self.sizes)
        result[self.places] = rows
        return result


def arrange(bounds: Numbers) -> Arrangement:
    """Part windows, shortest first, into batches of at most `BATCH_TOKENS` tokens, padding included.

    Args:
        bounds: First token of each window, and one past its last, (windows, 2): in order, without gaps from 0 on.

    Returns:
        The batches; each has a window.
    """
    lengths = bounds[:, 1] - bounds[:, 0]
    order = np.argsort(lengths, kind="stable")
    rising = lengths[order]
    borders = _batch_borders(rising.tolist())
    parts = [rising[first:past].astype(np.int32) for first, past in zip(borders, borders[1:], strict=False)]
    heads = np.array(borders[:-1], np.int64)
    windows = np.diff(borders)  # In each batch.
    sizes = windows * rising[heads + windows - 1]
    # A window's first token goes to its column of its batch, and each further one by as many places on as there are
    # columns.
    starts, steps = np.empty_like(lengths), np.empty_like(lengths)
    starts[order] = np.repeat(np.cumsum(sizes) - sizes - heads, windows) + np.arange(len(order))
    steps[order] = np.repeat(windows, windows)
    places = np.repeat(steps, lengths)
    places *= np.arange(len(places))
    places += np.repeat(starts - bounds[:, 0] * steps, lengths)
    return Arrangement(parts, sizes, bounds[order[heads], 0], places)


def _batch_borders(lengths: list[int]) -> list[int]:
    """Part rising lengths into batches: return the first index of each, and one past the last."""
    borders = [0]
    for index, length in enumerate(lengths):
        if index > borders[-1] and length * (index - borders[-1] + 1) > BATCH_TOKENS:
            borders.append(index)
    return [*borders, len(lengths)] if lengths else borders
