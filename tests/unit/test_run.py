from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from nertag.batch import Closed, Item, Opened, Reading
from nertag.errors import InputError, NertagError, OutputError
from nertag.pipeline import Marker, SectionResult
from nertag.run import Run, Single, counts
from nertag.writers import Sink


class Memory:
    """An output that is kept, and remembers how it ended."""

    def __init__(self, room: int = 1000) -> None:
        self.text = ""
        self.events: list[str] = []
        self._room = room

    def write(self, content: str | bytes) -> None:
        assert isinstance(content, str)
        self.text += content
        if len(self.text) > self._room:
            raise OutputError(OSError(28, "No space left on device"), "memory")

    def flush(self) -> None:
        pass

    def finish(self) -> None:
        self.events.append("finish")

    def discard(self) -> None:
        self.events.append("discard")


class Page(Sink):
    """A format with a head and a foot; it takes no question marks."""

    def __init__(self) -> None:
        self.closed = 0

    def begin(self) -> str:
        return "<"

    def write(self, piece: Any) -> str:
        if piece == "?":
            raise InputError("does not fit")
        return str(piece)

    def finish(self) -> Iterator[str]:
        yield ">"

    def close(self) -> None:
        self.closed += 1


def results(**inputs: str) -> Iterator[SectionResult | Marker | None]:
    """The results of inputs, a section for each character; `!` is a fault in it, a last `~` one of the whole input."""
    for path, text in inputs.items():
        item = Item(path)
        yield Opened(item, None)
        for char in text.rstrip("~"):
            yield SectionResult([char], InputError("bad line", path=path) if char == "!" else None, tokens=2, names=1)
        yield None
        yield Closed(item, InputError("torn", path=path) if text.endswith("~") else None)


def run_over(
    stream: Iterable[SectionResult | Marker | None], output: Memory, *, in_rows: bool = True
) -> tuple[Run, Page, list[str]]:
    page, told = Page(), list[str]()
    run = Run(
        Single(page, output, in_rows=in_rows), lambda error: told.append(str(error)), Reading([], lambda path: iter(()))
    )
    try:
        run.take(stream)
    finally:
        assert page.closed == bool(output.text)
    return run, page, told


def test_all_inputs_go_to_one_output() -> None:
    output = Memory()
    run, _, told = run_over(results(a="xy", b="z", c=""), output)
    assert (output.text, output.events[0], told) == ("<xyz>", "finish", [])
    assert [(each.status, each.tokens, each.names) for each in run.outcomes] == [
        ("done", 4, 2), ("done", 2, 1), ("done", 0, 0)
    ]  # fmt: skip
    assert counts(run.outcomes) == {"done": 3, "unchanged": 0, "failed": 0, "not tried": 0}


@pytest.mark.parametrize(
    ("text", "written", "message"),
    [
        ("x!y", "<x!z>", "a: bad line"),
        ("x~", "<xz>", "a: torn"),
        ("x?y", "<xz>", "does not fit"),
        ("!~", "<!z>", "a: bad line"),
    ],
)
def test_after_a_fault_the_next_input_is_written(text: str, written: str, message: str) -> None:
    output = Memory()
    run, _, told = run_over(results(a=text, b="z"), output)
    assert (output.text, told) == (written, [message])
    assert [each.status for each in run.outcomes] == ["failed", "done"]
    assert "finish" in output.events


def test_where_faults_show_late_a_misfit_ends_the_run() -> None:
    output = Memory()
    with pytest.raises(InputError, match="does not fit"):
        run_over(results(a="x?y", b="z"), output, in_rows=False)
    assert "finish" not in output.events


@pytest.mark.parametrize(("inputs", "written"), [({"a": "~"}, ""), ({"a": "x~", "b": "~"}, "<x>")])
def test_if_no_input_could_be_read_a_file_is_not_written(inputs: dict[str, str], written: str) -> None:
    output = Memory()
    run_over(results(**inputs), output)
    assert (output.text, "finish" in output.events) == (written, False)


def test_what_cannot_be_written_ends_the_run() -> None:
    output = Memory(room=2)
    page = Page()
    run = Run(Single(page, output), lambda error: None)
    with pytest.raises(NertagError, match="memory: it cannot be written: No space left on device"):
        run.take(results(a="x", b="yz", c="z"))
    assert [each.status for each in run.outcomes] == ["done", "failed"]
    assert (output.events, page.closed) == (["discard"], 1)


@pytest.mark.parametrize(("char", "fault"), [("x", False), ("!", True)])
def test_a_single_text_has_no_markers(char: str, fault: bool) -> None:
    output = Memory()
    run = Run(Single(Page(), output), lambda error: None)
    run.take(each for each in results(a=char) if isinstance(each, SectionResult))
    assert (output.text, run.has_fault, "finish" in output.events) == (f"<{char}>", fault, not fault)
