from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertag import chunks as chunks_module
from nertag.chunks import LONGEST_KEY, OTHER_SPACES, ChunkIndex, find_chunks, keys_of

TEXT = "  Mira,\x00said \u201cno\u201d\n\n\u3000so\x1cwas\u00a0it\x85\r\n\ud800 x"


def texts_of(text: str) -> list[str]:
    """Return the chunks that are found in a text."""
    chunks = find_chunks(text)
    return chunks.texts(np.arange(len(chunks.starts)))


@given(st.text())
def test_text_is_parted_as_python_does(text: str) -> None:
    for one in (text, " " + text, text + "\n", TEXT + text):
        assert texts_of(one) == one.split()


def test_white_space_is_what_python_takes_for_it() -> None:
    signs = [chr(code) for code in range(sys.maxunicode + 1)]
    assert [sign for sign in signs if sign.isspace() and not sign.isascii()] == list(OTHER_SPACES)
    assert texts_of("".join(f"a{sign}" for sign in signs[:128])) == "".join(f"a{sign}" for sign in signs[:128]).split()
    assert texts_of("a" + "a".join(OTHER_SPACES)) == ["a"] * len(OTHER_SPACES)


@pytest.mark.parametrize(
    ("text", "ends"),
    [("", [0]), ("\n", [0]), ("a b", [2]), ("a b\n", [2]), ("a\n\nb c\n d", [1, 1, 3, 4]), (" \n\n", [0, 0])],
)
def test_lines_end_after_their_chunks(text: str, ends: list[int]) -> None:
    assert find_chunks(text).ends.tolist() == ends


def test_keys_differ_where_chunks_do() -> None:
    words = [
        "a",
        "a\0",
        "\0",
        "\0\0",
        "abcdefgh",
        "abcdefgh\0",
        "abcdefghi",
        "x" * LONGEST_KEY,
        "x" * (LONGEST_KEY - 1),
    ]
    keys = keys_of(find_chunks(" ".join(words + words[::-1])))
    pairs = list(zip(keys.first.tolist(), keys.second.tolist(), strict=True))
    assert pairs == pairs[::-1] and len(set(pairs)) == len(words)
    assert keys.short.all()


def test_long_chunks_have_no_key() -> None:
    keys = keys_of(find_chunks("x" * LONGEST_KEY + " " + "x" * (LONGEST_KEY + 1) + " \u00e9" * 8 + "\u00e9" * 8))
    assert keys.short.tolist() == [True, False, *[True] * 7, False]
    index = ChunkIndex(9)
    index.keep(keys, np.array([1]), np.array([1], np.int32))
    assert not index.find(keys).any()


def test_an_index_knows_what_it_kept_until_it_is_cleared() -> None:
    index = ChunkIndex(3)
    keys = keys_of(find_chunks("a b c d a"))
    assert index.find(keys).tolist() == [0] * 5
    index.keep(keys, np.array([0, 2, 3, 4]), np.array([2, 3, 4, 2], np.int32))  # There is no room for the number 4.
    assert index.find(keys).tolist() == [2, 0, 3, 0, 2]
    index.clear()
    assert index.find(keys).tolist() == [0] * 5


def test_of_two_chunks_in_one_place_the_later_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks_module, "_PLACES", 0)
    index = ChunkIndex(3)
    keys = keys_of(find_chunks("a b"))
    assert keys.places.tolist() == [0, 0]
    index.keep(keys, np.array([0]), np.array([1], np.int32))
    assert index.find(keys).tolist() == [1, 0]
    index.keep(keys, np.array([1]), np.array([2], np.int32))
    assert index.find(keys).tolist() == [0, 2]
