from __future__ import annotations

import io
import sys

import pytest

from nertag.tagging_progress import TaggingProgress


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


class Terminal(io.StringIO):
    """A standard error that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_run_that_is_over_soon_shows_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    progress = TaggingProgress(quiet=False, now=clock)
    progress.expect(2, 1000)
    progress.advance(50, 5, 500)
    clock.time += 9.9
    progress.end_input(500)
    assert capsys.readouterr() == ("", "")
    assert not progress.was_shown
    assert (progress.over, progress.tokens, progress.names, round(progress.seconds, 1)) == (1, 50, 5, 9.9)


def test_a_line_every_so_often_where_nobody_looks(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    progress = TaggingProgress(quiet=False, now=clock)
    progress.expect(1200, 4_000_000)
    progress.end_input(900_000)
    clock.time += 10
    progress.advance(250_000, 1234, 100_000)
    assert capsys.readouterr().err == (
        "nertag: 1 of 1,200 files, 250,000 tokens, 25k a second, 1,234 names, about 0:00:30 left\n"
    )
    for seconds, lines in [(59, 0), (1, 1), (59, 0), (2, 1)]:
        clock.time += seconds
        progress.advance(1, 1, 1)
        assert capsys.readouterr().err.count("\n") == lines
    assert progress.was_shown


def test_of_one_input_without_a_known_size_there_is_less_to_say(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = TaggingProgress(quiet=False, now=clock)
    progress.expect(1, 0)
    clock.time += 20
    progress.advance(1000, 7, 5000)
    assert capsys.readouterr().err == "nertag: 1,000 tokens, 50 a second, 7 names\n"


def test_more_than_was_expected_is_all_of_it(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    progress = TaggingProgress(quiet=False, now=clock)
    progress.expect(1, 100)
    clock.time += 20
    progress.advance(10, 1, 5000)
    assert capsys.readouterr().err.endswith(", about 0:00:00 left\n")


@pytest.mark.parametrize("terminal", [False, True])
def test_quiet_shows_nothing_at_all(clock: Clock, monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    progress = TaggingProgress(quiet=True, now=clock)
    clock.time += 1000
    progress.advance(10, 1, 100)
    progress.hide()
    assert (stream.getvalue(), progress.was_shown) == ("", False)


def test_a_bar_on_a_terminal_which_goes_when_something_else_is_said(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    progress = TaggingProgress(quiet=False, now=clock)
    progress.expect(2, 1000)
    progress.advance(10, 1, 100)
    assert terminal.getvalue() == ""
    clock.time += 2
    progress.advance(10, 1, 150)
    drawn = terminal.getvalue()
    assert "about 0:00:06 left, 0 of 2 files, 20 tokens, 10 a second, 2 names" in drawn
    clock.time += 0.05
    progress.advance(10, 1, 1)
    assert terminal.getvalue() == drawn
    progress.hide()
    assert terminal.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K")
    clock.time += 1
    progress.end_input(500)
    assert "1 of 2 files, 30 tokens" in terminal.getvalue()[len(drawn) :]
    progress.hide()
