"""The examples of docs/formats.md, docs/batch.md and docs/python.md are run, probabilities aside.

They run with the tests' own tagger, which takes capitalised words for names, and the examples have capitals in names
only: what is checked is the shape of inputs and outputs, not a model.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = "".join((DOCS / name).read_text(encoding="utf-8") for name in ("formats.md", "batch.md"))
CONSOLE = re.findall(r"```console\n\$ ([^\n]+)\n(.*?)```", PAGES, re.DOTALL)
PYTHON = re.findall(
    r"```python\n(.*?)```\n\n```\n(.*?)```", (DOCS / "python.md").read_text(encoding="utf-8"), re.DOTALL
)


def without_scores(text: str) -> str:
    return re.sub(r'("+score"+: |,PER,)0\.\d+', r"\g<1>0", text)


@pytest.mark.skipif(os.name != "posix", reason="the examples are for a POSIX shell")
@pytest.mark.parametrize(("command", "output"), CONSOLE)
def test_commands(command: str, output: str, tmp_path: Path) -> None:
    tool = tmp_path / "nertag"
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("fake_nertag.py")}" "$@"\n')
    tool.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, env=environment, cwd=tmp_path, check=True, encoding="utf-8"
    )
    assert (without_scores(done.stdout), done.stderr) == (without_scores(output), "")


@pytest.mark.parametrize(("code", "output"), PYTHON)
def test_python(
    code: str, output: str, fake: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("nertag.load", lambda: fake["FakeTagger"]("en-person"), raising=False)
    exec(compile(code, "docs/python.md", "exec"), {})
    assert capsys.readouterr().out == output


def test_there_are_examples() -> None:
    assert len(CONSOLE) >= 20
    assert len(PYTHON) == 2
