from __future__ import annotations

import io
import json
import pickle
import re
from typing import get_args

import pytest
from rich.console import Console

from nertag.config import OutputFormat
from nertag.text import DOCSTART, Passage, TaggedPassage
from nertag.writers import OutputSettings, joins, make_renderer, make_sink
from nertag.writers.lines import ConllWriter, json_line, labels_line, tags_line
from nertag.writers.pretty import PrettyWriter


def tagged(text: str, tags: str, **passage: object) -> TaggedPassage:
    """Tag a text of words in single spaces; scores count down from 0.95 in steps of 0.05."""
    names = tags.split()
    scores = [0.95 - 0.05 * index for index in range(len(names))]
    return TaggedPassage(Passage(text, text.split(), **passage), names, scores)  # type: ignore[arg-type]


NAMES = tagged("we met Harry James Potter , Ron", "O O B-PER I-PER I-PER O B-PER")
NOBODY = tagged("nobody came", "O O")
EMPTY = tagged("", "")
MARKER = TaggedPassage(Passage(DOCSTART, (), True), [], [])


def test_labels() -> None:
    assert [labels_line(passage) for passage in (NAMES, NOBODY, EMPTY, MARKER)] == [
        "0 0 1 1 1 0 1\n",
        "0 0\n",
        "\n",
        "",
    ]


def test_labels_of_one_token() -> None:
    assert [labels_line(tagged("x", tag)) for tag in ("O", "B-PER", "B-ORG")] == ["0\n", "1\n", "1\n"]


def test_tags() -> None:
    assert tags_line(NAMES) == "O O B-PER I-PER I-PER O B-PER\n"
    assert [tags_line(EMPTY), tags_line(MARKER)] == ["\n", ""]


def test_json_scores_a_mention_by_its_least_certain_token() -> None:
    found = json.loads(json_line(NAMES))
    assert list(found) == ["text", "tokens", "labels", "tags", "mentions"]
    assert [(mention["text"], mention["score"]) for mention in found["mentions"]] == [
        ("Harry James Potter", 0.75),
        ("Ron", 0.65),
    ]
    assert list(found["mentions"][0]) == ["start", "end", "token_start", "token_end", "text", "label", "score"]


def test_json_keeps_text_readable_and_fields_first() -> None:
    line = json_line(tagged("Zoë", "B-PER", fields={"ïd": "1.0", "a": "[ 1 ]"}))
    assert line.startswith('{"ïd": 1.0, "a": [ 1 ], "text": "Zoë", "tokens": ["Zoë"]')
    assert json_line(MARKER) == ""


def test_json_tells_file_and_line_where_there_is_a_name_and_nothing_else_tells_them() -> None:
    assert json_line(tagged("x", "O", source="a.txt", line=3)).startswith('{"file": "a.txt", "line": 3, "text": "x"')
    for source in ("-", "--text"):
        assert json_line(tagged("x", "O", source=source, line=3)).startswith('{"text": "x"')
    assert json_line(tagged("x", "O", source="a.jsonl", line=3, fields={})).startswith('{"text": "x"')


def test_an_object_that_looks_like_a_marker_gets_its_answer() -> None:
    passage = Passage(DOCSTART, (), fields={})
    assert labels_line(TaggedPassage(passage, [], [])) == "\n"
    assert json.loads(json_line(TaggedPassage(passage, [], [])))["text"] == DOCSTART


def test_conll_parts_documents_by_a_second_empty_line() -> None:
    write = ConllWriter()
    passages = [
        tagged("", "", starts_document=True),
        tagged("a", "O", starts_document=True),
        tagged("b", "B-PER"),
        tagged("", ""),
        tagged("", "", starts_document=True),
        tagged("c", "O"),
        TaggedPassage(Passage(DOCSTART, (), True), [], []),
        tagged("d", "O", starts_document=True),
    ]
    assert [write(passage) for passage in passages] == [
        "",
        "a\tO\n\n",
        "b\tB-PER\n\n",
        "",
        "",
        "\nc\tO\n\n",
        "-DOCSTART-\tO\n\n",
        "d\tO\n\n",
    ]


def test_a_token_cannot_break_a_conll_line() -> None:
    passage = Passage("a\tb\nc\u2028d", ["a\tb\nc\u2028d"])
    assert ConllWriter()(TaggedPassage(passage, ["O"], [1.0])) == "a b c d\tO\n\n"


def pretty(color_system: str | None) -> PrettyWriter:
    terminal = Console(file=io.StringIO(), force_terminal=True, color_system=color_system, width=10)  # type: ignore[arg-type]
    return PrettyWriter(terminal)


def test_pretty_highlights_and_does_not_wrap() -> None:
    magenta, end = "\x1b[1;35m", "\x1b[0m"
    assert pretty("standard")(NAMES) == f"we met {magenta}Harry James Potter{end} , {magenta}Ron{end}\n"
    assert pretty("standard")(EMPTY) == "\n"
    assert pretty("standard")(MARKER) == ""


def test_pretty_gives_every_label_its_colour() -> None:
    write = pretty("standard")
    assert re.findall(r"\[1;(\d+)m(\w+)", write(tagged("Acme hired Ron", "B-ORG O B-PER"))) == [
        ("35", "Acme"),
        ("36", "Ron"),
    ]
    assert re.findall(r"\[1;(\d+)m(\w+)", write(tagged("Ron", "B-PER"))) == [("36", "Ron")]


def test_pretty_puts_brackets_where_there_are_no_colours() -> None:
    assert pretty(None)(NAMES) == "we met [Harry James Potter] , [Ron]\n"
    assert pretty(None)(tagged("Acme hired Ron", "B-ORG O B-PER")) == "[Acme ORG] hired [Ron]\n"


@pytest.mark.parametrize("color_system", ["standard", None])
def test_pretty_sends_no_control_characters_of_the_text(color_system: str | None) -> None:
    text = "".join(map(chr, range(1, 0x20))) + "\x7f" + "".join(map(chr, range(0x80, 0xA0))) + "[red]x[/red]"
    drawn = pretty(color_system)(TaggedPassage(Passage(text, text.split()), ["O"] * len(text.split()), [1.0]))
    assert [character for character in drawn if not character.isprintable() and character not in " \t\n"] == []
    assert drawn.endswith("[red]x[/red]\n")


def written(settings: OutputSettings, *passages: TaggedPassage) -> str:
    """Send passages through both halves of a format, by way of a pickle as between processes."""
    settings = pickle.loads(pickle.dumps(settings))
    sink = make_sink(settings, no_console)
    render = make_renderer(settings)
    pieces = pickle.loads(pickle.dumps([render(passage) for passage in passages]))
    if joins(settings):
        pieces = ["".join(pieces)]
    parts = [sink.begin(), *(sink.write(piece) for piece in pieces), *sink.finish()]
    return "".join(part if isinstance(part, str) else part.decode("latin-1") for part in parts)


def no_console() -> Console:
    raise AssertionError("no console is needed")


KINDS: dict[OutputFormat, str] = {
    "labels": "0 0\n",
    "tags": "O O\n",
    "conll": "nobody\tO\ncame\tO\n\n",
    "jsonl": '{"text": "nobody came"',
    "csv": "file,line,start,end,text,label,score\n",
    "parquet": "PAR1",
    "markup": "nobody came\n",
    "redact": "nobody came\n",
    "pseudonyms": "nobody came\n",
    "names": "name\tlabel\tcount\tfiles\tfirst\n",
    "html": "<!DOCTYPE html>\n",
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_pretty_needs_a_console(kind: OutputFormat) -> None:
    assert written(OutputSettings(kind), NOBODY).startswith(KINDS[kind])


def test_pretty_draws_with_its_console() -> None:
    assert {*KINDS, "pretty"} == set(get_args(OutputFormat))
    sink = make_sink(OutputSettings("pretty"), lambda: Console(file=io.StringIO()))
    assert sink.write(make_renderer(OutputSettings("pretty"))(NAMES)) == "we met [Harry James Potter] , [Ron]\n"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("parquet", "html")])
def test_a_marker_is_no_text(kind: OutputFormat) -> None:
    expected = written(OutputSettings(kind)) + ("-DOCSTART-\tO\n\n" if kind == "conll" else "")
    assert written(OutputSettings(kind), MARKER) == expected


def test_the_secret_is_not_shown() -> None:
    assert "0123456789abcdef" not in repr(OutputSettings("pseudonyms", key=b"0123456789abcdef"))
