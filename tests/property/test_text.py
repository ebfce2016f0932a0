from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertag import text as text_module
from nertag.text import cut_windows, split_words, tokenize

# Any text, half surrogate pairs included, and texts made of what the tokenizer has rules about.
PIECES = [
    "Harry",
    "O'Connor",
    "'s",
    "’s",
    "n't",
    ".",
    "...",
    "J.",
    "U.S.",
    "Mr.",
    "@ron",
    "#ron",
    "a@b.org",
    "www.",
    "-",
]
PIECES += [
    "http://x.org/",
    "_",
    "10",
    ",",
    '"',
    "(",
    ":-)",
    "&amp;",
    "👩",
    "\u200d",
    "👍",
    "🏽",
    "🇬",
    "🇧",
    "\u0301",
    " ",
    "\n",
]
TEXTS = st.one_of(st.text(st.characters(exclude_categories=[])), st.lists(st.sampled_from(PIECES)).map("".join))


@given(TEXTS)
def test_every_character_that_is_no_white_space_is_in_exactly_one_token(text: str) -> None:
    words = split_words(text)
    assert "".join(words) == "".join(text.split())
    assert all(word and not any(character.isspace() for character in word) for word in words)


@given(TEXTS)
def test_tokens_stand_in_the_text_in_order(text: str) -> None:
    end = 0
    for token in tokenize(text):
        assert text[token.start : token.end] == token.text
        assert not text[end : token.start].strip()
        end = token.end
    assert not text[end:].strip()


@given(TEXTS, TEXTS)
def test_white_space_parts_texts(left: str, right: str) -> None:
    assert split_words(f"{left} {right}") == split_words(left) + split_words(right)


@given(TEXTS)
def test_long_texts_and_long_chunks_are_split_like_short_ones(text: str) -> None:
    expected = split_words(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "_LONG_TEXT", 0)
        assert split_words(text) == expected


AROUND = [(before, after) for before in text_module._BEFORE for after in text_module._AFTER]


WORDS = (
    "word I Mr x Ph St said etc D p www http n in-law in- -law e-_a out--I he--no St--St he--in-law he---no --".split()
)
WORDS += "don't N't can'T Olsen's O'Neil a's-b 'tis rock'n'roll dogs' y'all--we Mira's--no".split()
WORDS += ["x" * 61 + "'s", "x" * 62 + "'s"]


@pytest.mark.parametrize("word", WORDS)
def test_words_with_signs_around_them_are_split_as_the_rules_do(word: str) -> None:
    for before, after in AROUND:
        chunk = before + word + after
        assert text_module.split_chunk(chunk) == text_module._split_by_rules(chunk, text_module._rules(False))


@given(TEXTS)
def test_short_cuts_split_as_the_rules_do(text: str) -> None:
    for chunk in text.split():
        parts = {chunk, "".join(filter(str.isascii, chunk)), *(before + chunk + after for before, after in AROUND)}
        for part in parts:
            assert text_module.split_chunk(part) == text_module._split_by_rules(part, text_module._rules(False))


@given(
    st.lists(st.sampled_from(["a", ".", "”", "!"])),
    st.dictionaries(st.integers(0, 60), st.booleans()),
    st.integers(2, 9),
)
def test_windows_cover_a_document_without_gap_or_overlap(
    words: list[str], borders: dict[int, bool], limit: int
) -> None:
    end = 0
    for start, next_end in cut_windows(words, borders, limit):
        assert start == end < next_end <= start + limit
        end = next_end
    assert end == len(words)
