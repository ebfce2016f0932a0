"""The numbers that `recipes/lexemes.py` appends to a word's vector."""

from __future__ import annotations

import gzip
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "recipes" / "lexemes.py"
PROBABILITIES = {"rose": -11.0, "Rose": -12.0, "Lagos": -15.0, "UNO": -16.0, "the": -3.5, "The": -5.0, "ko": -14.5}
CLUSTERS = {"rose": 0b111, "Rose": 0b1010110, "the": 0b11 | 1 << 12}


def loaded() -> ModuleType:
    """Import the script, which is in no package."""
    spec = importlib.util.spec_from_file_location("lexemes", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lexemes = loaded()


@pytest.mark.parametrize(
    ("word", "capital", "capitals", "frequency"),
    [
        ("rose", -0.1, -0.6, 2 / 15),
        ("lagos", 0.55, -5.5 / 15, -2 / 15),
        ("uno", 0.0, 4.5 / 15, -3 / 15),
        ("the", -0.15, -0.6, 9.5 / 15),
        ("ko", -0.6, -6 / 15, -1.5 / 15),
    ],
)
def test_three_numbers_tell_how_frequent_a_word_is_in_which_case(
    word: str, capital: float, capitals: float, frequency: float
) -> None:
    assert lexemes.numbers_of(word, PROBABILITIES, CLUSTERS)[:3] == pytest.approx([capital, capitals, frequency])


@pytest.mark.parametrize(
    ("word", "path"),
    [("rose", "-++-+-+--"), ("the", "++-------"), ("lagos", "000000000"), ("nowhere", "000000000")],
)
def test_nine_numbers_are_the_path_of_the_cluster_with_a_capital_first(word: str, path: str) -> None:
    found = lexemes.numbers_of(word, PROBABILITIES, CLUSTERS)[3:]
    assert found == [{"+": 0.25, "-": -0.25, "0": 0.0}[sign] for sign in path]


def test_a_word_that_is_in_no_table_gets_nothing_but_0() -> None:
    assert lexemes.numbers_of("nowhere", PROBABILITIES, CLUSTERS) == [0.0] * 12


def test_the_script_appends_to_every_line(tmp_path: Path) -> None:
    for kind, table in (("prob", PROBABILITIES), ("cluster", CLUSTERS)):
        (tmp_path / f"en_lexeme_{kind}.json.gz").write_bytes(gzip.compress(json.dumps(table).encode()))
    (tmp_path / "glove.txt").write_text("the 0.5 -1\nlagos 1 2\n", encoding="utf-8")
    options = ["--vectors", tmp_path / "glove.txt", "--lookups", tmp_path, "--output", tmp_path / "out.txt"]
    subprocess.run([sys.executable, SCRIPT, *options], check=True)
    lines = [line.split(" ") for line in (tmp_path / "out.txt").read_text(encoding="utf-8").splitlines()]
    assert [line[:3] for line in lines] == [["the", "0.5", "-1"], ["lagos", "1", "2"]]
    for line in lines:
        assert [float(number) for number in line[3:]] == pytest.approx(
            lexemes.numbers_of(line[0], PROBABILITIES, CLUSTERS), abs=0.0005
        )
