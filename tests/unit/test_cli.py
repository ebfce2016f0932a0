"""Options are converted without Typer's help where that is easy, and to the same values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
import typer.main

from nertag import cli


def parse(arguments: list[str], cls: type[Any] | None) -> dict[str, Any] | str:
    """Parse options of every kind, by a command of ours or Typer's own; return the values or what is wrong."""
    found: dict[str, Any] = {}
    app = typer.Typer(rich_markup_mode=None, add_completion=False)

    @app.command(cls=cls)
    def command(
        paths: Annotated[list[str] | None, typer.Argument()] = None,
        text: Annotated[str | None, typer.Option("--text")] = None,
        word: Annotated[str, typer.Option("--word")] = "x",
        number: Annotated[int, typer.Option("--number", min=0, max=9)] = 3,
        share: Annotated[float | None, typer.Option("--share", min=0, max=1)] = None,
        any_share: Annotated[float, typer.Option("--any-share")] = 0.5,
        kind: Annotated[Literal["a", "b"], typer.Option("--kind")] = "a",
        several: Annotated[list[str] | None, typer.Option("--several")] = None,
        numbers: Annotated[list[int] | None, typer.Option("--numbers")] = None,
        switch: Annotated[bool, typer.Option("--switch/--no-switch")] = False,
        path: Annotated[Path | None, typer.Option("--path")] = None,
        loud: Annotated[str, typer.Option("--loud", callback=lambda value: value.upper())] = "hey",
    ) -> None:
        found.update(locals())

    try:
        typer.main.get_command(app).main(arguments, "test", standalone_mode=False)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return {name: value for name, value in found.items() if name not in ("found", "app")}


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "one two --text Ann --word=",
        "--number 9 --share 0.25 --any-share -3e2",
        "--number 0 --share 1 --any-share inf",
        "--kind b --several x --several y --numbers 1 --numbers 2",
        "--switch --no-switch --switch",
        "--path a/b --loud quiet",
        "--number 10",
        "--number -1",
        "--number many",
        "--number 1.5",
        "--share 1.01",
        "--share nan",
        "--any-share none",
        "--kind c",
        "--numbers 1 --numbers x",
        "--unknown",
    ],
)
def test_options_mean_what_they_mean_to_typer(arguments: str) -> None:
    assert repr(parse(arguments.split(), cli._Command)) == repr(parse(arguments.split(), None))


def test_numbers_in_a_range() -> None:
    assert cli._within(1, None, None)
    assert cli._within(0.0, 0, 1)
    assert not cli._within(-1, 0, None)
    assert not cli._within(2, None, 1)
    assert not cli._within(float("nan"), None, None)


def test_a_pyproject_that_cannot_be_read_has_no_table_of_ours(tmp_path: Path) -> None:
    assert not cli._has_our_table(str(tmp_path))
