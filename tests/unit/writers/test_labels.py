from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from nertag.text import Passage, TaggedPassage
from nertag.writers.labels import count_runs, labels_text
from nertag.writers.lines import labels_line


@given(st.lists(st.lists(st.booleans(), max_size=4), max_size=12))
@example([])
@example([[]])
@example([[], [True], [], [], [False, True], []])
def test_labels_are_written_as_passage_by_passage(lines: list[list[bool]]) -> None:
    expected = ""
    for line in lines:
        words = ["x"] * len(line)
        tags = ["B-PER" if inside else "O" for inside in line]
        expected += labels_line(TaggedPassage(Passage(" ".join(words), words), tags, [1.0] * len(line)))
    inside = np.array([label for line in lines for label in line], bool)
    ends = np.cumsum(np.array(list(map(len, lines)), np.int64))
    assert labels_text(inside, ends) == expected
    assert count_runs(inside, ends) == sum(
        bool(run) for line in expected.split("\n") for run in line.split("0") if "1" in run
    )
