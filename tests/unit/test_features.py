from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nertag.features import (
    LONGEST_FORM,
    PADDING,
    RESERVED,
    SHAPES,
    UNKNOWN,
    FormTable,
    Vocabulary,
    count_words,
    fold,
    known_characters,
    shape_of,
    strip_marks,
)

VOCABULARY = Vocabulary(["the", "Mira", "mira", "zoe", "'s", "don't"], "abcdefgh'é")


@pytest.mark.parametrize(
    ("form", "folded"),
    [
        ("plain", "plain"),
        ("O\u2019Connor", "O'Connor"),
        ("\u201cHello\u201d", '"Hello"'),
        ("Jean\u2010Luc\u2014", "Jean-Luc-"),
        ("so\u00adft", "soft"),
        ("\u200bMira\ufeff", "Mira"),
        ("\u200d", ""),
        ("Zoë", "Zoë"),
        ("a\ud83db", "a\ufffdb"),
    ],
)
def test_typography_is_folded_and_letters_are_not(form: str, folded: str) -> None:
    assert fold(form) == folded
    assert fold(folded) == folded


def test_marks_are_stripped() -> None:
    assert [strip_marks(form) for form in ("Zoë", "Ångström", "naïve", "ß", "plain")] == [
        "Zoe", "Angstrom", "naive", "ß", "plain",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ("bridge", "lower"),
        ("o'clock", "lower"),
        ("'s", "lower"),
        ("Mira", "title"),
        ("O'neill", "title"),
        ("ACME", "upper"),
        ("A", "capital"),
        ("I'", "capital"),
        ("J.R.R.", "initials"),
        ("J.", "initials"),
        ("McDonald", "inner capitals"),
        ("O'Connor", "inner capitals"),
        ("iPhone", "capital in lower"),
        ("Jean-Luc", "hyphenated titles"),
        ("Jean-luc", "title"),
        ("中文", "uncased letters"),
        ("1980", "number"),
        ("10,000", "number"),
        ("1980s", "number with letters"),
        ("B2", "number with letters"),
        (".", "sentence end"),
        ("...", "sentence end"),
        (",", "comma"),
        ("''", "quote"),
        ("(", "bracket"),
        ("--", "hyphen"),
        ("&", "other sign"),
        ("", "other sign"),
        ("\u0301", "other sign"),
        ("@mira", "address"),
        ("m@x.org", "address"),
        ("https://x.org", "address"),
        ("www.x.org", "address"),
        ("@", "other sign"),
    ],
)
def test_shapes(form: str, shape: str) -> None:
    assert SHAPES[shape_of(form)] == shape


def test_a_word_is_looked_up_as_it_stands_then_in_lower_case_then_without_marks() -> None:
    found = [VOCABULARY.word_id(form) for form in ("Mira", "mira", "MIRA", "The", "Zoë", "ZOË", "nobody", "", "é")]
    assert found == [3, 4, 4, 2, 5, 5, UNKNOWN, UNKNOWN, UNKNOWN]
    assert VOCABULARY.size == 6 + RESERVED


@pytest.mark.parametrize(
    ("form", "parts"),
    [
        ("#AnnaKurz", "anna kurz"),
        ("#annakurz", "anna kurz"),
        ("#ANNAKURZ", "anna kurz"),
        ("#Anna", "anna"),
        ("Kurz-Anna", "kurz anna"),
        ("RIPAnnaKurz", "rip anna kurz"),
        ("Anna:", "anna"),
        ("Änna-Kürz", "anna kurz"),
        ("Annaaaa", "anna"),
        ("soooo", "so"),
        ("AnnaXyz", "anna"),
        ("RipAnnaKurzSo", "rip anna kurz"),
        ("#xyz", None),
        ("annakurz", None),
        ("@AnnaKurz", None),
        ("#" + "Anna" * 24, "anna anna anna"),
        ("#" + "Anna" * 25, None),
        ("https://anna.kurz", None),
        ("#", None),
        ("", None),
    ],
)
def test_an_unknown_word_is_looked_up_by_its_parts(form: str, parts: str | None) -> None:
    words = ["so", "soo", "anna", "ann", "rip", "kurz", "akurz"]
    vocabulary = Vocabulary(words, "", parts=True)
    expected = [words.index(part) + RESERVED for part in parts.split()] if parts else [UNKNOWN]
    assert vocabulary.word_ids(form) == expected
    assert Vocabulary(words, "").word_ids(form) == [UNKNOWN]


def test_a_known_word_is_not_cut_and_of_halves_the_more_frequent_win() -> None:
    words = ["anna", "kurz", "anna-kurz", "ann", "akurz", "annak", "urz"]
    vocabulary = Vocabulary(words, "", parts=True)
    assert vocabulary.word_ids("Anna-Kurz") == [2 + RESERVED]
    assert vocabulary.word_ids("#annakurz") == [RESERVED, 1 + RESERVED]


def test_a_batch_holds_the_parts_of_its_forms_side_by_side() -> None:
    table = FormTable(Vocabulary(["anna", "kurz"], "ank", parts=True))
    batch = table.batch([table.rows(["Anna", "#AnnaKurz"]), table.rows(["xyz"])])
    assert batch.word_ids.tolist() == [[2, 0], [2, 3], [UNKNOWN, 0]]


def test_characters_are_looked_up_then_without_marks_and_long_forms_lose_their_middle() -> None:
    assert VOCABULARY.character_ids("aéàx") == [2, 11, 2, UNKNOWN]
    assert VOCABULARY.character_ids("") == []
    long = "abcdefgh" + "x" * 50 + "hgfedcba"
    assert VOCABULARY.character_ids(long) == VOCABULARY.character_ids("abcdefghxxxxhgfedcba")
    assert len(VOCABULARY.character_ids(long)) == LONGEST_FORM
    assert VOCABULARY.character_ids("x" * LONGEST_FORM) == [UNKNOWN] * LONGEST_FORM


@pytest.mark.parametrize(("words", "characters"), [(["a", "a"], "ab"), (["a"], "aba")])
def test_a_vocabulary_is_without_doubles(words: list[str], characters: str) -> None:
    with pytest.raises(ValueError, match=r"^a vocabulary's words and characters must be different from one another$"):
        Vocabulary(words, characters)


def test_words_are_counted_folded_and_characters_by_how_often_they_occur() -> None:
    counts = count_words(["don\u2019t", "don't", "tea", "\u200btea"])
    assert counts == Counter({"don't": 2, "tea": 2})
    assert known_characters(counts, least=2) == "t'adeno"
    assert known_characters(counts, least=3) == "t"


def test_a_form_table_encodes_each_form_once_and_batches_name_distinct_forms() -> None:
    table = FormTable(VOCABULARY)
    first, second = table.rows(["Mira", "the", "Mira"]), table.rows(["cab", "the"])
    assert first.tolist() == [0, 1, 0] and second.tolist() == [2, 1]
    batch = table.batch([first, second])
    assert batch.word_ids.tolist() == [[3], [2], [UNKNOWN]]
    assert [SHAPES[i] for i in batch.shape_ids] == ["title", "lower", "lower"]
    assert batch.character_ids.tolist() == [[1, 1, 1, 2], [1, 9, 6, 0], [4, 2, 3, 0]]
    assert batch.forms.tolist() == [[0, 1, 0], [2, 1, 0]]
    assert batch.lengths.tolist() == [3, 2]
    assert {array.dtype for array in (batch.word_ids, batch.character_ids, batch.forms, batch.lengths)} == {
        np.dtype("i8")
    }


def test_a_batch_of_forms_without_characters_has_a_column_of_padding() -> None:
    table = FormTable(VOCABULARY)
    assert table.batch([table.rows(["\u200b"])]).character_ids.tolist() == [[PADDING]]


def test_a_form_table_grows_and_starts_afresh_when_it_is_full() -> None:
    table = FormTable(VOCABULARY, capacity=10_000)
    words = [f"word{number}" for number in range(9_999)] + ["Mira"]
    rows = table.rows(words)
    assert rows.tolist() == list(range(10_000))
    assert table.batch([rows[-1:]]).word_ids.tolist() == [[3]]
    assert table.rows(["Mira"]).tolist() == [9_999]
    table.reserve()
    assert table.rows(["the", "Mira"]).tolist() == [0, 1]
    assert table.batch([table.rows(["Mira"])]).word_ids.tolist() == [[3]]


def test_a_table_that_is_not_full_keeps_its_rows() -> None:
    table = FormTable(VOCABULARY, capacity=3)
    table.rows(["a", "b"])
    table.reserve()
    assert table.rows(["b"]).tolist() == [1]
