from __future__ import annotations

import tracemalloc

import pytest

from nertag.text import (
    Mention,
    Passage,
    TaggedPassage,
    Token,
    cut_windows,
    ends_sentence,
    split_words,
    tokenize,
)

# --- Tokens: each line is a text; the tokens are parted by single spaces in the second --------------------------------

CASES = [
    ("Harry, Ron (and Hermione) waved.", "Harry , Ron ( and Hermione ) waved ."),
    ("Harry's owl and the Weasleys' car", "Harry 's owl and the Weasleys ' car"),
    ("Zoë’s owl, JAMES'S owl", "Zoë ’s owl , JAMES 'S owl"),
    ("I don't, he won’t, we'll, they'VE, I'm, she'd", "I do n't , he wo n’t , we 'll , they 'VE , I 'm , she 'd"),
    ("the U.S.'s and the 1990's", "the U.S. 's and the 1990 's"),
    ("O'Connor, D’Angelo, M'Gregor, ma'am, o'clock", "O'Connor , D’Angelo , M'Gregor , ma'am , o'clock"),
    ("O'Connor's Jean-Luc's", "O'Connor 's Jean-Luc 's"),
    ("Jean-Luc Smith-Jones—he waved--twice", "Jean-Luc Smith-Jones — he waved -- twice"),
    ("J.R.R. Tolkien, J.-P. Martin, J. K. Rowling", "J.R.R. Tolkien , J.-P. Martin , J. K. Rowling"),
    ("J.K.Rowling met A.Smith and Mr.Brown", "J.K. Rowling met A. Smith and Mr. Brown"),
    ("Mr. and Mrs. Brown, Ph.D., Wm. Jones Jr.", "Mr. and Mrs. Brown , Ph.D. , Wm. Jones Jr."),
    ("MR. BROWN of St. Ives", "MR. BROWN of St. Ives"),
    ("It was I. It was me. No. Yes.", "It was I . It was me . No . Yes ."),
    ("the U.S. army, the U.S and U.S.-led talks at 9 a.m.", "the U.S. army , the U.S and U.S.-led talks at 9 a.m."),
    ("write to ron.w+owl@post.example.org.", "write to ron.w+owl@post.example.org ."),
    ("see https://example.org/a_(b)?x=1&y=2#z, or www.example.org.", None),
    ("(http://example.org/Harry)", "( http://example.org/Harry )"),
    ("@harry_p: hi #TeamRon! #1", "@harry_p : hi #TeamRon ! # 1"),
    ("10,000.50 at 12:30 on 1/2/1999, 3.5% of $20", "10,000.50 at 12:30 on 1/2/1999 , 3.5 % of $ 20"),
    ("wait... what?! no!!! -- * * * ***", "wait ... what ? ! no !!! -- * * * ***"),
    ("'Harry,' she said, \"Ron!\"", "' Harry , ' she said , \" Ron ! \""),
    ("“Harry,” ‘Ron’ «Luna» „Ginny“", "“ Harry , ” ‘ Ron ’ « Luna » „ Ginny “"),
    ('""Harry"" ((Ron)) [[Luna]]', '" " Harry " " ( ( Ron ) ) [ [ Luna ] ]'),
    ("_Harry_ __Ron__ snake_case", "_ Harry _ __ Ron __ snake_case"),
    ("Get 'em, rock 'n' roll", "Get 'em , rock 'n ' roll"),
    ("Harry/Ron AT&T R&B Tom &amp; Luna", "Harry / Ron AT&T R&B Tom &amp; Luna"),
    ("fine :-) or :( or =D: ok", "fine :-) or :( or =D : ok"),
    ("Zoe\u0308 Đặng Łukasz محمد 王力宏 अमित", "Zoe\u0308 Đặng Łukasz محمد 王力宏 अमित"),
    ("王力宏，林黛玉。", "王力宏 ， 林黛玉 。"),
    ("👩‍👩‍👧 👍🏽 ❤️ 🇬🇧 :)", "👩‍👩‍👧 👍🏽 ❤️ 🇬🇧 :)"),
    ("Harry🎉Ron", "Harry 🎉 Ron"),
    (" \t\u00a0\u2003\x85\x1f", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "tokens"), CASES)
def test_split_words(text: str, tokens: str | None) -> None:
    expected = "see https://example.org/a_(b)?x=1&y=2#z , or www.example.org ." if tokens is None else tokens
    assert split_words(text) == expected.split(" ") if expected else split_words(text) == []


def test_tokens_stand_in_the_text() -> None:
    assert tokenize("  Ron's,\tRon") == [Token("Ron", 2, 5), Token("'s", 5, 7), Token(",", 7, 8), Token("Ron", 9, 12)]


def test_a_huge_line_is_split_like_a_small_one() -> None:
    line = "Harry's  owl,\u2028Ron "
    assert split_words(line * 10_000) == split_words(line) * 10_000


@pytest.mark.parametrize(
    "piece",
    ["a", "a+", "a@", "@a", ".", "www.", "http://(", "1,", "A.", "A.-", "'s", "_", "#1", "&#1", ":)", "a-a'a.a_"],
)
def test_a_huge_token_is_split_in_one_pass(piece: str) -> None:
    """Quadratic time on a million characters would be days: the time limit of the tests would end it."""
    text = piece * (1_000_000 // len(piece))
    assert "".join(split_words(text)) == text


def test_long_chunks_do_not_fill_the_cache() -> None:
    tracemalloc.start()
    for number in range(200):
        split_words(f"{number}-" + "x" * 10_000)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1_000_000


# --- Passages ---------------------------------------------------------------------------------------------------------


def test_repeated_words_are_found_where_they_stand() -> None:
    assert Passage("a a  aa", ["a", "a", "a", "a"]).tokens() == [
        Token("a", 0, 1),
        Token("a", 2, 3),
        Token("a", 5, 6),
        Token("a", 6, 7),
    ]


def test_mentions_have_their_place_and_the_score_of_their_least_certain_token() -> None:
    passage = Passage("Ron met  Ron\tWeasley, Acme", ["Ron", "met", "Ron", "Weasley", ",", "Acme"])
    tagged = TaggedPassage(passage, ["O", "O", "B-PER", "I-PER", "O", "B-ORG"], [0.9, 0.9, 0.8, 0.7, 0.9, 0.6])
    assert tagged.mentions() == [
        Mention(9, 20, 2, 4, "Ron\tWeasley", "PER", 0.7),
        Mention(22, 26, 5, 6, "Acme", "ORG", 0.6),
    ]
    assert tagged.labels == [0, 0, 1, 1, 0, 1]


def test_adjacent_mentions_stay_two() -> None:
    tagged = TaggedPassage(Passage("Ron Harry", ["Ron", "Harry"]), ["B-PER", "B-PER"], [0.9, 0.8])
    assert [(mention.text, mention.start, mention.end) for mention in tagged.mentions()] == [
        ("Ron", 0, 3),
        ("Harry", 4, 9),
    ]


@pytest.mark.parametrize("tags", [[], ["O"], ["O", "O"]])
def test_without_names_there_are_no_mentions(tags: list[str]) -> None:
    words = ["x"] * len(tags)
    assert TaggedPassage(Passage(" ".join(words), words), tags, [1.0] * len(tags)).mentions() == []


# --- Windows ----------------------------------------------------------------------------------------------------------


def windows(text: str, limit: int, borders: dict[int, bool] | None = None) -> list[str]:
    words = text.split()
    return [" ".join(words[start:end]) for start, end in cut_windows(words, borders or {}, limit)]


def test_what_fits_is_one_window() -> None:
    assert windows("", 4) == []
    assert windows("a b . c", 4) == ["a b . c"]


def test_windows_end_with_sentences_where_they_can() -> None:
    assert windows("a b . c d e . f g h i . j k", 8) == ["a b . c d e .", "f g h i . j k"]
    assert windows("a b . c d e . f g h i . j k", 6)[0] == "a b ."


def test_without_sentence_ends_windows_end_with_passages_or_at_the_limit() -> None:
    assert windows("a b c d e f g h i j k l", 4, {3: False, 7: False, 11: False}) == [
        "a b c",
        "d e f g",
        "h i j",
        "k l",
    ]
    assert windows("a b c d e f g h i j k l", 4) == ["a b c d", "e f g h", "i j k l"]


def test_a_sure_sentence_end_counts_like_a_full_stop() -> None:
    assert windows("a b c d e f g h", 4, {2: True, 3: False, 4: False}) == ["a b", "c d", "e f g h"]


def test_the_last_two_windows_are_about_equal() -> None:
    assert windows("a b c d e", 4) == ["a b c", "d e"]


@pytest.mark.parametrize(
    ("text", "end", "ends"),
    [
        ("he left .", 3, True),
        ("he left . Ron", 3, True),
        ("he left . Ron", 2, False),
        ("he left . ” Ron", 3, False),
        ("he left . ” Ron", 4, True),
        ("“ no ! ” ) Ron", 5, True),
        ("he said ” Ron", 3, False),
        ("” Ron", 1, False),
    ],
)
def test_quotes_and_brackets_close_with_their_sentence(text: str, end: int, ends: bool) -> None:
    assert ends_sentence(text.split(), end) is ends
