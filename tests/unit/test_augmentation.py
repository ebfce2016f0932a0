"""Augmentation changes copies of windows: words, and neither tags nor lengths nor the corpus."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from nertag.augmentation import CaseVariants, NameSwaps
from nertag.encoding import EncodedCorpus, Window
from nertag.features import FormTable
from nertag.labels import tags_of
from nertag.names import RegionNames
from tests.tiny import TRAINING, fast_training, sentences, vocabulary_of

LABELS = ("PER", "ORG")


def encode(marked: Sequence[str]) -> tuple[EncodedCorpus, FormTable]:
    """Encode sentences that are a document each."""
    table = FormTable(vocabulary_of(sentences(TRAINING)), capacity=1 << 62)
    return EncodedCorpus(sentences(marked, LABELS), table, tags_of(LABELS)), table


def words_of(table: FormTable, window: Window) -> str:
    """Return a window's words."""
    forms = table.forms
    return " ".join(forms[row] for row in window.rows)


# --- Case -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        ("lower_share", "mira olsen met a mcdonald at noon ."),
        ("upper_share", "MIRA OLSEN MET A MCDONALD AT NOON ."),
        ("title_share", "Mira Olsen Met A McDonald At Noon ."),
    ],
)
def test_case_variants_change_words_and_neither_tags_nor_lengths(share: str, expected: str) -> None:
    corpus, table = encode(["[PER Mira Olsen] met a [PER McDonald] at noon ."])
    variants = CaseVariants(table, table.forms)
    (original,) = corpus.windows(20)
    before = original.rows.copy()
    changed = variants.apply([original] * 400, fast_training(**{share: 0.25}), random.Random(1))
    kinds = [words_of(table, window) == expected for window in changed]
    assert all(kind or window is original for kind, window in zip(kinds, changed, strict=True))
    assert sum(kinds) / 400 == pytest.approx(0.25, abs=0.06)
    assert all(window.gold is original.gold for window in changed)
    assert original.rows.tolist() == before.tolist()


# --- Names ------------------------------------------------------------------------------------------------------------

NORTH = RegionNames("north", ("Aino", "Juha"), ("Virtanen",))
SOUTH = RegionNames("south", tuple(f"Given{'abcdefghij'[number]}" for number in range(10)), ())
TEXT = "[PER Mira van Olsen] met [PER Mira] , [PER J. Weaver] of [ORG Acme Tools] and [PER TOM] ; Mira smiled ."
OTHERS = ("[PER Ada Quill] waved", "[PER Juno] sat")


def swapped(
    marked: str, times: int, regions: Sequence[RegionNames] = (), label: int = 1, seed: int = 1
) -> tuple[Window, list[Window], FormTable]:
    """Swap the names of a window many times over, with a small corpus around it."""
    corpus, table = encode([marked, *OTHERS])
    original = corpus.windows(40)[0]
    swaps = NameSwaps(table, corpus, label, regions)
    return original, swaps.apply([original] * times, 0.999999, random.Random(seed)), table


def test_first_and_last_words_of_names_are_swapped_and_nothing_else() -> None:
    original, windows, table = swapped(TEXT, 200)
    before = original.rows.tolist()
    given, family, alone, weaver = set(), set(), set(), set()
    for window in windows:
        assert window.gold is original.gold and len(window.rows) == len(before)
        words = words_of(table, window).split()
        assert " ".join(words[1:2]) == "van"
        kept = [words[index] for index in (3, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16)]
        assert kept == "met , J. of Acme Tools and TOM ; Mira smiled .".split()
        assert words[4] == words[0]
        given.add(words[0])
        family.add(words[2])
        alone.add(words[4])
        weaver.add(words[7])
    assert given == alone == {"Mira", "Ada"}
    assert family == weaver == {"Olsen", "Weaver", "Quill", "Juno", "Mira"}
    assert original.rows.tolist() == before


def test_a_single_word_gets_a_given_or_a_family_name() -> None:
    _, windows, table = swapped("[PER Mira] smiled", 200, [NORTH])
    found = {words_of(table, window).split()[0] for window in windows}
    assert found >= {"Aino", "Juha", "Virtanen", "Ada", "Quill", "Juno"}


def test_regions_are_drawn_evenly_however_many_names_they_have() -> None:
    _, windows, table = swapped("[PER Mira Olsen] smiled", 3000, [NORTH, SOUTH])
    first = [words_of(table, window).split()[0] for window in windows]
    north, south = (sum(word in region.given for word in first) / 3000 for region in (NORTH, SOUTH))
    assert north == pytest.approx(0.3, abs=0.03) and south == pytest.approx(0.3, abs=0.03)


def test_a_region_names_the_whole_mention_and_fills_in_what_it_lacks() -> None:
    _, windows, table = swapped("[PER Mira Olsen] smiled", 500, [NORTH, SOUTH])
    for window in windows:
        given, family, _ = words_of(table, window).split()
        assert (given in NORTH.given) == (family in NORTH.family)
        assert (given in SOUTH.given) == (family in SOUTH.given)


def test_only_the_names_of_one_label_are_swapped() -> None:
    _, windows, table = swapped(TEXT, 50, label=3)
    for window in windows:
        assert words_of(table, window) == TEXT.replace("[PER ", "").replace("[ORG ", "").replace("]", "")


def test_a_share_of_the_windows_is_swapped_and_the_others_are_the_same_objects() -> None:
    corpus, table = encode([TEXT, *OTHERS])
    original = corpus.windows(40)[0]
    swaps = NameSwaps(table, corpus, 1)
    changed = [window is not original for window in swaps.apply([original] * 1000, 0.25, random.Random(2))]
    assert sum(changed) / 1000 == pytest.approx(0.25, abs=0.04)


def test_a_name_that_a_window_cut_keeps_its_length() -> None:
    """A window that starts inside a mention: its last word is a family name all the same."""
    corpus, table = encode([TEXT, *OTHERS])
    original = corpus.windows(40)[0]
    piece = Window(original.rows[1:4], original.gold[1:4])
    found = NameSwaps(table, corpus, 1, [NORTH]).apply([piece] * 50, 0.999999, random.Random(1))
    assert {window.rows[0] for window in found} == {piece.rows[0]} and {window.rows[2] for window in found} == {
        piece.rows[2]
    }
    assert len({window.rows[1] for window in found}) > 1


def test_a_corpus_without_names_and_without_regions_stays_as_it_is() -> None:
    corpus, table = encode(["no names here", "none at all"])
    windows = corpus.windows(40)
    found = NameSwaps(table, corpus, 1).apply(windows, 0.999999, random.Random(1))
    assert [window.rows.tolist() for window in found] == [window.rows.tolist() for window in windows]
