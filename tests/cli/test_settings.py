"""Settings from files and variables: what wins, what is refused, and what --show-settings says of it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nertag import cli
from nertag.cli import main

if TYPE_CHECKING:
    from .conftest import RunTag


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a repository, from which the program runs."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, tuple[str, str]]:
    """What --show-settings says: the line without its origin, and the origin, by setting."""
    assert main(["tag", *arguments, "--show-settings"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = [line.rsplit("  # ", 1) for line in out.splitlines()]
    return {text.removeprefix("# ").split()[0]: (text.rstrip(), origin) for text, origin in lines}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said when the settings do not do."""
    assert main(["tag", *arguments, "--show-settings"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_without_settings_the_defaults_are_in_force(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = shown(capsys)
    assert settings["model"] == ('model = "en-person"', "default")
    assert settings["format"] == ("# format is not set", "default")
    assert {origin for _, origin in settings.values()} == {"default"}


def test_what_wins_over_what(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pyproject, own = project / "pyproject.toml", project / "nertag.toml"
    put(pyproject, '[project]\nname = "x"\n[tool.nertag]\nformat = "tags"\ndocument = "line"\n')
    assert shown(capsys)["format"] == ('format = "tags"', str(pyproject))
    put(own, 'format = "conll"\n')
    assert shown(capsys)["format"] == ('format = "conll"', str(own))
    assert shown(capsys)["document"] == ('document = "line"', str(pyproject))
    monkeypatch.setenv("NERTAG_FORMAT", "jsonl")
    assert shown(capsys)["format"] == ('format = "jsonl"', "NERTAG_FORMAT")
    assert shown(capsys, "--format", "labels")["format"] == ('format = "labels"', "command line")
    monkeypatch.setenv("NERTAG_FORMAT", "")
    assert shown(capsys)["format"] == ('format = "conll"', str(own))
    own.unlink()
    pyproject.unlink()
    assert shown(capsys)["format"] == ("# format is not set", "default")


def test_files_are_looked_for_upwards_to_the_root_of_the_repository(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root, middle = project / "nertag.toml", project / "a" / "nertag.toml"
    put(root, 'format = "tags"\ndocument = "line"\n')
    (project / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(project / "a" / "b")
    assert shown(capsys)["format"] == ('format = "tags"', str(root))
    put(middle, 'format = "conll"\n')  # the nearest folder alone counts
    assert shown(capsys)["format"] == ('format = "conll"', str(middle))
    assert shown(capsys)["document"] == ('document = "file"', "default")
    middle.unlink()
    (project / "a" / ".git").mkdir()
    assert shown(capsys)["format"] == ("# format is not set", "default")


@pytest.mark.parametrize(
    "content",
    [
        '[project]\nname = "nertag"\n[tool.other]\nformat = "tags"\n',
        '[tool.other]\nnote = "nertag"\n',
        "",
    ],
)
def test_a_pyproject_of_others_is_passed_over(
    content: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(project / "nertag.toml", 'format = "tags"\n')
    put(project / "package" / "pyproject.toml", content)
    monkeypatch.chdir(project / "package")
    assert shown(capsys)["format"] == ('format = "tags"', str(project / "nertag.toml"))


@pytest.mark.parametrize(
    "content",
    [
        '[tool.nertag]\nformat = "tags"',
        '[ tool . "nertag" ]\nformat = "tags"',
        '[tool]\nnertag.format = "tags"',
        'tool = {nertag = {format = "tags"}}',
        "[tool.'nertag']\nformat = 'tags'",
        'tool.nertag.format = "tags"',
    ],
)
def test_every_way_to_write_the_table(content: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(project / "pyproject.toml", content)
    assert shown(capsys)["format"] == ('format = "tags"', str(project / "pyproject.toml"))


def test_toml_is_not_loaded_for_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(project / "pyproject.toml", '[project]\nname = "nertag-helper"\n[tool.other]\nx = 1\n')
    assert cli._settings_files() == []


def test_a_folder_that_is_gone_has_no_settings(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "getcwd", gone)
    assert cli._settings_files() == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("fromat = 'tags'", "unknown key 'fromat'\n  hint: Did you mean 'format'?\n"),
        ("xyzzy = 1", "unknown key 'xyzzy'\n  hint: Known: model, input, text-field, format, document, encoding"),
        ("output_format = 'tags'", "unknown key 'output_format'\n  hint: "),
        ("[tag]\nformat = 'tags'", "unknown key 'tag'\n  hint: "),
        ("text = 'Ann'", "'text' is no setting\n  hint: --text belongs on the command line.\n"),
        ("format = 'xml'", "format: 'xml' is not one of 'labels', 'tags'"),
        ("format = 3", "format: '3' is not one of 'labels', 'tags'"),
        ("format = ['tags']", "format: it must be a text or a number, not ['tags']\n"),
        ("format = true", "format: it must be a text or a number, not True\n"),
        ("format = {a = 1}", "format: it must be a text or a number, not {'a': 1}\n"),
        ("format = ", "it cannot be read as TOML: Invalid value"),
        ("format = 'tags'\nformat = 'tags'", "it cannot be read as TOML: Cannot overwrite a value"),
        ("x = " + "[" * 10_000, "it cannot be read as TOML: "),
    ],
)
def test_a_file_that_does_not_do(content: str, message: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(project / "nertag.toml", content)
    assert refused(capsys).startswith(f"nertag: error: {project / 'nertag.toml'}: {message}")


def test_a_file_that_is_not_utf8(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "nertag.toml").write_bytes(b'format = "\xff"')
    assert refused(capsys).startswith(
        f"nertag: error: {project / 'nertag.toml'}: it cannot be read as TOML: 'utf-8' codec"
    )


def test_a_table_that_is_none(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(project / "pyproject.toml", "[tool]\nnertag = 3\n")
    assert refused(capsys) == (
        f"nertag: error: {project / 'pyproject.toml'}: 'nertag' must be a table of settings, not 3\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("NERTAG_FROMAT", "tags", "unknown variable 'NERTAG_FROMAT'\n  hint: Did you mean 'NERTAG_FORMAT'?\n"),
        ("NERTAG_TEXT", "Ann", "'NERTAG_TEXT' is no setting\n  hint: --text belongs on the command line.\n"),
        ("NERTAG_FORMAT", "xml", "NERTAG_FORMAT: 'xml' is not one of 'labels', 'tags'"),
    ],
)
def test_a_variable_that_does_not_do(
    name: str,
    value: str,
    message: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    assert refused(capsys).startswith(f"nertag: error: {message}")


def test_the_command_line_is_blamed_for_its_own_faults(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(project / "nertag.toml", 'format = "xml"\n')
    assert main(["tag", "--format", "html5", "--show-settings"]) == 2
    assert "Invalid value for '--format'" in capsys.readouterr().err
    assert main(["tag", "--fromat", "tags"]) == 2
    assert "No such option" in capsys.readouterr().err


def test_help_is_shown_whatever_the_settings(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(project / "nertag.toml", "broken")
    assert main(["tag", "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: nertag tag")


def test_a_model_folder_is_meant_as_seen_from_the_file(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "models" / "mine").mkdir(parents=True)
    put(project / "nertag.toml", 'model = "models/mine"\n')
    (project / "deep").mkdir()
    monkeypatch.chdir(project / "deep")
    assert shown(capsys)["model"] == (f'model = "{project / "models" / "mine"}"', str(project / "nertag.toml"))
    put(project / "nertag.toml", 'model = "org/name"\n')
    assert shown(capsys)["model"] == ('model = "org/name"', str(project / "nertag.toml"))


def test_what_is_shown_is_a_settings_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = 'a "quoted"\\\x1b[31m\u2028 Zoë'
    assert main(["tag", "--show-settings", "--model", odd, "--format", "tags"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    put(project / "nertag.toml", out)
    assert main(["tag", "--show-settings"]) == 0
    again = capsys.readouterr().out
    assert [line.split("  # ")[0] for line in again.splitlines()] == [
        line.split("  # ")[0] for line in out.splitlines()
    ]
    assert str(project / "nertag.toml") in again


def test_settings_reach_the_tagger(project: Path, run_tag: RunTag) -> None:
    put(project / "nertag.toml", 'format = "tags"\n')
    assert run_tag("--text", "we met Harry") == (0, "O O B-PER\n", "")
    assert run_tag("--text", "we met Harry", "--format", "labels") == (0, "0 0 1\n", "")


def test_the_example_of_the_documentation(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", documentation, re.DOTALL)
    put(project / "nertag.toml", example)
    settings = shown(capsys)
    set_there = [name for name, (_, origin) in settings.items() if origin == str(project / "nertag.toml")]
    assert set_there == [line.split(" = ")[0] for line in example.splitlines() if " = " in line]
    assert set_there


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="Python reads TOML itself")
def test_without_tomli(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "tomli", None)
    put(project / "nertag.toml", 'format = "tags"\n')
    assert refused(capsys).endswith("to read it, Python 3.10 needs tomli: run pip install tomli\n")
