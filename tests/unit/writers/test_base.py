from __future__ import annotations

from nertag.text import Mention, Passage
from nertag.writers.base import lines_of


def mention(start: int) -> Mention:
    return Mention(start, start + 1, start, start + 1, "x", "PER", 0.9)


def test_the_lines_of_mentions() -> None:
    passage = Passage("xx\nx x\n\nx", [], line=7)
    mentions = [mention(start) for start in (0, 1, 3, 5, 8)]
    assert list(lines_of(passage, mentions)) == [(7, 0), (7, 0), (8, 3), (8, 3), (10, 8)]
    assert list(lines_of(passage, [mention(8)])) == [(10, 8)]


def test_a_text_with_fields_is_all_in_one_place() -> None:
    assert list(lines_of(Passage("a\nx", [], fields={}, line=7), [mention(2)])) == [(7, 0)]


def test_many_mentions_in_a_huge_line_take_time_in_proportion() -> None:
    """Counting from the start of the line for each would read 500 GB."""
    number = 1 << 20
    passage = Passage("x" * number, [], line=7)
    assert set(lines_of(passage, map(mention, range(number)))) == {(7, 0)}
