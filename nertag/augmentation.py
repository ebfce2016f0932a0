"""Windows in; changed copies of some of them out: in another case, with other people's names. The corpus stays."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nertag.config import TrainingConfig
from nertag.encoding import EncodedCorpus, Rows, Window
from nertag.features import NAME_SHAPES, FormTable
from nertag.names import RegionNames


class CaseVariants:
    """The same tokens in another case, by row of a form table."""

    def __init__(self, table: FormTable, forms: Sequence[str]) -> None:
        rows = table.rows(forms)
        self.maps: dict[str, Rows] = {}
        for name, change in (("lower", str.lower), ("upper", str.upper), ("title", _title)):
            mapped = np.zeros(int(rows.max()) + 1, np.int64)
            mapped[rows] = table.rows([change(form) for form in forms])
            self.maps[name] = mapped

    def apply(self, windows: Sequence[Window], config: TrainingConfig, chance: random.Random) -> list[Window]:
        """Change the case of a share of the windows; the rest are as they were."""
        shares = (config.lower_share, config.upper_share, config.title_share)
        weights = [*shares, 1 - sum(shares)]
        drawn = chance.choices(["lower", "upper", "title", ""], weights, k=len(windows))
        return [self.change(window, name) if name else window for window, name in zip(windows, drawn, strict=True)]

    def change(self, window: Window, name: str) -> Window:
        """Return a window in another case: `lower`, `upper` or `title`."""
        return replace(window, rows=self.maps[name][window.rows])


def _title(form: str) -> str:
    """Capitalise a word's first letter and leave the rest, as a headline does."""
    return form[:1].upper() + form[1:]


class NameSwaps:
    """Other people's names in the place of a window's own: the same name for the same word all through a window.

    A mention's first word is swapped for a given name and its last one for a family name, of one region at a time or
    from the corpus's own mentions; words that do not look like a name's (particles, initials, words in another case)
    stay.

    Args:
        table: Encodes the forms.
        corpus: Whose own mentions serve as names.
        label: Which tags are a person's: the id of its B- tag; its I- tag follows.
        regions: Names from elsewhere, drawn region by region so that all are equally frequent; may be empty.
    """

    OWN_SHARE = 0.4
    """Share of mentions that get a name from the corpus, when there are names from elsewhere."""

    def __init__(
        self, table: FormTable, corpus: EncodedCorpus, label: int, regions: Sequence[RegionNames] = ()
    ) -> None:
        self._table = table
        self._begin = label
        sentences = [sentence for document in corpus.documents for sentence in document]
        first: set[int] = set()
        last: set[int] = set()
        for sentence in sentences:
            for found, marked in zip((first, last), self._parts(sentence), strict=True):
                found.update(sentence.rows[marked].tolist())
        self._own = self._namelike(first), self._namelike(last)
        self._regions = [(table.rows(region.given).tolist(), table.rows(region.family).tolist()) for region in regions]

    def _namelike(self, rows: set[int]) -> list[int]:
        """Keep the rows whose form looks like one word of a name."""
        return sorted(row for row in rows if self._table.shape(row) in NAME_SHAPES)

    def _parts(self, window: Window) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Mark the first words of mentions of several words, and the last words of all: bool, (time,) each."""
        following = np.append(window.gold[1:], 0) == self._begin + 1
        begins = window.gold == self._begin
        return begins & following, (begins | (window.gold == self._begin + 1)) & ~following

    def apply(self, windows: Sequence[Window], share: float, chance: random.Random) -> list[Window]:
        """Swap the names of a share of the windows; the others, and those with soft labels, are as they were.

        Returns:
            Windows of the same lengths, with the same tags.
        """
        return [
            self._swap(window, chance) if window.soft is None and chance.random() < share else window
            for window in windows
        ]

    def _swap(self, window: Window, chance: random.Random) -> Window:
        """Swap the names of one window."""
        first, last = self._parts(window)
        rows = window.rows.copy()
        new: dict[int, int] = {}
        given, family = self._own
        for index in np.flatnonzero(first | last):
            if first[index] or window.gold[index] == self._begin:
                given, family = self._draw_region(chance)
            row = int(rows[index])
            if row not in new and self._table.shape(row) in NAME_SHAPES:
                alone = window.gold[index] == self._begin and last[index]
                takes_given = first[index] or (alone and chance.random() < 0.5)
                pool = (given or family) if takes_given else (family or given)
                new[row] = chance.choice(pool) if pool else row
            rows[index] = new.get(row, row)
        return Window(rows, window.gold)

    def _draw_region(self, chance: random.Random) -> tuple[list[int], list[int]]:
        """Draw whose names the next mention gets."""
        if not self._regions or chance.random() < self.OWN_SHARE:
            return self._own
        return chance.choice(self._regions)
