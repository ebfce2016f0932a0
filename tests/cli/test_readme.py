"""README.md's examples are run on the shipped model and held against the output printed there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
FIRST = re.search(r"```bash\n(.*?)\n```\n\n```\n(.*?)```", README, re.DOTALL)
CONSOLE = re.findall(r"```console\n\$ ([^\n]+)\n(.*?)```", README, re.DOTALL)
PYTHON = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", README, re.DOTALL)
SCORE = re.compile(r'("score": )([0-9.]+)')

posix = pytest.mark.skipif(os.name != "posix", reason="the examples are for a POSIX shell")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Go to an empty folder, and return an environment whose `nertag` is this interpreter's."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    tool = tmp_path / "nertag"
    tool.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m nertag "$@"\n', encoding="utf-8")
    tool.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }


def run(command: str, environment: dict[str, str]) -> str:
    done = subprocess.run(["sh", "-c", command], capture_output=True, env=environment, check=True, encoding="utf-8")
    assert done.stderr == ""
    return done.stdout


def scores(text: str) -> list[float]:
    return [float(score) for _, score in SCORE.findall(text)]


@posix
def test_the_first_command_prints_what_it_says(shell: dict[str, str]) -> None:
    assert FIRST is not None
    command, output = FIRST.groups()
    *install, tag = command.split(" && ")
    assert install == ["python3 -m venv .venv", ".venv/bin/pip install --quiet ."]
    assert tag.startswith(".venv/bin/nertag ")
    assert run(tag.removeprefix(".venv/bin/"), shell) == output


@posix
@pytest.mark.parametrize(("command", "output"), CONSOLE)
def test_examples(command: str, output: str, shell: dict[str, str]) -> None:
    printed = run(command, shell)
    assert SCORE.sub(r"\1", printed) == SCORE.sub(r"\1", output)
    assert scores(printed) == pytest.approx(scores(output), abs=0.005)


def test_python(capsys: pytest.CaptureFixture[str]) -> None:
    assert PYTHON is not None
    code, output = PYTHON.groups()
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == output


def test_nothing_is_left_out() -> None:
    assert len(CONSOLE) == README.count("```console") >= 3
