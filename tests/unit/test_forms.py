from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertag import chunks
from nertag import forms as forms_module
from nertag.features import shape_of
from nertag.forms import Forms
from nertag.text import CLOSES, ENDS_SENTENCE, split_words

ENCODED: list[str] = []


def encode(forms: Sequence[str]) -> npt.NDArray[np.float32]:
    """Give a form its length and the number of its first character."""
    ENCODED.extend(forms)
    return np.array([[len(form), ord(form[0])] for form in forms], np.float32)


def new_table() -> Forms:
    """Return an empty table; what it encodes is in ENCODED."""
    ENCODED.clear()
    return Forms(encode, 2)


def test_every_form_is_encoded_once() -> None:
    table = new_table()
    assert table.rows(["b", "aa", "b"]).tolist() == [0, 1, 0]
    assert table.rows(["ccc", "aa", "ccc"]).tolist() == [2, 1, 2]
    assert ENCODED == table.names == ["b", "aa", "ccc"]
    assert table.vectors.tolist() == [[1, 98], [2, 97], [3, 99]]
    assert table.rows([]).tolist() == []


def test_chunks_become_the_rows_of_their_tokens() -> None:
    table = new_table()
    for _ in range(2):
        rows, ends = table.split("Potter,\"\n\n said\tsaid.\nPotter's")
        names = [table.names[row] for row in rows]
        assert names == ["Potter", ",", '"', "said", "said", ".", "Potter", "'s"]
        assert ends.tolist() == [3, 3, 6, 8]
    assert len(ENCODED) == 6
    assert [array.tolist() for array in table.split("")] == [[], [0]]


@given(st.lists(st.text(max_size=40), max_size=30))
def test_lines_are_split_as_each_would_be(texts: list[str]) -> None:
    table = new_table()
    lines = [*" ".join(texts).split("\n"), "end"]
    words = [split_words(line) for line in lines]
    for text in ("\n".join(lines), "\n".join(lines) + "\n"):
        rows, ends = table.split(text)
        assert [table.names[row] for row in rows] == list(chain.from_iterable(words))
        assert ends.tolist() == list(accumulate(map(len, words)))


def test_chunks_that_meet_in_the_index_or_are_too_long_for_it_keep_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "_PLACES", 3)
    table = new_table()
    words = [f"{'x' * (number % 20)}{number}" for number in range(400)]
    for _ in range(3):
        rows, _ = table.split(" ".join(words))
        assert [table.names[row] for row in rows] == words
    assert len(ENCODED) == 400


def test_kinds_say_where_sentences_end() -> None:
    table = new_table()
    kinds = table.kinds(table.rows(["Mira", "left", ".", '"', ")", "!"]))
    assert kinds.tolist() == [0, 0, ENDS_SENTENCE, CLOSES, CLOSES, ENDS_SENTENCE]


def test_shapes_and_words_are_made_up_for_as_forms_come() -> None:
    table = new_table()
    for words in (["mira", "Mira"], ["Olsen", "MIRA"], ["Mira"]):
        rows = table.rows(words)
        shapes, numbers = table.shapes(rows), table.words(rows)
        assert shapes.tolist() == [shape_of(word) for word in words]
        assert numbers.tolist() == [{"mira": 0, "olsen": 1}[word.lower()] for word in words]


def test_a_full_table_starts_afresh_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms_module, "CAPACITY", 3)
    table = new_table()
    table.rows(["a", "b"])
    table.reserve()
    assert table.rows(["b"]).tolist() == [1]
    table.split("c.")
    table.reserve()
    assert table.rows(["b", "a"]).tolist() == [0, 1]
    assert table.names == ["b", "a"]
    table.split("c.")
    assert table.names == ["b", "a", "c", "."]


def test_long_forms_fill_a_table_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms_module, "_HELD", 100)
    table = new_table()
    table.split("x" * 60)
    table.reserve()
    assert table.names == []


def test_a_table_grows_beyond_what_is_encoded_at_once() -> None:
    table = new_table()
    words = [f"{number}" for number in range(5000)]
    assert table.rows(words).tolist() == list(range(5000))
    assert table.vectors[:, 0].tolist() == list(map(len, words))
