"""What the command line owes the shell: help, examples, completion, colours, widths, a manual page, full disks."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from nertag._version import __version__
from nertag.cli import app, main

ROOT = Path(__file__).parents[2]
FAKE_NERTAG = Path(__file__).with_name("fake_nertag.py")
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX terminals or devices")

GROUP: Any = typer.main.get_command(app)
CONTEXT = GROUP.make_context("nertag", [], resilient_parsing=True)
COMMANDS = {name: GROUP.get_command(CONTEXT, name) for name in GROUP.list_commands(CONTEXT)}


def environment(**variables: str) -> dict[str, str]:
    """The test's environment with variables of one's own; paths lead to the package."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "TERM": "xterm-256color", **variables}


# --- Help -------------------------------------------------------------------------------------------------------------


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr() == (f"nertag {__version__}\n", "")


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)])
@pytest.mark.parametrize("columns", [50, 80, 200])
def test_help_keeps_to_the_terminal(
    arguments: list[str], columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([*arguments, "-h"]) == 0
    out, err = capsys.readouterr()
    assert (err, "\x1b" in out) == ("", False)
    text = re.split(r"\n  Examples?:\n", out)[0]
    assert [line for line in text.splitlines() if len(line) > min(columns, 100)] == []


def examples_of(epilog: str) -> list[str]:
    return [line.strip() for line in epilog.replace("\b", "").splitlines() if "nertag " in line]


EXAMPLES = [
    (name, line)
    for name, command in [("nertag", GROUP), *COMMANDS.items()]
    if command.epilog
    for line in examples_of(command.epilog)
]


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_examples_are_good_usage(name: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line)
    start = words.index("nertag") + 1
    end = next((index for index, word in enumerate(words) if word in ("|", ">") and index > start), len(words))
    command, *arguments = words[start:end]
    assert name in (command, "nertag")
    for file in arguments:
        if file.endswith((".toml", ".txt")):
            (tmp_path / file).write_text("", encoding="utf-8")
    with COMMANDS[command].make_context(command, arguments, parent=CONTEXT) as context:
        assert context.params


def test_there_are_examples() -> None:
    assert {name for name, _ in EXAMPLES} >= {"nertag", "train", "evaluate", "tag", "info"}


# --- Completion -------------------------------------------------------------------------------------------------------


def completions(words: str, shell: str = "bash", **variables: str) -> list[str]:
    """What a shell is told that the last word may become."""
    variables |= {"_NERTAG_COMPLETE": f"complete_{shell}", "COMP_WORDS": words, "_TYPER_COMPLETE_ARGS": words}
    variables["COMP_CWORD"] = str(len(words.split()) - (not words.endswith(" ")))
    done = subprocess.run(
        [sys.executable, "-m", "nertag"],
        capture_output=True,
        env=environment(**variables),
        check=True,
        encoding="utf-8",
    )
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("nertag ", list(COMMANDS)),
        ("nertag ev", ["evaluate"]),
        ("nertag tag --doc", ["--document"]),
        ("nertag tag --document ", ["file", "paragraph", "line"]),
        ("nertag tag --model en-", ["en-person"]),
        ("nertag info en-", ["en-person"]),
        ("nertag train --cell g", ["gru"]),
        ("nertag train --no-char", ["--no-characters"]),
        ("nertag tag book", []),
    ],
)
def test_completion(words: str, found: list[str]) -> None:
    assert [item for item in completions(words) if item] == found


def test_completion_is_not_disturbed_by_settings(tmp_path: Path) -> None:
    assert "jsonl" in completions("nertag tag --format j", NERTAG_FROMAT="broken")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells(shell: str) -> None:
    told = "\n".join(completions("nertag ev", shell, _TYPER_COMPLETE_FISH_ACTION="get-args"))
    assert "evaluate" in told
    assert "Score a model" in told


@posix
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_in_bash_itself(tmp_path: Path) -> None:
    tool = tmp_path / "nertag"
    tool.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m nertag "$@"\n', encoding="utf-8")
    tool.chmod(0o755)
    script = """
        eval "$(nertag --show-completion bash)"
        complete -p nertag
        COMP_WORDS=(nertag tag --input js) COMP_CWORD=3
        "$(complete -p nertag | sed 's/.*-F \\([^ ]*\\).*/\\1/')" nertag
        echo "${COMPREPLY[@]}"
    """
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    variables = environment(PATH=path, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    done = subprocess.run(["bash", "-c", script], capture_output=True, env=variables, check=True, encoding="utf-8")
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "jsonl"


# --- Colours ----------------------------------------------------------------------------------------------------------


def seen(*arguments: str, **variables: str) -> bytes:
    """What a terminal is sent."""
    leader, follower = os.openpty()
    command = [sys.executable, str(FAKE_NERTAG), *arguments]
    done = subprocess.run(command, stdout=follower, stdin=subprocess.DEVNULL, env=environment(**variables), check=True)
    os.close(follower)
    assert done.stderr is None
    told = os.read(leader, 1 << 16)
    os.close(leader)
    return told


@posix
@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, b"we met \x1b[1;35mHarry\x1b[0m\r\n"),
        ({"NO_COLOR": "1"}, b"we met \x1b[1mHarry\x1b[0m\r\n"),  # bold is no colour
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, b"we met \x1b[1mHarry\x1b[0m\r\n"),
        ({"TERM": "dumb"}, b"we met [Harry]\r\n"),
    ],
)
def test_colours_on_a_terminal(variables: dict[str, str], told: bytes) -> None:
    assert seen("tag", "--text", "we met Harry", **variables) == told


@pytest.mark.parametrize(
    ("variables", "told"), [({}, "we met [Harry]\n"), ({"FORCE_COLOR": "1"}, "we met \x1b[1;35mHarry\x1b[0m\n")]
)
def test_colours_in_a_pipe(variables: dict[str, str], told: str) -> None:
    command = [sys.executable, str(FAKE_NERTAG), "tag", "--format", "pretty", "--text", "we met Harry"]
    done = subprocess.run(command, capture_output=True, env=environment(**variables), check=True, encoding="utf-8")
    assert (done.stdout, done.stderr) == (told, "")


def test_colours_forced_on_a_pipe_change_no_other_result() -> None:
    command = [sys.executable, str(FAKE_NERTAG), "tag", "--text", "we met Harry"]
    variables = environment(FORCE_COLOR="1")
    done = subprocess.run(command, capture_output=True, env=variables, check=True, encoding="utf-8")
    assert (done.stdout, done.stderr) == ("0 0 1\n", "")


# --- A full disk ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["tag", "-h"], ["tag", "--show-settings"], ["info"], ["--show-completion", "bash"]],
)
def test_help_on_a_full_disk_is_an_error(arguments: list[str], unbuffered: str) -> None:
    variables = environment(PYTHONUNBUFFERED=unbuffered, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "nertag", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=variables, check=False)
    assert done.stderr == b"nertag: error: standard output cannot be written: No space left on device\n"
    assert done.returncode == 1


def test_other_faults_of_the_system_are_bugs(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nertag.commands.info.models", fail)
    with pytest.raises(OSError, match="No space left"):
        main(["models"])


# --- The manual page --------------------------------------------------------------------------------------------------


def make_man() -> Any:
    specification = importlib.util.spec_from_file_location("make_man", ROOT / "docs" / "make_man.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


PINNED = re.search(r"^typer==([\d.]+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.skipif(PINNED is None or importlib.metadata.version("typer") != PINNED[1], reason="another Typer's help")
def test_the_manual_page_says_what_help_says() -> None:
    script = make_man()
    assert script.PAGE.read_text(encoding="utf-8") == script.page(), "run: python docs/make_man.py"


def test_the_manual_page_holds_every_option_and_exit_code() -> None:
    page = make_man().page()
    plain = page.replace("\\-", "-")
    for command in COMMANDS.values():
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or parameter.opts[-1] in plain
    assert list(make_man().exit_codes()) == sorted(make_man().exit_codes(), key=int)
    assert {"0", "1", "2", "130"} <= set(make_man().exit_codes())
    assert page.isascii()


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_the_manual_page_is_good_roff() -> None:
    page = ROOT / "docs" / "nertag.1"
    done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", "-z", str(page)], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
