"""The files that state versions agree with one another."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
GROUPS = ("encodings", "parquet", "train", "zstd")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lowest(requirements: list[str]) -> dict[str, str]:
    """The lower end of every range; a requirement without one fails."""
    ranges = (re.fullmatch(r"([\w.-]+)>=([\d.]+)(?: *;.*)?", requirement) for requirement in requirements)
    return {normal(match[1]): match[2] for match in ranges if match}


def pinned(file: str) -> dict[str, list[str]]:
    """The versions a constraints file allows, one for each range of Pythons."""
    pins: dict[str, list[str]] = {}
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([\w.-]+)==([^ ;]+)", line):
            pins.setdefault(normal(match[1]), []).append(match[2])
    return pins


def version(text: str) -> tuple[int, ...]:
    """A version as numbers without the zeros at its end: 1.20 and 1.20.0 are the same."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def test_the_oldest_constraints_are_the_lower_ends() -> None:
    requirements = [*PROJECT["dependencies"], *(each for group in GROUPS for each in EXTRAS[group])]
    ends = lowest(requirements)
    oldest = pinned("constraints-oldest.txt")
    assert len(ends) == len(requirements)
    assert set(oldest) == set(ends)
    for name, end in ends.items():
        assert version(oldest[name][0]) == version(end), name


@pytest.mark.parametrize("group", ["base", *GROUPS, "dev"])
def test_every_dependency_is_pinned_within_its_range(group: str) -> None:
    ends = lowest(PROJECT["dependencies"] if group == "base" else EXTRAS[group])
    pins = pinned("constraints.txt")
    assert ends
    for name, end in ends.items():
        assert [version(pin) >= version(end) for pin in pins[name]].count(False) == 0, name


def test_the_base_install_is_light() -> None:
    assert set(lowest(PROJECT["dependencies"])) == {"numpy", "onnxruntime", "rich", "typer"}
