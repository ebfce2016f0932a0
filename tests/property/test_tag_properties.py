"""What holds between input and output of tagging, whatever the text and whatever the tagger says."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertag import readers, sources
from nertag.config import InputFormat
from nertag.errors import InputError
from nertag.labels import tags_of
from nertag.sections import ReadSettings
from nertag.text import Passage, TaggedPassage, split_words
from nertag.writers.lines import ConllWriter, json_line, labels_line, tags_line

TEXTS = st.text()
ANY_TEXTS = st.text(st.characters(exclude_categories=[]))
TAGS = tags_of(["PER", "ORG"])


@st.composite
def tagged_passages(draw: st.DrawFn, texts: st.SearchStrategy[str] = ANY_TEXTS) -> TaggedPassage:
    """A text with valid tags drawn at random."""
    text = draw(texts)
    return tag_by_chance(Passage(text, split_words(text)), draw(st.randoms()))


def tag_by_chance(passage: Passage, chance: Any) -> TaggedPassage:
    tags: list[str] = []
    for _ in passage.words:
        before = tags[-1] if tags else "O"
        tags.append(chance.choice([tag for tag in TAGS if tag[0] != "I" or tag[2:] == before[2:]]))
    return TaggedPassage(passage, tags, [chance.random() for _ in tags])


def read(content: str | bytes, kind: InputFormat, piece: int = 1 << 16) -> list[Passage]:
    """Read what a file of this content holds, in pieces of some bytes."""
    stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
    chunks = iter(lambda: stream.read(piece), b"")
    sections = sources._sections(chunks, "file", ReadSettings(kind))
    return [passage for section in sections if section is not None for passage in readers.parse(section)]


@given(tagged_passages())
def test_offsets_give_the_mention(tagged: TaggedPassage) -> None:
    text, words = tagged.passage.text, tagged.passage.words
    for mention in tagged.mentions():
        assert text[mention.start : mention.end] == mention.text
        assert split_words(mention.text) == list(words[mention.token_start : mention.token_end])
        assert mention.score == min(tagged.scores[mention.token_start : mention.token_end])
        assert set(tagged.labels[mention.token_start : mention.token_end]) == {1}
    assert sum(tagged.labels) == sum(mention.token_end - mention.token_start for mention in tagged.mentions())


@given(tagged_passages())
def test_json_is_one_line_and_its_offsets_give_the_mention(tagged: TaggedPassage) -> None:
    line = json_line(tagged)
    assert line.index("\n") == len(line) - 1
    found = json.loads(line.encode("utf-8", "backslashreplace"))
    assert found["text"] == tagged.passage.text
    assert len(found["tokens"]) == len(found["labels"]) == len(found["tags"])
    for mention in found["mentions"]:
        assert found["text"][mention["start"] : mention["end"]] == mention["text"]


@given(TEXTS, st.integers(1, 7), st.randoms())
def test_there_is_one_line_of_labels_for_every_line_of_text(text: str, piece: int, chance: Any) -> None:
    text = text.removeprefix("\ufeff")
    passages = read(text, "text", piece)
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    assert [passage.text for passage in passages] == [line.removesuffix("\r") for line in lines]
    for write in (labels_line, tags_line):
        written = "".join(write(tag_by_chance(passage, chance)) for passage in passages)
        counts = [len(line.split()) for line in written.split("\n")[:-1]]
        assert counts == [len(split_words(line)) for line in lines]


@given(st.lists(st.lists(ANY_TEXTS.filter(bool), max_size=4), max_size=4))
def test_tokens_from_json_come_back_exactly(sentences: list[list[str]]) -> None:
    content = "".join(json.dumps({"tokens": tokens}) + "\n" for tokens in sentences)
    passages = read(content, "jsonl")
    assert [list(passage.words) for passage in passages] == sentences
    assert [passage.text for passage in passages] == [" ".join(tokens) for tokens in sentences]
    for passage in passages:
        assert [passage.text[token.start : token.end] for token in passage.tokens()] == passage.words


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ANY_TEXTS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(ANY_TEXTS, values, max_size=3),
    max_leaves=8,
)
OWN = {"text", "tokens", "labels", "tags", "mentions"}


@given(
    st.dictionaries(ANY_TEXTS.filter(lambda name: name not in OWN), JSON, max_size=4),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_other_fields_come_back_untouched(fields: dict[str, Any], readable: bool, indent: int | None) -> None:
    line = json.dumps({**fields, "text": "x"}, ensure_ascii=not readable, indent=indent).replace("\n", " ")
    if readable and not line.isascii():
        line = line.encode("utf-8", "backslashreplace").decode()
    (passage,) = read(line, "jsonl")
    found = json.loads(json_line(TaggedPassage(passage, ["O"], [1.0])))
    assert list(found.items())[: len(fields)] == list(fields.items())
    assert all(value in line for value in (passage.fields or {}).values())


@given(st.lists(st.lists(st.sampled_from(["Harry", "waved", "."]), max_size=3), max_size=8), st.randoms())
def test_conll_output_read_again_has_the_same_sentences_and_documents(sentences: list[list[str]], chance: Any) -> None:
    passages = [
        Passage(" ".join(words), words, starts_document=index == 0 or chance.random() < 0.3)
        for index, words in enumerate(sentences)
    ]
    write = ConllWriter()
    again = read("".join(write(tag_by_chance(passage, chance)) for passage in passages), "conll")
    expected: list[tuple[str, bool]] = []
    due = True
    for passage in passages:
        due |= passage.starts_document
        if passage.words:
            expected.append((passage.text, due))
            due = False
    assert [(passage.text, passage.starts_document) for passage in again] == expected


@pytest.mark.parametrize("kind", ["text", "tokens", "conll", "jsonl"])
@given(content=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_with_a_place(kind: InputFormat, content: bytes) -> None:
    try:
        passages = read(content, kind)
    except InputError as error:
        assert error.path == "file"
        assert error.message.startswith("damaged") or (error.line is not None and error.line >= 1)
    else:
        assert all(passage.line >= 1 for passage in passages)
