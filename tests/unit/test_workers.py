from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from nertag.errors import InputError, ModelError, NertagError
from nertag.pipeline import Marker, SectionResult
from nertag.sections import Section
from nertag.workers import Job, count_cores, tag_sections
from nertag.writers import OutputSettings
from tests.tiny import trained_folder

forks = pytest.mark.skipif(sys.platform != "linux", reason="what tests make up reaches no process but a fork")


def section(number: int, text: str = "Mira Olsen waved .\n") -> Section:
    """Return the section of one line."""
    return Section("-", number, text, "text", "file")


def job(kind: Any = "labels") -> Job:
    """Return a job for the tiny model."""
    return Job(str(trained_folder()), None, OutputSettings(kind))


@dataclass(frozen=True)
class MadeUp(Job):
    """A job that calls a function for every section."""

    call: Callable[[Section], str] = str

    def start(self) -> Any:
        return lambda section: SectionResult([self.call(section)], None)


def made_up(call: Callable[[Section], str]) -> MadeUp:
    return MadeUp("", None, OutputSettings("labels"), call)


def pieces_of(results: Iterator[SectionResult | None]) -> list[Any]:
    return [result and result.pieces for result in results]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("kind", ["labels", "jsonl", "conll", "names"])
def test_results_are_the_same_and_in_order_whoever_tags(kind: str, workers: int) -> None:
    sections = [section(number, f"Mira Olsen saw {number} ships .\n\n" * (1 + number % 7)) for number in range(1, 30)]
    expected = [job(kind).start()(each) for each in sections]
    assert list(tag_sections(job(kind), sections, workers)) == expected
    assert expected[0].pieces != expected[1].pieces


@forks
@pytest.mark.parametrize("alone", [0, 200])
def test_results_are_the_same_where_processes_are_not_forked(alone: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sections = [section(number, f"Mira Olsen saw {number} ships .\n" * 9) for number in range(1, 4)]
    expected = [job().start()(each) for each in sections]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert list(tag_sections(job(), sections, 2, alone)) == expected


@forks
def test_a_fork_brings_the_model_along() -> None:
    started: list[int] = []

    @dataclass(frozen=True)
    class Counted(MadeUp):
        def start(self) -> Any:
            started.append(os.getpid())
            return lambda section: SectionResult([str(started)], None)

    found = pieces_of(tag_sections(Counted("", None, OutputSettings("labels"), str), [section(1), section(2)], 2))
    assert found == [[str([os.getpid()])]] * 2


@forks
@pytest.mark.parametrize(("alone", "here"), [(0, 0), (1, 1), (40, 3), (1000, 9)])
def test_others_start_when_enough_has_come(alone: int, here: int) -> None:
    sections = [section(number) for number in range(9)]
    found = pieces_of(tag_sections(made_up(lambda section: str(os.getpid())), sections, 2, alone))
    assert [pid == [str(os.getpid())] for pid in found] == [True] * here + [False] * (9 - here)


@forks
@pytest.mark.parametrize("alone", [0, 1 << 20])
def test_a_pause_brings_everything_that_came_before(alone: int) -> None:
    taken: list[int] = []

    def sections() -> Iterator[Section | None]:
        for number in range(1, 7):
            taken.append(number)
            yield section(number)
            if number % 3 == 0:
                yield None

    seen = []
    for result in tag_sections(made_up(lambda section: str(section.line)), sections(), 2, alone):
        seen.append(result.pieces[0] if result else len(taken))
    assert seen == ["1", "2", "3", 3, "4", "5", "6", 6]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("alone", [0, 30])
def test_markers_stay_where_they_are(workers: int, alone: int) -> None:
    marks = [Marker() for _ in range(4)]
    stream = [marks[0], section(1), section(2), marks[1], marks[2], section(3), marks[3]]
    found = list(tag_sections(job(), stream, workers, alone))
    assert [each if isinstance(each, Marker) else "result" for each in found] == [
        each if isinstance(each, Marker) else "result" for each in stream
    ]


@forks
def test_the_input_is_read_no_further_than_keeps_workers_busy() -> None:
    taken: list[int] = []

    def endless() -> Iterator[Section]:
        while True:
            taken.append(1)
            yield section(len(taken))

    results = tag_sections(made_up(lambda section: str(section.line)), endless(), 2)
    for number in range(1, 30):
        result = next(results)
        assert result and result.pieces == [str(number)]
        assert len(taken) - number <= 2 * 3 + 1
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_fault_in_the_input_comes_after_what_was_before_it(workers: int) -> None:
    def sections() -> Iterator[Section]:
        yield section(1)
        yield section(2)
        raise InputError("torn", path="-", line=3)

    found = []
    with pytest.raises(InputError, match=r"^-:3: torn$"):
        for result in tag_sections(job(), sections(), workers):
            found.append(result)
    assert found == [SectionResult(["1 1 0 0\n"], None, tokens=4, names=1, size=19)] * 2


def test_a_fault_inside_a_section_comes_back_whole() -> None:
    broken = Section("x", 7, '{"text": "Mira"}\nnonsense\n', "jsonl", "file")
    (found,) = tag_sections(job("labels"), [broken], 2)
    assert found and found.pieces == ["1\n"]
    assert isinstance(found.fault, InputError) and found.fault.line == 8 and found.fault.hint


def test_an_error_survives_its_journey() -> None:
    error = InputError("torn", hint="Mend it.", path="a", line=3)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), type(again), again.path, again.line) == (str(error), InputError, "a", 3)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_that_cannot_be_loaded_is_told_before_anything_is_read(workers: int) -> None:
    with pytest.raises(ModelError, match="there is no model 'nobody'"):
        tag_sections(Job("nobody", None, OutputSettings("labels")), iter([section(1)]), workers)


@forks
def test_a_worker_that_is_killed_ends_the_run_with_an_error() -> None:
    def die(section: Section) -> str:
        if section.line == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return "alive"

    results = tag_sections(made_up(die), [section(number) for number in range(20)], 2)
    message = (
        r"^a worker process was ended from outside, as it happens when memory runs out\n  hint: Use fewer --workers\.$"
    )
    with pytest.raises(NertagError, match=message):
        list(results)


@forks
def test_a_bug_in_a_worker_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(tag_sections(made_up(lambda section: str(1 // 0)), [section(1)], 2))
    assert "test_workers.py" in str(caught.value.__cause__)


def test_cores_are_those_we_may_use() -> None:
    assert 1 <= count_cores() <= (os.cpu_count() or 1)
