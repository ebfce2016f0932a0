from __future__ import annotations

import io
import sys

import pytest

from nertag import console
from nertag.errors import InputError, NertagError


def test_results_gather_until_they_are_flushed(capsys: pytest.CaptureFixture[str]) -> None:
    results = console.Results()
    results.write("1 0\n")
    results.write("0\n")
    assert capsys.readouterr().out == ""
    results.flush()
    assert capsys.readouterr().out == "1 0\n0\n"
    results.flush()
    assert capsys.readouterr().out == ""


def test_much_appears_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    results = console.Results()
    results.write("0 " * 50_000)
    assert capsys.readouterr().out == "0 " * 50_000


def test_much_at_once_is_written_in_parts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_AT_ONCE", 3)
    for content in ("", "ab", "abc", "äöü€\n💡x"):
        results = console.Results()
        results.write(content)
        results.flush()
        assert capsys.readouterr().out == content


def test_results_are_utf8_with_plain_line_feeds_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii", newline="\r\n"))
    results = console.Results()
    results.write("Zoë \ud83d\n")
    results.flush()
    assert written.getvalue() == b"Zo\xc3\xab \\ud83d\n"


def test_results_need_somewhere_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(NertagError, match="standard output is closed"):
        console.Results()


class Failing(io.StringIO):
    """A stream that fails as it is told."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


def test_a_closed_pipe_and_a_full_disk_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    results = console.Results()
    monkeypatch.setattr(sys, "stdout", Failing(BrokenPipeError(32, "Broken pipe")))
    results.write("1\n")
    with pytest.raises(console.PipeClosedError):
        results.flush()
    monkeypatch.setattr(sys, "stdout", Failing(OSError(28, "No space left on device")))
    results.write("1\n")
    with pytest.raises(NertagError, match="standard output cannot be written: No space left on device"):
        results.flush()


def test_every_other_word_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    console.note("reading")
    console.report(InputError("bad byte", hint="Convert it.", path="a.txt", line=3))
    assert capsys.readouterr() == (
        "",
        "nertag: reading\nnertag: error: a.txt:3: bad byte\n  hint: Convert it.\n",
    )


def test_what_a_message_quotes_gives_a_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    console.report(InputError("not JSON: \x1b]0;owned\x07\x9b2J\ttab", hint="Look.", path="a\x7f\rb"))
    assert capsys.readouterr().err == (
        "nertag: error: a\\x7f\\x0db: not JSON: \\x1b]0;owned\\x07\\x9b2J\ttab\n  hint: Look.\n"
    )


def test_words_are_lost_quietly_if_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    console.note("reading")
    monkeypatch.setattr(sys, "stderr", Failing(BrokenPipeError(32, "Broken pipe")))
    console.note("reading")


def test_drawing_goes_where_it_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    console.draw_results().print("[b]result[/b]")
    console.draw_aside().print("[b]aside[/b] :smile:")
    assert capsys.readouterr() == ("[b]result[/b]\n", "[b]aside[/b] :smile:\n")


@pytest.mark.parametrize(
    ("is_terminal", "term", "colour", "redrawn"),
    [(True, "xterm", "", True), (True, "dumb", "", False), (False, "xterm", "1", False), (True, "", "", True)],
)
def test_lines_are_drawn_anew_on_terminals_that_can(
    is_terminal: bool, term: str, colour: str, redrawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", colour)
    assert console.can_redraw() == redrawn
    monkeypatch.setattr(sys, "stderr", None)
    assert not console.can_redraw()


def test_control_characters_are_spelt_out() -> None:
    assert console.spelt_out("Zoë\x1b[2J\x9b\r\t\n\u2028") == "Zoë\\x1b[2J\\x9b\\x0d\t\n\u2028"


def test_results_are_seen_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not console.results_are_seen()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert console.results_are_seen()
    monkeypatch.setattr(sys, "stdout", None)
    assert not console.results_are_seen()
