from __future__ import annotations

import os.path
from collections.abc import Iterable
from pathlib import Path

import pytest

from nertag import objects, readers, sections, sources
from nertag.config import DocumentUnit, InputFormat
from nertag.errors import ConfigError, InputError, NertagError
from nertag.sections import ReadSettings, Section
from nertag.text import Passage


def read(text: str | bytes, kind: InputFormat, folder: Path, document: DocumentUnit = "file") -> list[Passage]:
    """Read one file of this content."""
    path = folder / "input"
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return passages_of(sources.read([str(path)], ReadSettings(kind, document)))


def passages_of(sections: Iterable[Section | None]) -> list[Passage]:
    return [passage for section in sections if section is not None for passage in readers.parse(section)]


def documents(passages: Iterable[Passage]) -> list[tuple[str, bool]]:
    return [(passage.text, passage.starts_document) for passage in passages]


# --- Lines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"\n\n", ["", ""]),
        (b"a", ["a"]),
        (b"a\n\nb", ["a", "", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\rb\n", ["a\rb"]),
        ("a\x0bb\x0cc\x1cd\x85e\u2028f\n".encode(), ["a\x0bb\x0cc\x1cd\x85e\u2028f"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb", ["a", "\ufeffb"]),
        (b"\xef\xbb\xbf", [""]),
        (b"a\0b\n", ["a\0b"]),
    ],
)
def test_a_line_ends_at_a_line_feed_and_nowhere_else(content: bytes, lines: list[str], tmp_path: Path) -> None:
    passages = read(content, "text", tmp_path)
    assert [passage.text for passage in passages] == lines
    assert [passage.line for passage in passages] == list(range(1, len(lines) + 1))


# --- Sources ----------------------------------------------------------------------------------------------------------


def test_every_file_starts_a_document(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(f"{name}\n\n{name}\n", encoding="utf-8")
    passages = passages_of(sources.read([str(tmp_path / "a"), str(tmp_path / "b")], ReadSettings()))
    assert documents(passages) == [("a", True), ("", False), ("a", False), ("b", True), ("", False), ("b", False)]
    assert [(os.path.basename(passage.source), passage.line) for passage in passages][2:4] == [("a", 3), ("b", 1)]


def test_every_line_can_be_a_document(tmp_path: Path) -> None:
    assert documents(read("a\n\nb\n", "text", tmp_path, "line")) == [("a", True), ("", True), ("b", True)]
    assert documents(read("a\nb\n", "tokens", tmp_path, "line")) == [("a", True), ("b", True)]
    assert documents(read("a\n\nb\n", "conll", tmp_path, "line")) == [("a", True), ("b", True)]
    same = '{"doc": 1, "text": "a"}\n'
    assert documents(read(same * 2, "jsonl", tmp_path, "line")) == [("a", True), ("a", True)]


def test_a_literal_is_read_like_a_file_with_its_last_line_ended() -> None:
    assert [passage.text for passage in passages_of(sources.read_literal("a\n\nb", ReadSettings()))] == ["a", "", "b"]
    assert [passage.text for passage in passages_of(sources.read_literal("a\n", ReadSettings()))] == ["a"]
    assert [(passage.text, passage.source) for passage in passages_of(sources.read_literal("", ReadSettings()))] == [
        ("", "--text")
    ]


# --- Tokens and CoNLL -------------------------------------------------------------------------------------------------


def test_tokens_are_parted_by_white_space_and_documents_by_empty_lines(tmp_path: Path) -> None:
    passages = read("Harry's (owl)\t, .\n Ron \n\n-DOCSTART- -X-\nHe\n", "tokens", tmp_path)
    assert [passage.words for passage in passages] == [["Harry's", "(owl)", ",", "."], ["Ron"], [], [], ["He"]]
    assert documents(passages) == [
        ("Harry's (owl) , .", True),
        ("Ron", False),
        ("", True),
        ("", True),
        ("He", True),
    ]
    assert all(passage.ends_sentence for passage in passages)


CONLL = """\
-DOCSTART- -X- -X- O

Harry NNP I-NP B-PER
waved VBD I-VP O

Ron NNP I-NP B-PER


Ginny NNP I-NP B-PER
-DOCSTART-

Luna NNP I-NP B-PER"""


def test_conll_documents_start_at_docstart_and_after_two_empty_lines(tmp_path: Path) -> None:
    passages = read(CONLL, "conll", tmp_path)
    assert [(passage.text, list(passage.words), passage.starts_document, passage.line) for passage in passages] == [
        ("-DOCSTART-", [], True, 1),
        ("Harry waved", ["Harry", "waved"], True, 3),
        ("Ron", ["Ron"], False, 6),
        ("Ginny", ["Ginny"], True, 9),
        ("-DOCSTART-", [], True, 10),
        ("Luna", ["Luna"], True, 12),
    ]


def test_conll_columns_are_parted_by_tabs_if_there_are_any(tmp_path: Path) -> None:
    (sentence,) = read("New York\tNNP\nis   VBZ\n", "conll", tmp_path)
    assert sentence.words == ["New York", "is"]
    assert [token.start for token in sentence.tokens()] == [0, 9]


def test_a_conll_line_without_token_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"input:2: the first column, which holds the token, is empty"):
        read("Harry\tO\n\tO\n", "conll", tmp_path)


# --- JSON Lines -------------------------------------------------------------------------------------------------------


def test_json_objects_have_text_or_tokens(tmp_path: Path) -> None:
    text, tokens = read('{"text": "Harry\'s owl"}\n\n{"tokens": ["Harry\'s", "o w", " "]}\n', "jsonl", tmp_path)
    assert (text.text, list(text.words), text.ends_sentence) == ("Harry's owl", ["Harry", "'s", "owl"], False)
    assert (tokens.text, tokens.words, tokens.ends_sentence) == ("Harry's o w  ", ["Harry's", "o w", " "], True)
    assert [token.start for token in tokens.tokens()] == [0, 8, 11]
    assert tokens.line == 3


def test_tokens_keep_their_text_if_they_stand_in_it(tmp_path: Path) -> None:
    (passage,) = read('{"text": "Harry\'s  owl", "tokens": ["Harry", "\'s", "owl"]}', "jsonl", tmp_path)
    assert passage.text == "Harry's  owl"
    assert [token.start for token in passage.tokens()] == [0, 5, 9]


def test_other_fields_are_kept_as_they_are_written(tmp_path: Path) -> None:
    number = "9" * 5000
    line = f'{{"b" : 1.10,"text":"x", "a":{{"text": [1e5 , "\\u00e9"]}}, "n": {number}, "mentions": [], "z": NaN }}'
    (passage,) = read(line, "jsonl", tmp_path)
    assert passage.fields == {"b": "1.10", "a": '{"text": [1e5 , "\\u00e9"]}', "n": number, "z": "NaN"}
    assert list(passage.fields) == ["b", "a", "n", "z"]


def test_consecutive_objects_with_the_same_doc_are_one_document(tmp_path: Path) -> None:
    docs = ['"a"', '"a"', '"b"', "null", "null", "1", "1", "1.0", None, None, '"a"', '"a"']
    lines = ['{"text": "x"}' if doc is None else f'{{"doc": {doc}, "text": "x"}}' for doc in docs]
    starts = [passage.starts_document for passage in read("\n".join(lines), "jsonl", tmp_path)]
    assert starts == [True, False, True, True, True, True, False, True, True, True, True, False]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Harry", r"2: not JSON: Expecting value at character 1: Harry\n  hint: Every line must be an object such as"),
        ('{"text": "x"} x', r"2: not JSON: Extra data at character 15: x"),
        ('["x"]', r"2: a JSON object was expected, not \[\"x\"\]"),
        ("12345", r"2: a JSON object was expected, not 12345"),
        ('{"txt": "x", "id": 1}', r"2: the object has neither 'text' nor 'tokens', but 'txt', 'id'"),
        ("{}", r"2: the object has neither 'text' nor 'tokens', but no field at all"),
        ('{"text": 1.50}', r"2: 'text' must be a string, not 1\.50"),
        ('{"text": null}', r"2: 'text' must be a string, not null"),
        ('{"tokens": "x y"}', r"2: 'tokens' must be a list of strings, not \"x y\""),
        ('{"tokens": ["x", ""]}', r"2: 'tokens'\[1\] must be a string of at least one character, not \"\""),
        ('{"tokens": ["x", 7]}', r"2: 'tokens'\[1\] must be a string of at least one character, not 7"),
        ('{"tokens": [["x"]]}', r"2: 'tokens'\[0\] must be a string .*, not an object or a list"),
        ('{"text": "x y", "tokens": ["y", "x"]}', r"2: 'tokens'\[1\], \"x\", is not in 'text' after the token before"),
        ('{"a": ' + "[" * 100_000, r"2: JSON nested too deeply to be read"),
    ],
)
def test_a_bad_object_is_named_with_its_line(line: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read('{"text": "x"}\n' + line, "jsonl", tmp_path)


# --- Text in another field --------------------------------------------------------------------------------------------


def read_field(content: str, name: str, skipped: list[NertagError] | None = None) -> list[Passage]:
    settings = ReadSettings("jsonl", text_field=name, skip_bad_rows=skipped is not None)
    found = sources.read_literal(content, settings)
    return [passage for section in found if section is not None for passage in readers.parse(section, skipped)]


@pytest.mark.parametrize(
    ("line", "place", "fields"),
    [
        ('{"m": {"t": "x"}, "n": 1.10}', ("m", "t"), {"m": '{"t": "x"}', "n": "1.10"}),
        ('{"m": {"t": 1}, "m.t": "x"}', ("m.t",), {"m": '{"t": 1}', "m.t": '"x"'}),
        ('{"text": "y", "m": {"t": "x"}, "tokens": ["z"]}', ("m", "t"), {"text": '"y"', "m": '{"t": "x"}'}),
    ],
)
def test_the_text_may_be_in_another_field(line: str, place: tuple[str, ...], fields: dict[str, str]) -> None:
    (passage,) = read_field(line, "m.t")
    assert (passage.text, passage.place, passage.fields) == ("x", place, fields)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"n": 1}', r"^--text:1: there is no field 'm\.t': there is 'n'$"),
        ("{}", r"^--text:1: there is no field 'm\.t': there is no field at all$"),
        ('{"m": {"u": "x"}}', r"^--text:1: there is no field 'm\.t': there is 'u'$"),
        ('{"m": "x"}', r"^--text:1: there is no field 'm\.t': it is in no object$"),
        ('{"m": {"t": 1.10}}', r"^--text:1: 'm\.t' must be a string, not 1\.10$"),
        ('{"m": {"t": null}}', r"^--text:1: 'm\.t' must be a string, not null$"),
        ('{"m.t": ["x"]}', r"^--text:1: 'm\.t' must be a string, not an object or a list$"),
        ('{"m": {"t": "x", "t": "y"}}', r'^--text:1: the field "t" is there twice$'),
    ],
)
def test_a_field_without_text_is_named(line: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_field(line, "m.t")


def test_bad_lines_are_left_out_and_end_a_document() -> None:
    lines = [
        '{"doc": 1, "t": "a"}',
        "{",
        '{"doc": 1, "t": "b"}',
        '{"doc": 1}',
        '{"doc": 1, "t": "c"}',
        '{"doc": 1, "t": "d"}',
    ]
    skipped: list[NertagError] = []
    found = read_field("\n".join(lines), "t", skipped)
    assert documents(found) == [("a", True), ("b", True), ("c", True), ("d", False)]
    assert [error.line for error in skipped] == [2, 4]


def test_bad_lines_of_conll_are_left_out() -> None:
    skipped: list[NertagError] = []
    section = Section("x", 1, "Tom\tO\n\tO\nran\tO\n\nAda\tO\n", "conll", "file", skip_bad_rows=True)
    assert [(passage.text, passage.line) for passage in readers.parse(section, skipped)] == [("Tom ran", 1), ("Ada", 5)]
    assert [str(error) for error in skipped] == ["x:2: the first column, which holds the token, is empty"]


def test_a_bad_line_of_conll_at_the_end_of_a_sentence_ends_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    content = "\tx\n\na\nb\n\tx\n\nc\n\nd\n\n\tx\n\ne\n\tx\nf\n\ng\n"
    expected = [("a b", True), ("c", True), ("d", False), ("e f", True), ("g", False)]
    for size in (1, 5, 1000):
        monkeypatch.setattr(sections, "SECTION", size)
        found = sources.read_literal(content, ReadSettings("conll", skip_bad_rows=True))
        passages = [passage for section in found if section is not None for passage in readers.parse(section, [])]
        assert documents(passages) == expected


@pytest.mark.parametrize("name", ["", "mentions", "tokens.a", "labels", "tags", "names"])
def test_the_text_cannot_be_where_results_are(name: str) -> None:
    with pytest.raises(ConfigError, match=f"the text cannot be in the field '{name}'"):
        objects.check_text_field(name)
    objects.check_text_field("text")
