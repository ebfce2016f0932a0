"""The options of the output formats, and what they write beside standard output."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import RunTag

TEXT = "then Mira Olsen met Tom.\r\nwas it Olsen?\n"
SECRET = b"0123456789abcdef"


def test_files_are_named_where_there_is_a_place_for_it(run_tag: RunTag, tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_bytes(TEXT.encode())
    second.write_bytes(b"and\nTom waved")
    files = (str(first), str(second))
    rows = list(csv.reader(io.StringIO(run_tag("--format", "csv", *files).out)))
    assert [row[:2] for row in rows[1:]] == [[files[0], "1"], [files[0], "1"], [files[0], "2"], [files[1], "2"]]
    found = [json.loads(line) for line in run_tag("--format", "jsonl", *files).out.splitlines()]
    assert [(line["file"], line["line"]) for line in found] == [
        (files[0], 1),
        (files[0], 2),
        (files[1], 1),
        (files[1], 2),
    ]
    assert run_tag("--format", "names", *files).out.splitlines()[1] == f"Tom\tPER\t2\t2\t{first}:1"
    headings = re.findall("<h2>(.*)</h2>", run_tag("--format", "html", *files).out)
    assert headings == [str(first), str(second)]


def test_text_comes_back_whole_but_for_its_names(run_tag: RunTag, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.encode() + b"\n\x0c\x00 & <x>\r\r\nno end")
    marked = run_tag("--format", "markup", str(path)).out
    plain = re.sub("</?PER>", "", marked).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert plain.encode() == path.read_bytes()
    redacted = run_tag("--format", "redact", "--replacement", "", str(path)).out
    assert redacted.encode() == path.read_bytes().replace(b"Mira ", b"").replace(b"Olsen", b"").replace(b"Tom", b"")


def test_two_runs_with_a_mapping_agree(run_tag: RunTag, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    arguments = ("--format", "pseudonyms", "--mapping", str(path))
    assert run_tag(*arguments, stdin=TEXT.encode()) == (0, "then PERSON_1 met PERSON_2.\r\nwas it PERSON_1?\n", "")
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert run_tag(*arguments, stdin=b"Ada, Tom and Olsen\n").out == "PERSON_3, PERSON_2 and PERSON_1\n"
    assert run_tag(*arguments, stdin=TEXT.encode()).out == "then PERSON_1 met PERSON_2.\r\nwas it PERSON_1?\n"
    names = json.loads(path.read_text(encoding="utf-8"))["names"]
    assert [(entry["name"], entry["pseudonym"]) for entry in names] == [
        ("Mira Olsen", "PERSON_1"),
        ("Tom", "PERSON_2"),
        ("Olsen", "PERSON_1"),
        ("Ada", "PERSON_3"),
    ]


def test_a_mapping_is_kept_of_what_came_before_a_fault(run_tag: RunTag, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    arguments = ("--format", "pseudonyms", "--mapping", str(path), "--input", "jsonl")
    code, out, err = run_tag(*arguments, stdin=b'{"text": "Mira left"}\nnot JSON\n')
    assert (code, out) == (1, '{"text": "PERSON_1 left"}\n')
    assert err.startswith("nertag: error: -:2: not JSON")
    assert '"Mira"' in path.read_text(encoding="utf-8")


def test_a_foreign_mapping_is_refused_before_anything_is_written(run_tag: RunTag, tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    path.write_text('{"shopping": "tea"}', encoding="utf-8")
    assert run_tag("--format", "pseudonyms", "--mapping", str(path), stdin=TEXT.encode()) == (
        1,
        "",
        f'nertag: error: {path}: this is no mapping of names: it lacks "nertag": "mapping"\n'
        "  hint: Name a new file, or one that --mapping has written.\n",
    )
    assert path.read_text(encoding="utf-8") == '{"shopping": "tea"}'


def test_a_key_gives_the_same_pseudonyms_and_writes_nothing(run_tag: RunTag, tmp_path: Path) -> None:
    key = tmp_path / "secret"
    key.write_bytes(SECRET)
    arguments = ("--format", "pseudonyms", "--key", str(key))
    code, out, err = run_tag(*arguments, stdin=TEXT.encode())
    assert (code, err) == (0, "")
    match = re.fullmatch(
        r"then PERSON_([A-Z2-7]{10}) met PERSON_([A-Z2-7]{10})\.\r\nwas it PERSON_([A-Z2-7]{10})\?\n", out
    )
    assert match and len(set(match.groups())) == 3
    assert run_tag(*arguments, stdin=b"TOM\n").out == f"PERSON_{match[2]}\n"
    key.write_bytes(SECRET[::-1])
    assert match[2] not in run_tag(*arguments, stdin=b"Tom\n").out
    assert [item.name for item in tmp_path.iterdir()] == ["secret"]


def test_a_short_key_is_refused(run_tag: RunTag, tmp_path: Path) -> None:
    key = tmp_path / "secret"
    key.write_bytes(b"short")
    code, out, err = run_tag("--format", "pseudonyms", "--key", str(key))
    assert (code, out) == (1, "")
    assert err == (
        f"nertag: error: {key}: a key needs at least 16 bytes, but this file has 5\n"
        "  hint: Make one with: head -c 32 /dev/urandom > FILE\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--replacement", "x"], "--replacement: only --format redact has a use for it."),
        (["--format", "redact", "--mapping", "x"], "--mapping: only --format pseudonyms has a use for it."),
        (["--format", "markup", "--key", "x"], "--key: only --format pseudonyms has a use for it."),
        (["--format", "names", "--made-up-names"], "--made-up-names: only --format pseudonyms has a use for it."),
        (["--format", "jsonl", "--json"], "--json: only --format names has a use for it."),
        (["--format", "pseudonyms", "--key", "x", "--mapping", "y"], "--key: it and --mapping exclude each other."),
        (
            ["--format", "pseudonyms", "--key", "x", "--made-up-names"],
            "--key: it and --made-up-names exclude each other.",
        ),
    ],
)
def test_options_without_use_are_refused(run_tag: RunTag, arguments: list[str], message: str) -> None:
    code, out, err = run_tag(*arguments, "--text", "Tom")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == f"Error: Invalid value for {message}"


def test_the_key_is_asked_for_before_the_model(run_tag: RunTag, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(model: str, threshold: float | None = None) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(sys.modules["nertag.tagger"], "load", load)
    for option in ("--key", "--mapping"):
        code, out, err = run_tag("--format", "pseudonyms", option, "no-such-folder/file", "--text", "Tom")
        assert (code, out) == (1, "")
        assert err.startswith("nertag: error: no-such-folder/file: ")


def test_names_as_json(run_tag: RunTag) -> None:
    found = json.loads(run_tag("--format", "names", "--json", stdin=TEXT.encode()).out)
    assert [entry["name"] for entry in found] == ["Mira Olsen", "Olsen", "Tom"]


def test_what_was_found_before_a_fault_is_listed(run_tag: RunTag) -> None:
    code, out, err = run_tag("--format", "names", stdin=b"Mira\n\xff\n")
    assert (code, out) == (1, "name\tlabel\tcount\tfiles\tfirst\nMira\tPER\t1\t1\t-:1\n")
    assert "is not UTF-8" in err


@pytest.mark.skipif(os.name != "posix", reason="the command is for a POSIX shell")
@pytest.mark.parametrize(("kind", "given"), [("text", TEXT), ("jsonl", '{"id": 1, "text": "Tom & Ada"}\n')])
def test_parquet_goes_to_standard_output(tmp_path: Path, kind: str, given: str) -> None:
    import pyarrow.parquet as pq

    path = tmp_path / "names.parquet"
    fake = Path(__file__).with_name("fake_nertag.py")
    with open(path, "wb") as target:
        subprocess.run(
            [sys.executable, str(fake), "tag", "--input", kind, "--format", "parquet"],
            input=given.encode(),
            stdout=target,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
        )
    rows = pq.read_table(path).to_pylist()
    if kind == "text":
        assert [(row["line"], row["text"]) for row in rows] == [(1, "Mira Olsen"), (1, "Tom"), (2, "Olsen")]
    else:
        assert [(row["id"], row["names"]) for row in rows] == [(1, ["Tom", "Ada"])]


def test_parquet_is_not_shown_on_a_terminal(run_tag: RunTag, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nertag.console.results_are_seen", lambda: True)
    assert run_tag("--format", "parquet", "--text", "Tom") == (
        1,
        "",
        "nertag: error: a Parquet file is nothing to show on a terminal\n  hint: Write it to a file: > names.parquet\n",
    )


def test_a_replacement_that_is_not_utf8_is_refused(run_tag: RunTag, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = run_tag("--format", "redact", "--replacement", "x\udcff", "--text", "we met Tom")
    assert (code, out) == (2, "")
    assert err.endswith("Invalid value for '--replacement': it is not UTF-8: 'x\\udcff'.\n")
    assert run_tag("--format", "redact", "--replacement", "\U0001f9d9", "--text", "Tom").out == "\U0001f9d9\n"
    monkeypatch.setenv("NERTAG_REPLACEMENT", "\udcff")
    message = "nertag: error: NERTAG_REPLACEMENT: it is not UTF-8: '\\udcff'\n"
    assert run_tag("--format", "redact", "--text", "we met Tom") == (1, "", message)


@pytest.mark.parametrize("value", ["-0.1", "0", "1", "1.5", "nan", "half"])
def test_a_threshold_is_between_0_and_1(run_tag: RunTag, value: str) -> None:
    code, out, err = run_tag("--threshold", value, "--text", "Tom")
    wanted = "" if value == "half" else f": it must be more than 0 and less than 1, not {float(value)}."
    assert (code, out) == (2, "")
    assert f"Invalid value for '--threshold'{wanted}" in err


def test_the_threshold_reaches_the_tagger(
    run_tag: RunTag, fake: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    thresholds: list[float | None] = []

    def load(model: str, threshold: float | None = None) -> Any:
        thresholds.append(threshold)
        return fake["FakeTagger"](model, threshold)

    monkeypatch.setattr(sys.modules["nertag.tagger"], "load", load)
    run_tag("--text", "Tom")
    run_tag("--threshold", "0.05", "--text", "Tom")
    assert thresholds == [None, 0.05]
