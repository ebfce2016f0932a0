"""What the tests of `nertag tag` share: running it in this process with a tagger that needs no model."""

from __future__ import annotations

import io
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Protocol

import pytest

FAKE_NERTAG = Path(__file__).with_name("fake_nertag.py")


class Outcome(NamedTuple):
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str


class RunTag(Protocol):
    """Runs `nertag tag` with some arguments and bytes on standard input."""

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Outcome: ...


@pytest.fixture
def fake() -> dict[str, Any]:
    """The names of fake_nertag.py."""
    return runpy.run_path(str(FAKE_NERTAG))


@pytest.fixture
def run_tag(fake: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> RunTag:
    """Run `nertag tag` in this process; what it writes is decoded as UTF-8, whatever the locale."""
    from nertag.cli import main

    module = ModuleType("nertag.tagger")
    monkeypatch.setattr(module, "load", fake["FakeTagger"], raising=False)
    monkeypatch.setitem(sys.modules, "nertag.tagger", module)
    monkeypatch.delattr("nertag.tagger", raising=False)

    def run(*arguments: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(["tag", *arguments])
        out, err = capfdbinary.readouterr()
        return Outcome(code, out.decode("utf-8"), err.decode("utf-8"))

    return run
