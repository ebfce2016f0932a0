"""What `nertag tag` reads: compressed files, tables, other encodings, paragraphs."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
}


class RunTag(Protocol):
    def __call__(self, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]: ...


# --- Compressed files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", COMPRESS)
def test_compressed_files_are_read_as_what_they_are(ending: str, run_tag: RunTag, tmp_path: Path) -> None:
    text, lines = tmp_path / f"a.txt{ending}", tmp_path / f"b.jsonl{ending}"
    text.write_bytes(COMPRESS[ending]("Zoë ran\n".encode()))
    lines.write_bytes(COMPRESS[ending](b'{"text": "Tom ran"}\n'))
    assert run_tag(str(text), str(lines), "--format", "labels") == (0, "1 0\n1 0\n", "")
    assert run_tag("--format", "labels", stdin=text.read_bytes()) == (0, "1 0\n", "")
    assert run_tag("--format", "labels", "--input", "jsonl", stdin=lines.read_bytes()) == (0, "1 0\n", "")


@pytest.mark.parametrize("ending", COMPRESS)
def test_a_cut_archive_keeps_what_was_tagged_before_it_ends(ending: str, run_tag: RunTag, tmp_path: Path) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(COMPRESS[ending](b"Tom ran\n" * 200_000)[:-5])
    code, out, err = run_tag(str(path), "--format", "labels")
    assert code != 0
    assert set(out.splitlines()) <= {"1 0"}
    assert len(out) > 1000 or ending in (".bz2", ".zst")  # These give whole blocks only.
    assert f"{path}: damaged: it ends in the middle of what " in err


# --- Encodings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["windows-1252", "latin-1", "UTF-16", "utf-8", "utf-8-sig", "utf-32", "cp037"])
def test_a_named_encoding_is_read_and_offsets_count_its_characters(name: str, run_tag: RunTag) -> None:
    content = "we met Zoë Müller\n".encode(name)
    code, out, err = run_tag("--encoding", name, "--format", "jsonl", stdin=content)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["text"] == "we met Zoë Müller"
    assert [(mention["start"], mention["end"]) for mention in found["mentions"]] == [(7, 17)]


@pytest.mark.parametrize("name", ["utf-16", "utf-32"])
def test_a_byte_order_mark_is_enough(name: str, run_tag: RunTag) -> None:
    assert run_tag("--format", "redact", stdin="Zoë ran\r\n".encode(name)) == (0, "[PERSON] ran\r\n", "")


def test_bad_bytes_are_replaced_and_counted(run_tag: RunTag) -> None:
    assert run_tag("--errors", "replace", "--format", "redact", stdin=b"Zo\xeb ran\nTom \xff\xfe\n") == (
        0,
        "[PERSON] ran\n[PERSON] \ufffd\ufffd\n",
        "nertag: -: replaced by U+FFFD what could not be decoded, in 3 places\n",
    )


@pytest.mark.skipif(find_spec("charset_normalizer") is None, reason="charset-normalizer is not installed")
def test_an_encoding_is_guessed_and_said(run_tag: RunTag) -> None:
    content = "Élodie était là, près de François, à l'hôtel.\n".encode("cp1252")
    code, out, err = run_tag("--encoding", "auto", "--format", "redact", stdin=content * 3)
    assert (code, out) == (0, "[PERSON] était là, près de [PERSON], à l'hôtel.\n" * 3)
    assert err == "nertag: -: read as cp1252\n"


def test_an_unknown_encoding_is_refused_before_anything_is_read(run_tag: RunTag) -> None:
    code, out, err = run_tag("--encoding", "klingon")
    assert (code, out) == (1, "")
    assert err.startswith("nertag: error: there is no encoding 'klingon'\n  hint: Among them are utf-8")


# --- Tables -----------------------------------------------------------------------------------------------------------

TABLE = 'id,note,body\n7,"a, b","we met ""Tom""\nand Ada"\n8,,nobody\n'


def test_csv_gives_csv_with_two_columns_more(run_tag: RunTag, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TABLE.encode())
    code, out, err = run_tag(str(tmp_path / "a.csv"), "--text-field", "body", "--format", "csv")
    assert (code, err) == (0, "")
    head, first, second = csv.reader(io.StringIO(out, newline=""), strict=True)
    assert head == ["id", "note", "body", "names", "mentions"]
    assert first[:3] == ["7", "a, b", 'we met "Tom"\nand Ada']
    assert (first[3], second[2:4]) == ('["Tom", "Ada"]', ["nobody", "[]"])
    assert [mention["start"] for mention in json.loads(first[4])] == [8, 17]


def test_csv_gives_json_lines_with_its_columns_in_their_order(run_tag: RunTag) -> None:
    code, out, err = run_tag("--input", "csv", "--text-field", "body", "--format", "jsonl", stdin=TABLE.encode())
    assert (code, err) == (0, "")
    first, second = map(json.loads, out.splitlines())
    assert list(first) == ["id", "note", "body", "tokens", "labels", "tags", "mentions"]
    assert (first["id"], first["note"], first["body"]) == ("7", "a, b", 'we met "Tom"\nand Ada')


def test_a_nested_text_is_replaced_in_its_place(run_tag: RunTag) -> None:
    lines = b'{"m": {"t": "Tom ran", "n": 1.10}, "id": 7}\n{"id": 8, "m.t": "Ada", "m": null}\n'
    arguments = ("--input", "jsonl", "--text-field", "m.t", "--format")
    assert run_tag(*arguments, "redact", stdin=lines) == (
        0,
        '{"m": {"t": "[PERSON] ran", "n": 1.10}, "id": 7}\n{"id": 8, "m.t": "[PERSON]", "m": null}\n',
        "",
    )
    code, out, err = run_tag(*arguments, "pseudonyms", stdin=lines)
    assert (code, out.count("PERSON_1 ran"), out.count('"PERSON_2"')) == (0, 1, 1)


def test_bad_rows_are_named_counted_and_left_out(run_tag: RunTag, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "Tom"}\nnonsense\n{"text": 7}\n{"text": "Ada ran"}\n', encoding="utf-8")
    assert run_tag(str(path), "--skip-bad-rows", "--format", "labels") == (
        0,
        "1\n1 0\n",
        f"nertag: {path}:2: left out: not JSON: Expecting value at character 1: nonsense\n"
        f"nertag: {path}:3: left out: 'text' must be a string, not 7\n"
        "nertag: left out 2 bad rows in all\n",
    )


@pytest.mark.parametrize(
    "line", ['{"text": "x", "text": "y"}', '{"a": ' + "[" * 10_000 + "]" * 10_000 + ', "text": "x"}']
)
def test_what_no_line_of_json_should_be_is_a_fault(line: str, run_tag: RunTag) -> None:
    code, out, err = run_tag("--input", "jsonl", "--format", "labels", stdin=b'{"text": "Tom"}\n' + line.encode())
    assert (code, out) == (1, "1\n")
    assert err.startswith("nertag: error: -:2: ") and "Traceback" not in err


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is not installed")
def test_parquet_gives_parquet_with_nulls_kept(run_tag: RunTag, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table: dict[str, Any] = {"id": [7, None], "text": ["we met Tom", None], "rate": [0.5, None]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    code, out, err = run_tag(str(tmp_path / "a.parquet"), "--format", "jsonl")
    assert (code, err) == (0, "")
    first, second = map(json.loads, out.splitlines())
    assert (first["id"], first["text"], first["rate"]) == (7, "we met Tom", 0.5)
    assert second == {"id": None, "text": None, "rate": None, "tokens": [], "labels": [], "tags": [], "mentions": []}
    assert run_tag(str(tmp_path / "a.parquet"), "--format", "redact")[1].splitlines()[1] == (
        '{"id": null, "text": null, "rate": null}'
    )


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is not installed")
def test_parquet_comes_through_a_pipe(run_tag: RunTag) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(pa.table({"text": ["we met Tom"]}), stream)
    assert run_tag("--input", "parquet", "--format", "labels", stdin=stream.getvalue()) == (0, "0 0 1\n", "")


# --- Documents --------------------------------------------------------------------------------------------------------


def test_paragraphs_answer_as_one_in_json_lines_alone(run_tag: RunTag) -> None:
    text = b"Tom ran\nto Ada\n\nnobody\n"
    assert run_tag("--document", "paragraph", "--format", "labels", stdin=text) == (0, "1 0\n0 1\n\n0\n", "")
    code, out, _ = run_tag("--document", "paragraph", "--format", "jsonl", stdin=text)
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["Tom ran\nto Ada", "nobody"]
    assert run_tag("--document", "paragraph", "--format", "redact", stdin=text)[1] == (
        "[PERSON] ran\nto [PERSON]\n\nnobody\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "a\r\nb\rc\x85d\x0ce\x0bf\0g\u2028h\u2029\n",
        "e\u0301 o\u200bp \u200dq \ufeff r\u00ad\n",
        "\u05e9\u05dc\u05d5\u05dd \u202eabc\u202c \u0645\u0631\u062d\u0628\u0627\n",
        "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \U0001f44d\U0001f3fd ok",
        "\x1b[31m \x7f \x9b \ufffe\n\n\n",
    ],
)
@pytest.mark.parametrize("name", ["utf-8", "utf-16", "utf-32-be"])
def test_every_character_survives_in_formats_that_give_the_text_back(text: str, name: str, run_tag: RunTag) -> None:
    content = text.encode(name)
    for kind in ("redact", "markup", "pseudonyms"):
        assert run_tag("--encoding", name, "--format", kind, stdin=content) == (0, text, "")
    code, out, err = run_tag("--encoding", name, "--format", "jsonl", stdin=content)
    lines = [json.loads(line)["text"] for line in out.split("\n")[:-1]]
    assert lines == [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    for kind in ("csv", "jsonl"):
        row = json.dumps({"id": 1, "text": text})
        code, out, err = run_tag("--input", "jsonl", "--format", kind, stdin=row.encode())
        found = json.loads(out)["text"] if kind == "jsonl" else text if "\0" in text else _second_row(out)[1]
        assert (code, err, found) == (0, "", text)


def _second_row(table: str) -> list[str]:
    return list(csv.reader(io.StringIO(table, newline=""), strict=True))[1]
