from __future__ import annotations

import bz2
import gzip
import lzma
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nertag import readers, sections, sources
from nertag.config import DocumentUnit, InputFormat
from nertag.errors import InputError
from nertag.sections import ReadSettings, Section
from nertag.text import Passage


def cut(content: bytes, kind: InputFormat = "text", piece: int = 1 << 16, document: DocumentUnit = "file") -> list[str]:
    """Return the texts of a source's sections, which arrives in pieces of some bytes."""
    return [section.text for section in sections_of(content, kind, piece, document)]


def sections_of(content: bytes, kind: InputFormat, piece: int, document: DocumentUnit = "file") -> list[Section]:
    """Return the sections of a source."""
    pieces = (content[start : start + piece] for start in range(0, len(content), piece))
    found = list(sources._sections(iter(pieces), "file", ReadSettings(kind, document)))
    return [section for section in found if section is not None]


# --- Cutting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 100])
@pytest.mark.parametrize(
    ("size", "content", "expected"),
    [
        (4, "a\nb\nc\nd\n", ["a\nb\n", "c\nd\n"]),
        (3, "a\nb\nc\nd", ["a\nb\n", "c\nd"]),
        (5, "Zoë ünd\n\nđ\r\nł", ["Zoë ünd\n", "\nđ\r\nł"]),
        (2, "\n\n\n", ["\n\n", "\n"]),
        (3, "a long line\nb\n", ["a long line\n", "b\n"]),
        (1, "", []),
        (1, "a", ["a"]),
        (1, "\ufeffa\nb", ["\ufeffa\n", "b"]),
    ],
)
def test_a_section_ends_with_the_line_that_fills_it_however_it_arrives(
    size: int, content: str, expected: list[str], piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "SECTION", size)
    assert cut(content.encode(), "text", piece) == expected


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 100])
@pytest.mark.parametrize(
    ("size", "content", "expected"),
    [
        (1, "a\nb\n\nc\n\n", ["a\nb\n\n", "c\n\n"]),
        (6, "a\nb\n\nc\n\nd\n", ["a\nb\n\nc\n\n", "d\n"]),
        (1, "a\n \t\nc", ["a\n \t\n", "c"]),
        (1, "a\n\r\nb\n", ["a\n\r\n", "b\n"]),
        (1, "a\nb\nc\n", ["a\nb\nc\n"]),
        (1, "\n\na\n\n", ["\n", "\n", "a\n\n"]),
    ],
)
def test_a_section_of_conll_ends_with_a_sentence(
    size: int, content: str, expected: list[str], piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "SECTION", size)
    assert cut(content.encode(), "conll", piece) == expected


CONTENTS: dict[InputFormat, str] = {
    "text": "Zoë\r\n\nund\n\n\nso\r\nweiter",
    "tokens": "a b\n\n\n \nc d\n-DOCSTART- x\ne\nf\n\ng",
    "conll": "-DOCSTART- O\n\na O\nb O\n\nc O\n\n\n\nd O\n-DOCSTART-\n\ne O\n\nf O\n \n\n\ng O",
    "jsonl": '{"doc": 1, "text": "a"}\n\n{"doc": 1, "text": "b"}\n\n\n\n{"doc": 2, "text": "c"}\n{"text": "d"}\n'
    '{"doc": "2", "text": "e"}\n{"doc": "2", "tokens": ["f"]}',
}


@pytest.mark.parametrize("document", ["file", "paragraph", "line"])
@pytest.mark.parametrize("kind", CONTENTS)
def test_passages_are_the_same_wherever_sections_are_cut(
    kind: InputFormat, document: DocumentUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = CONTENTS[kind].encode()

    def passages(size: int, piece: int) -> list[Passage]:
        monkeypatch.setattr(sections, "SECTION", size)
        found = sections_of(content, kind, piece, document)
        assert "".join(section.text for section in found).encode() == content
        return [passage for section in found for passage in readers.parse(section)]

    whole = passages(1000, 1000)
    assert len(whole) >= 6
    for size in range(1, 40):
        assert passages(size, 7) == whole


def test_a_section_knows_the_last_line_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "SECTION", 1)
    found = sections_of(b"\na b\nc\n\n\n\n\nd\n", "tokens", 100)
    assert [section.before for section in found] == ["", "\n", "a b\n", "c\n", "c\n\n", *["c\n\n\n"] * 3]
    assert [section.line for section in found] == list(range(1, 9))


def test_a_huge_line_takes_time_in_proportion() -> None:
    """Joining the pieces anew with every piece would copy 4 GB for each of these."""
    content = b"x" * (1 << 21)
    assert cut(content, "text", 1 << 10) == [content.decode()]
    assert cut(b"a\n" * (1 << 20), "conll", 1 << 10) == ["a\n" * (1 << 20)]


# --- Sources ----------------------------------------------------------------------------------------------------------


def test_a_byte_that_is_no_utf8_is_named_with_its_line_and_offset(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes("Zoë\nsaw Chlo\n".encode() + b"and Andr\xe9\n")
    sections = sources.read([str(path)], ReadSettings())
    first = next(sections)
    assert first is not None and first.text == "Zoë\nsaw Chlo\n"
    with pytest.raises(InputError, match=r"input:3: byte 0xe9 at offset 22 is not UTF-8"):
        next(sections)


@pytest.mark.parametrize("piece", [1, 4, 100])
def test_the_place_of_a_bad_byte_counts_sections_before_it(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "SECTION", 4)
    kinds: tuple[InputFormat, ...] = ("text", "conll")
    for kind in kinds:
        with pytest.raises(InputError, match=r"^file:4: byte 0xff at offset 9 is not UTF-8"):
            cut("ë\n\nabc\na".encode() + b"\xff\nb", kind, piece)


def test_a_file_that_vanished_after_the_check_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone: cannot be read: No such file or directory"):
        list(sources.read([str(tmp_path / "gone")], ReadSettings()))


@pytest.mark.skipif(os.name != "posix", reason="Windows pipes are no files")
def test_a_pause_is_announced_once_and_does_not_cut_a_line(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    holding = os.open(path, os.O_RDWR)
    try:
        sections = sources.read([str(path)], ReadSettings())
        os.write(holding, b"Harry\nRo")
        first, pause = next(sections), next(sections)
        os.write(holding, b"n\n")
        second, another_pause = next(sections), next(sections)
        assert first is not None and second is not None
        assert (first.text, pause, second.text, another_pause) == ("Harry\n", None, "Ron\n", None)
    finally:
        os.close(holding)


def test_a_pause_does_not_cut_a_conll_sentence() -> None:
    chunks = iter([b"a\n\nb\n", None, b"c\n\n", None])
    found = [section and section.text for section in sources._sections(chunks, "-", ReadSettings("conll"))]
    assert found == ["a\n\n", None, "b\nc\n\n", None]


# --- What a file is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.txt", "text"),
        ("a", "text"),
        ("-", "text"),
        ("a.jsonl/b", "text"),
        ("dir/a.JSONL", "jsonl"),
        ("a.ndjson.gz", "jsonl"),
        ("a.csv", "csv"),
        ("a.tsv.zst", "csv"),
        ("a.csv.txt", "text"),
        ("a.conll.bz2", "conll"),
        ("a.b.parquet", "parquet"),
        ("a.gz", "text"),
    ],
)
def test_the_ending_says_what_a_file_is_unless_the_settings_do(path: str, kind: InputFormat) -> None:
    assert sources.kind_of(path, ReadSettings()) == kind
    assert sources.kind_of(path, ReadSettings("tokens")) == "tokens"


def test_fields_are_kept_if_all_inputs_have_some() -> None:
    assert sources.have_fields(["a.csv", "b.jsonl.gz"], ReadSettings())
    assert not sources.have_fields(["a.csv", "b.txt"], ReadSettings())
    assert sources.have_fields(["-"], ReadSettings("jsonl"))
    assert not sources.have_fields([], ReadSettings())
    assert sources.have_fields([], ReadSettings("csv"))


COMPRESS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("ending", COMPRESS)
def test_compressed_files_are_told_by_their_ending_or_their_first_bytes(ending: str, tmp_path: Path) -> None:
    content = COMPRESS[ending](b"Tom met\nAda\n")
    for name in (f"a{ending}", f"a.txt{ending.upper()}", "a.txt"):
        (tmp_path / name).write_bytes(content)
        found = list(sources.read([str(tmp_path / name)], ReadSettings()))
        assert [section and section.text for section in found] == ["Tom met\nAda\n"]
    for piece in (1, 3, 100):
        assert cut(content, "text", piece) == ["Tom met\nAda\n"]


@pytest.mark.parametrize("text", ["(", "B", "BZh", "BZh91AY&S", "\x1f", "(\xb5/", "Bonn\n"])
def test_what_only_begins_like_something_compressed_is_read(text: str) -> None:
    for piece in (1, 2, 100):
        assert cut(text.encode(), "text", piece) == [text]


def test_lines_before_damage_are_given(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"Tom met Ada\n" * 3 + b"and then", 0)[:-12])
    stream = sources.read([str(path)], ReadSettings())
    section = next(stream)
    assert section is not None and section.text == "Tom met Ada\n" * 3
    with pytest.raises(InputError, match=r"a\.gz: damaged: it ends in the middle of what gzip has made$"):
        next(stream)


def test_lines_before_a_failing_disk_are_given() -> None:
    def chunks() -> Iterator[bytes | None]:
        yield b"Tom\nAd"
        raise InputError("cannot be read: Input/output error", path="file")

    stream = sources._sections(chunks(), "file", ReadSettings())
    section = next(stream)
    assert section is not None and section.text == "Tom\n"
    with pytest.raises(InputError, match="^file: cannot be read: Input/output error$"):
        next(stream)


def test_sections_say_what_was_replaced_and_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "SECTION", 4)
    chunks = iter([b"a\xff\n\xffb\n", b"abcd\n", b"\xe2\x82"])
    found = list(sources._sections(chunks, "file", ReadSettings(errors="replace")))
    assert [(section.text, section.replaced) for section in found if section] == [
        ("a\ufffd\n\ufffdb\n", 2),
        ("abcd\n", 0),
        ("\ufffd", 1),
    ]


def test_sections_say_how_much_of_the_file_they_took(tmp_path: Path) -> None:
    content = "Zoë ran\n".encode() * 50_000
    for name, whole in (("a.txt", content), ("a.gz", gzip.compress(content)), ("a.csv", b"text\n" + content)):
        (tmp_path / name).write_bytes(whole)
        found = [section for section in sources.read([str(tmp_path / name)], ReadSettings()) if section]
        assert len(found) > 3
        assert sum(section.share for section in found) == len(whole)
        assert sum(section.size for section in found) >= 50_000 * 8


def test_a_literal_text_has_no_other_encoding_and_is_no_archive() -> None:
    found = list(sources.read_literal("Zoë", ReadSettings(encoding="utf-16-le")))
    assert [section and section.text for section in found] == ["Zoë\n"]
    with pytest.raises(InputError, match="--text: a Parquet file cannot be given as a text"):
        list(sources.read_literal("Zoë", ReadSettings("parquet")))


# --- Paragraphs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [1, 3, 100])
@pytest.mark.parametrize(
    ("size", "content", "expected"),
    [
        (1, "a\nb\n\nc\n\n\nd", ["a\nb\n\n", "c\n\n", "\n", "d"]),
        (3, "a\nb\n\nc\n \nd\n", ["a\nb\n\n", "c\n \n", "d\n"]),
        (2, "ab\n" * 20, ["ab\n" * 11, "ab\n" * 9]),
        (2, "ab\n" * 11 + "\nc\n", ["ab\n" * 11, "\nc\n"]),
    ],
)
def test_a_section_ends_with_a_paragraph_unless_that_has_no_end(
    size: int, content: str, expected: list[str], piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "SECTION", size)
    assert cut(content.encode(), "text", piece, "paragraph") == expected


def test_a_pause_does_not_cut_a_paragraph() -> None:
    chunks = iter([b"a\n\nb\n", None, b"c\n\n", None])
    found = list(sources._sections(chunks, "-", ReadSettings("text", "paragraph")))
    assert [section and section.text for section in found] == ["a\n\n", None, "b\nc\n\n", None]


def test_an_empty_line_ends_a_document_of_paragraphs(monkeypatch: pytest.MonkeyPatch) -> None:
    content = "a\nb\n\n\nc\n \td\n\x0c\ne\nf\n"
    expected = [("a", True), ("b", False), ("", False), ("", True), ("c", True), (" \td", False), ("\x0c", False)]
    for size in (1, 3, 6, 100):
        monkeypatch.setattr(sections, "SECTION", size)
        found = sections_of(content.encode(), "text", 4, "paragraph")
        passages = [passage for section in found for passage in readers.parse(section)]
        assert [(passage.text, passage.starts_document) for passage in passages] == [
            *expected,
            ("e", True),
            ("f", False),
        ]
