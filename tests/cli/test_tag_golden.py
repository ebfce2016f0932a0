"""Input and output of `nertag tag` as files: a new case is a new file in tests/golden/tag.

A file holds the command, a line `===== input`, what is piped in, a line `===== output`, and what must come out.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from nertag.config import OutputFormat

if TYPE_CHECKING:
    from .conftest import RunTag

CASES = sorted((Path(__file__).parent.parent / "golden" / "tag").glob("*.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_golden(case: Path, run_tag: RunTag) -> None:
    command, rest = case.read_bytes().decode("utf-8").split("\n===== input\n")
    given, expected = rest.split("===== output\n")
    program, name, *arguments = shlex.split(command)
    assert (program, name) == ("nertag", "tag")
    code, out, err = run_tag(*arguments, stdin=given.encode())
    assert (out, err, code) == (expected, "", 0)


def test_there_are_cases_for_every_input_and_format() -> None:
    commands = " ".join(case.read_text(encoding="utf-8").partition("\n")[0] for case in CASES)
    for option, values in {
        "--input": ("text", "tokens", "jsonl", "conll", "csv"),
        "--format": tuple(kind for kind in get_args(OutputFormat) if kind != "parquet"),  # Which is no text.
    }.items():
        assert [value for value in values if f"{option} {value}" not in commands] == []
