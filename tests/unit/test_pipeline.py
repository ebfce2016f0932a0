"""Names that run over the end of a line, and paragraphs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertag import writers
from nertag.pipeline import SectionTagger, join_names, join_paragraphs
from nertag.readers import parse
from nertag.sections import Section
from nertag.text import Passage, TaggedPassage


class CapitalTagger:
    """Takes words in capitals for names, also over the end of a line; what that cuts goes on in the next one."""

    def tag_passages(self, passages: Iterable[Passage | None]) -> Iterator[TaggedPassage]:
        inside = False
        for passage in passages:
            assert passage is not None
            tags: list[str] = []
            goes_on = inside and not passage.starts_document and passage.words[:1] != [] and passage.words[0].istitle()
            for word in passage.words:
                before = tags[-1:] if tags else []
                tags.append("O" if not word.istitle() else "I-PER" if before and before != ["O"] else "B-PER")
            inside = tags[-1:] not in ([], ["O"])
            yield TaggedPassage(passage, tags, [0.5] * len(tags), goes_on)

    def label_lines(self, text: str, *, alone: bool) -> tuple[Any, Any]:
        raise AssertionError


def lines_of(text: str, document: Any = "file") -> list[TaggedPassage]:
    return list(CapitalTagger().tag_passages(parse(Section("book.txt", 1, text, "text", document))))


def tag(text: str, kind: Any, document: Any = "file") -> str:
    """Return what is written for a text in a format whose pieces are text."""
    section = Section("book.txt", 1, text, "text", document)
    return "".join(SectionTagger(CapitalTagger(), writers.OutputSettings(kind))(section).pieces)


TEXT = "we met Mira\r\nOlsen and Tom\n\nAda ran\n"


def test_a_name_over_the_end_of_a_line_is_one_mention() -> None:
    found = list(join_names(lines_of(TEXT)))
    assert [(each.passage.text, each.passage.ending, each.passage.line) for each in found] == [
        ("we met Mira\r\nOlsen and Tom", "\n", 1),
        ("", "\n", 3),
        ("Ada ran", "\n", 4),
    ]
    assert [[mention.text for mention in each.mentions()] for each in found] == [["Mira\r\nOlsen", "Tom"], [], ["Ada"]]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("markup", "we met <PER>Mira\r\nOlsen</PER> and <PER>Tom</PER>\n\n<PER>Ada</PER> ran\n"),
        ("redact", "we met [PERSON] and [PERSON]\n\n[PERSON] ran\n"),
        (
            "csv",
            'book.txt,1,7,18,"Mira\r\nOlsen",PER,0.5\nbook.txt,2,10,13,Tom,PER,0.5\nbook.txt,4,0,3,Ada,PER,0.5\n',
        ),
        ("tags", "O O B-PER\nB-PER O B-PER\n\nB-PER O\n"),
    ],
)
def test_formats_that_do_not_answer_line_by_line_know_of_it(kind: str, expected: str) -> None:
    assert tag(TEXT, kind) == expected


def test_json_lines_answer_line_by_line_or_by_paragraphs() -> None:
    assert tag(TEXT, "jsonl").count("\n") == 4
    first, second = tag(TEXT, "jsonl", "paragraph").splitlines()
    assert '"line": 1, "text": "we met Mira\\r\\nOlsen and Tom", ' in first
    assert '"text": "Mira\\r\\nOlsen"' in first
    assert '"line": 4, "text": "Ada ran", ' in second


def test_nothing_runs_over_a_line_that_stands_alone() -> None:
    assert tag(TEXT, "markup", "line").startswith("we met <PER>Mira</PER>\r\n<PER>Olsen</PER>")


TEXTS = st.lists(st.sampled_from(["Mira", "ran", " ", "\n", "\r\n", "\r", "\x85", "\x0c", "\n\n"])).map("".join)


@given(TEXTS)
def test_joined_lines_are_the_text(text: str) -> None:
    lines = lines_of(text)
    joined = list(join_names(lines))
    assert "".join(each.passage.text + each.passage.ending for each in joined) == text
    assert [score for each in joined for score in each.scores] == [score for line in lines for score in line.scores]
    for each in joined:
        assert all(each.passage.text[mention.start : mention.end] == mention.text for mention in each.mentions())
        assert [word for word in each.passage.words] == each.passage.text.split()
    goes_on = sum(line.continues for line in lines)
    assert sum(len(each.mentions()) for each in joined) == sum(len(line.mentions()) for line in lines) - goes_on


@given(TEXTS)
def test_paragraphs_have_all_words_and_no_empty_line(text: str) -> None:
    joined = list(join_paragraphs(lines_of(text, "paragraph")))
    assert [word for each in joined for word in each.passage.words] == text.split()
    lines = [f"{line}\n" for line in text.split("\n")]
    for each in joined:
        assert all(line.strip() for line in each.passage.text.split("\n"))
        first, past = each.passage.line - 1, each.passage.line + each.passage.text.count("\n")
        assert "".join(lines[first:past]).startswith(each.passage.text + each.passage.ending)


def test_what_was_left_out_and_replaced_is_handed_on() -> None:
    section = Section(
        "a", 1, '{"text": "Tom"}\n{\n', "jsonl", "file", skip_bad_rows=True, replaced=3, encoding="cp1252"
    )
    result = SectionTagger(CapitalTagger(), writers.OutputSettings("tags"))(section)
    assert (result.pieces, result.fault) == (["B-PER\n"], None)
    assert result.notices is not None
    assert [str(error).partition(":")[0] for error in result.notices.skipped] == ["a"]
    assert result.notices[2:] == (3, "cp1252")
