"""`nertag tag` in this process: every input, format and error, with a tagger that takes capitalised words for names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nertag import __version__
from nertag.cli import main

if TYPE_CHECKING:
    from .conftest import RunTag

TEXT = "we met Harry Potter.\n\nHe waved\n"
LABELS = "0 0 1 1 0\n\n1 0\n"


@pytest.mark.parametrize("way", ["file", "dash", "nothing", "literal"])
def test_text_comes_from_a_file_standard_input_or_the_command_line(run_tag: RunTag, tmp_path: Path, way: str) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT.encode())
    arguments = {"file": [str(path)], "dash": ["-"], "nothing": [], "literal": ["--text", TEXT]}[way]
    stdin = TEXT.encode() if way in {"dash", "nothing"} else b""
    assert run_tag(*arguments, stdin=stdin) == (0, LABELS, "")


FORMATS = {
    "labels": LABELS,
    "tags": "O O B-PER I-PER O\n\nB-PER O\n",
    "conll": "we\tO\nmet\tO\nHarry\tB-PER\nPotter\tI-PER\n.\tO\n\nHe\tB-PER\nwaved\tO\n\n",
    "pretty": "we met [Harry Potter].\n\n[He] waved\n",
}


@pytest.mark.parametrize("kind", FORMATS)
def test_formats(run_tag: RunTag, kind: str) -> None:
    assert run_tag("--format", kind, stdin=TEXT.encode()) == (0, FORMATS[kind], "")


def test_jsonl_has_offsets_into_the_line(run_tag: RunTag) -> None:
    code, out, err = run_tag("--format", "jsonl", stdin=TEXT.encode())
    first, second, third = map(json.loads, out.splitlines())
    assert (code, err) == (0, "")
    assert first == {
        "text": "we met Harry Potter.",
        "tokens": ["we", "met", "Harry", "Potter", "."],
        "labels": [0, 0, 1, 1, 0],
        "tags": ["O", "O", "B-PER", "I-PER", "O"],
        "mentions": [
            {
                "start": 7,
                "end": 19,
                "token_start": 2,
                "token_end": 4,
                "text": "Harry Potter",
                "label": "PER",
                "score": 0.9877,
            }
        ],
    }
    assert second == {"text": "", "tokens": [], "labels": [], "tags": [], "mentions": []}
    assert third["text"] == "He waved"


@pytest.mark.parametrize("last", ["He waved", "He waved\n", "He waved\r\n"])
def test_the_last_line_counts_with_or_without_its_end(run_tag: RunTag, last: str) -> None:
    assert run_tag(stdin=f"Harry\r\n{last}".encode()).out == "1\n1 0\n"


def test_files_follow_one_another(run_tag: RunTag, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("Harry", encoding="utf-8")
    (tmp_path / "b").write_text("waved", encoding="utf-8")
    assert run_tag(str(tmp_path / "a"), "-", str(tmp_path / "b"), stdin=b"at Ron\n").out == "1\n0 1\n0\n"


def test_an_empty_input_gives_nothing_and_an_empty_literal_an_empty_line(run_tag: RunTag) -> None:
    assert run_tag(stdin=b"") == (0, "", "")
    assert run_tag("--text", "") == (0, "\n", "")


def test_tokens_are_split_at_white_space_alone(run_tag: RunTag) -> None:
    assert run_tag("--input", "tokens", "--text", "Harry's (Ron) , waved.").out == "1 0 0 0\n"
    line = json.loads(run_tag("--input", "tokens", "--format", "jsonl", "--text", "Harry's   (Ron)").out)
    assert (line["text"], line["tokens"]) == ("Harry's (Ron)", ["Harry's", "(Ron)"])


def test_conll_comes_back_with_the_same_lines(run_tag: RunTag) -> None:
    given = "-DOCSTART- -X- O\n\nHarry NNP B-PER\nwaved VBD O\n\n\nto TO O\nRon NNP B-PER\n\n"
    expected = "-DOCSTART-\tO\n\nHarry\tB-PER\nwaved\tO\n\n\nto\tO\nRon\tB-PER\n\n"
    assert run_tag("--input", "conll", "--format", "conll", stdin=given.encode()).out == expected
    assert run_tag("--input", "conll", stdin=given.encode()).out == "1 0\n0 1\n"


def test_fields_of_json_objects_come_back_untouched_and_in_order(run_tag: RunTag) -> None:
    line = '{"z": 1.10, "text": "Harry waved", "big": 12345678901234567890, "a": {"n": [1e400, null]}, "tags": 1}'
    out = run_tag("--input", "jsonl", "--format", "jsonl", stdin=line.encode()).out
    assert out.startswith('{"z": 1.10, "big": 12345678901234567890, "a": {"n": [1e400, null]}, "text": "Harry')
    assert json.loads(out)["tags"] == ["B-PER", "O"]


def test_our_own_output_can_be_tagged_again(run_tag: RunTag) -> None:
    once = run_tag("--format", "jsonl", stdin=TEXT.encode()).out
    assert run_tag("--input", "jsonl", "--format", "jsonl", stdin=once.encode()).out == once


def test_half_a_surrogate_pair_survives(run_tag: RunTag) -> None:
    out = run_tag(
        "--input", "jsonl", "--format", "jsonl", stdin=b'{"text": "Harry \\ud83d waved", "id": "\\udc00"}'
    ).out
    assert json.loads(out)["text"] == "Harry \ud83d waved"
    assert json.loads(out)["id"] == "\udc00"
    assert run_tag("--input", "jsonl", "--format", "conll", stdin=b'{"text": "\\ud83d"}').out == "\\ud83d\tO\n\n"


def test_a_hostile_text_reaches_the_terminal_harmlessly(run_tag: RunTag) -> None:
    text = "[b]Harry[/b] \x1b]0;owned\x07\x1b[2J :smile: \x9b31m"
    assert run_tag("--format", "pretty", "--text", text).out == "[b][Harry][/b] ␛]0;owned␇␛[2J :smile: \ufffd31m\n"


@pytest.mark.parametrize("color", ["FORCE_COLOR", "NO_COLOR"])
def test_names_are_highlighted_where_that_is_possible(
    run_tag: RunTag, monkeypatch: pytest.MonkeyPatch, color: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv(color, "1")
    out = run_tag("--format", "pretty", "--text", "we met Harry of Acme" + " and so on" * 50).out
    names = "\x1b[1mHarry\x1b[0m of \x1b[1mAcme" if color == "NO_COLOR" else "\x1b[1;35mHarry\x1b[0m of \x1b[1;36mAcme"
    assert out == f"we met {names}\x1b[0m{' and so on' * 50}\n"


# --- What goes wrong --------------------------------------------------------------------------------------------------


def test_a_text_that_is_no_file_is_pointed_to_the_option(run_tag: RunTag) -> None:
    assert run_tag("Harry's owl") == (
        1,
        "",
        "nertag: error: Harry's owl: there is no such file\n"
        "  hint: To tag these words themselves: nertag tag --text 'Harry'\"'\"'s owl'\n",
    )


def test_an_empty_path_is_named(run_tag: RunTag) -> None:
    code, out, err = run_tag("")
    assert (code, out) == (1, "")
    assert err == "nertag: error: '': an empty path names no file\n  hint: Is a variable of the shell empty?\n"


def test_an_input_that_is_not_there_costs_nothing_of_the_others(run_tag: RunTag, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("Harry", encoding="utf-8")
    code, out, err = run_tag(str(tmp_path / "b"), str(tmp_path / "a"))
    assert (code, out) == (3, "1\n")
    assert err.startswith(f"nertag: error: {tmp_path / 'b'}: there is no such file\n  hint: ")


def test_bytes_that_are_no_utf8_are_named_after_what_came_before_is_tagged(run_tag: RunTag) -> None:
    good = "Zoë waved\n" * 5
    assert run_tag(stdin=good.encode() + b"Chlo\xe9 waved\nHarry\n") == (
        1,
        "1 0\n" * 5,
        f"nertag: error: -:6: byte 0xe9 at offset {len(good.encode()) + 4} is not UTF-8\n"
        "  hint: Name the encoding, such as --encoding windows-1252, or go on with --errors replace.\n",
    )


def test_an_argument_that_is_no_utf8_is_named(run_tag: RunTag) -> None:
    code, out, err = run_tag("--text", "Chlo\udce9")
    assert (code, out) == (1, "")
    assert err.startswith("nertag: error: --text:1: byte 0xe9 at offset 4 is not UTF-8\n")


def test_a_broken_json_line_costs_nothing_of_what_came_before(run_tag: RunTag) -> None:
    code, out, err = run_tag("--input", "jsonl", stdin=b'{"text": "Harry waved"}\n{"text": "Ron\n{"text": "x"}\n')
    assert (code, out) == (1, "1 0\n")
    assert err == (
        'nertag: error: -:2: not JSON: Unterminated string starting at character 10: "Ron\n'
        '  hint: Every line must be an object such as {"text": "Harry waved."} or '
        '{"tokens": ["Harry", "waved", "."]}.\n'
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--text", "Harry", "book.txt"],
            "Invalid value for --text: a text and a file, 'book.txt', exclude",
        ),
        (["--format", "xml"], "Invalid value for '--format'"),
        (["--input", "html"], "Invalid value for '--input'"),
        (["--colour"], "No such option: --colour"),
    ],
)
def test_wrong_usage_ends_with_2(run_tag: RunTag, arguments: list[str], message: str) -> None:
    code, out, err = run_tag(*arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_closed_standard_input_is_an_error(run_tag: RunTag, monkeypatch: pytest.MonkeyPatch) -> None:
    run_tag("--text", "Harry")  # Puts the fake tagger in place.
    monkeypatch.setattr("sys.stdin", None)
    assert main(["tag"]) == 1


# --- The frame --------------------------------------------------------------------------------------------------------


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"nertag {__version__}\n"


@pytest.mark.parametrize("command", ["tag", "evaluate"])
def test_help_ends_with_examples_on_lines_of_their_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    *_, last = capsys.readouterr().out.rstrip().splitlines()
    assert last.startswith("    ")
    assert f"nertag {command} " in last


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert out.rstrip().endswith("nertag tag --text 'Harry Potter and Hermione Granger invented a new spell'")
    assert [name for name in ("train", "evaluate", "tag") if f"\n  {name} " in out] == ["train", "evaluate", "tag"]
