"""An engine that needs no network: the word `b` starts a mention, `i` continues one, every other is outside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nertag.config import ModelConfig
from nertag.forms import Forms, Rows
from nertag.tagger import Tagger
from nertag.windows import Layout

WORDS = ("b", "i")
# By word: outside, `b`, and `i`, which rather starts a mention than be in none.
SCORES = np.array([[9, 0, 0], [0, 9, 0], [0, 5, 9]], np.float32)


def encode(forms: Sequence[str]) -> npt.NDArray[np.float32]:
    """Give a form the scores of its tags for its vector."""
    return SCORES[[WORDS.index(form) + 1 if form in WORDS else 0 for form in forms]]


class FakeEngine:
    """Gives logits that leave no doubt and remembers the lengths of the windows of every run."""

    def __init__(self) -> None:
        self.runs: list[list[int]] = []

    def logits(
        self, vectors: npt.NDArray[np.float32], forms: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.float32]:
        self.runs.append(lengths.tolist())
        assert forms.dtype == lengths.dtype == np.int32 and forms.flags.c_contiguous
        return vectors[forms.T]

    @property
    def lengths(self) -> list[int]:
        """Lengths of all windows."""
        return [length for run in self.runs for length in run]


class FakeTagger(Tagger):
    """A tagger on a fake engine; it remembers its windows in the order in which they were cut."""

    def __init__(self, window: int) -> None:
        self.fake = FakeEngine()
        self.cut: list[list[str]] = []
        super().__init__(ModelConfig(window=window), self.fake, Forms(encode, 3), 1.0)

    def windows(self, rows: Rows, layout: Layout) -> npt.NDArray[np.int64]:
        bounds = super().windows(rows, layout)
        names = self.forms.names
        self.cut += [[names[row] for row in rows[start:end]] for start, end in bounds]
        return bounds
