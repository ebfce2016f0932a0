"""What holds for formats that give the text back or say who is meant, whatever the text and the tags."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html import unescape
from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from nertag.labels import tags_of
from nertag.pipeline import join_names
from nertag.readers import parse
from nertag.sections import Section
from nertag.text import Passage, TaggedPassage
from nertag.writers.page import PageSink, show
from nertag.writers.people import People, form_of
from nertag.writers.pseudonyms import Pseudonyms
from nertag.writers.replaced import Redactor, cut, markup
from nertag.writers.table import csv_lines, mention_rows

TAGS = tags_of(["PER", "ORG"])
# Line ends, escapes, brackets and what is more than one code point more often than chance would have them.
TEXTS = st.lists(
    st.text(max_size=6)
    | st.sampled_from(["\n", "\r\n", "\r", "\x85", "&amp;", "<", ">", "</PER>", "Tom ", " "])
    | st.sampled_from(["\0", "\f", "\u200b", "e\u0301", "\u05e9\u05dc\u05d5\u05dd", "\u202e"])
    | st.sampled_from(["\U0001f469\u200d\U0001f680", "\U0001f1e9\U0001f1ea"])
).map("".join)


@st.composite
def tagged_texts(draw: st.DrawFn) -> tuple[str, list[TaggedPassage]]:
    """A text and its lines, with valid tags drawn at random; names may run over the ends of lines."""
    text = draw(TEXTS).removeprefix("\ufeff")
    chance: Any = draw(st.randoms())
    lines = [tag_by_chance(passage, chance) for passage in parse(Section("a", 1, text, "text", "file"))]
    for index, (before, line) in enumerate(zip(lines, lines[1:], strict=False), 1):
        if before.tags and line.tags and before.tags[-1][2:] == line.tags[0][2:] != "":
            lines[index] = replace(line, continues=chance.random() < 0.7)
    return text, list(join_names(lines)) if draw(st.booleans()) else lines


def tag_by_chance(passage: Passage, chance: Any) -> TaggedPassage:
    tags: list[str] = []
    for _ in passage.words:
        before = tags[-1] if tags else "O"
        tags.append(chance.choice([tag for tag in TAGS if tag[0] != "I" or tag[2:] == before[2:]]))
    return TaggedPassage(passage, tags, [chance.random() for _ in tags])


@given(tagged_texts())
def test_markup_without_its_tags_is_the_text(case: tuple[str, list[TaggedPassage]]) -> None:
    text, passages = case
    marked = "".join(map(markup, passages))
    assert unescape_three(re.sub(r"</?(?:PER|ORG)>", "", marked)) == text
    assert re.findall(r"<(PER|ORG)>(.*?)</\1>", marked, re.DOTALL) == [
        (mention.label, mention.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
        for passage in passages
        for mention in passage.mentions()
    ]


def unescape_three(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@given(tagged_texts())
def test_markup_parses(case: tuple[str, list[TaggedPassage]]) -> None:
    text, passages = case
    forbidden = r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # XML has no way to write these.
    root = ElementTree.fromstring(f"<text>{re.sub(forbidden, '', ''.join(map(markup, passages)))}</text>")
    lines = re.sub(forbidden, "", text).replace("\r\n", "\n").replace("\r", "\n")
    assert "".join(root.itertext()) == lines
    assert [child.tag for child in root] == [mention.label for passage in passages for mention in passage.mentions()]


@given(tagged_texts())
def test_a_replacement_touches_nothing_but_mentions(case: tuple[str, list[TaggedPassage]]) -> None:
    text, passages = case
    redacted = "".join(map(Redactor("\x00"), passages))
    between = [part for passage in passages for part in outside(passage)]
    if "\x00" not in text:
        assert redacted.count("\x00") == sum(len(passage.mentions()) for passage in passages)
        assert redacted.replace("\x00", "") == "".join(between)
    assert "".join(map(Redactor("&\\1"), passages)).replace("&\\1", "").count("\n") == "".join(between).count("\n")


def outside(passage: TaggedPassage) -> list[str]:
    position, parts = 0, []
    for mention in passage.mentions():
        parts.append(passage.passage.text[position : mention.start])
        position = mention.end
    return [*parts, passage.passage.text[position:], passage.passage.ending]


@given(tagged_texts())
def test_csv_gives_the_mentions_back(case: tuple[str, list[TaggedPassage]]) -> None:
    _, passages = case
    lines = "".join(map(csv_lines, passages))
    rows = list(csv.reader(io.StringIO(lines, newline=""), strict=True)) if "\x00" not in lines else []
    if "\x00" not in lines:
        assert [(row[4], row[5]) for row in rows] == [
            (mention.text, mention.label) for passage in passages for mention in passage.mentions()
        ]


@given(tagged_texts())
def test_csv_says_where_a_mention_stands(case: tuple[str, list[TaggedPassage]]) -> None:
    text, passages = case
    lines = text.split("\n")
    for _, line, start, end, mention, *_ in (row for passage in passages for row in mention_rows(passage)):
        assert "\n".join(lines[line - 1 :])[start:end] == mention
        assert start < len(lines[line - 1])


@given(tagged_texts())
def test_the_page_shows_the_text(case: tuple[str, list[TaggedPassage]]) -> None:
    _, passages = case
    sink = PageSink()
    body = "".join(sink.write(show(passage)) for passage in passages)
    shown = unescape(re.sub(r"<[^>]*>", "", body)).removeprefix("a\n")
    pictures = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"} | {0x7F: "\u2421"}
    expected = "".join(passage.passage.text.replace("\r\n", "\n").translate(pictures) + "\n" for passage in passages)
    assert re.sub(r"[\x80-\x9f]", "\ufffd", expected) == shown


NAMES = st.lists(
    st.lists(
        st.sampled_from(
            "Hermione H. Edward Granger Tom T. Weaver van J.R. Jr. Sr. Dr. GRANGER García Márquez 's".split()
        )
        | st.text(min_size=1, max_size=3),
        min_size=1,
        max_size=4,
    ).map(" ".join),
    max_size=25,
)


@given(NAMES)
def test_two_runs_with_one_mapping_agree(names: list[str]) -> None:
    first = Pseudonyms()
    given_first = [first["PER", name] for name in names]
    second = Pseudonyms(first.entries())
    assert [second["PER", name] for name in names] == given_first
    third = Pseudonyms(second.entries())
    assert list(third.entries()) == list(first.entries())
    assert [third["PER", name] for name in names] == given_first


@given(NAMES, NAMES)
def test_later_runs_agree_with_one_another(names: list[str], others: list[str]) -> None:
    first = Pseudonyms()
    for name in names:
        first["PER", name]
    second = Pseudonyms(first.entries())
    given_second = [second["PER", name] for name in others]
    third = Pseudonyms(second.entries())
    assert [third["PER", name] for name in others] == given_second


@given(NAMES)
def test_a_full_name_means_one_person_and_numbers_have_no_gaps(names: list[str]) -> None:
    people = People()
    persons = [people.resolve(name) for name in names]
    by_form = {}
    for name, person in zip(names, persons, strict=True):
        if not form_of(name).is_bare:
            assert by_form.setdefault(form_of(name), person) == person
    assert sorted(set(persons)) == list(range(len(set(persons))))


@given(tagged_texts())
def test_pieces_of_pseudonyms_hold_the_whole_text(case: tuple[str, list[TaggedPassage]]) -> None:
    text, passages = case
    parts = [cut(passage) for passage in passages]
    assert "".join(part.joined([name for _, name in part.names]) for part in parts if part) == text
