"""Runs programs beside each other and says how long they took and how much memory; the ratios of two of them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
NERTAG = (sys.executable, "-m", "nertag")


@dataclass
class Figure:
    """One measured ratio.

    Attributes:
        name: What it is a ratio of.
        goal: What it shall be, in words.
        ratios: One for every run.
        details: What else was measured, by name.
    """

    name: str
    goal: str
    ratios: list[float]
    details: dict[str, Any] = field(default_factory=dict)

    def row(self) -> str:
        """Return a row of the table."""
        numbers = [f"{number:.3f}" for number in (statistics.median(self.ratios), min(self.ratios), max(self.ratios))]
        details = "; ".join(f"{name} {shown(value)}" for name, value in self.details.items())
        return f"| {' | '.join([self.name, self.goal, *numbers, str(len(self.ratios)), details])} |"


def shown(value: object) -> str:
    """Return a number as one reads it."""
    if isinstance(value, int) or (isinstance(value, float) and value >= 1000):
        return f"{value:,.0f}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def run(command: Sequence[object]) -> float:
    """Run a program to its end, its output thrown away, and return the seconds that it took."""
    return run_together([command])


def spend(command: Sequence[object]) -> float:
    """Run a program to its end and return the seconds of processor time that it took, whatever else was running."""
    before = os.times()
    run(command)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def run_together(commands: Sequence[Sequence[object]]) -> float:
    """Run programs at the same time.

    Returns:
        Seconds until the last has ended.

    Raises:
        CalledProcessError: If one fails.
    """
    began = time.perf_counter()
    processes = [
        subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, env=_ENVIRONMENT) for command in commands
    ]
    for process in processes:
        if process.wait():
            raise subprocess.CalledProcessError(process.returncode, process.args)
    return time.perf_counter() - began


def most_memory(command: Sequence[object], *, family: bool = False) -> float:
    """Run a program and see how much memory it takes.

    Args:
        command: The program.
        family: Whether its children count, too: pages that several of them share once, as they are twenty times a
            second. Without them the system keeps the count.

    Returns:
        The most megabytes that it had at once.

    Raises:
        CalledProcessError: If it fails.
    """
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, env=_ENVIRONMENT)
    most = 0
    while process.poll() is None:
        pids = _family(process.pid) if family else []
        found = sum(_kilobytes(pid, "smaps_rollup", "Pss:") for pid in pids)
        most = max(most, found if family else _kilobytes(process.pid, "status", "VmHWM:"))
        time.sleep(0.05 if family else 0.01)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return most / 1024


def _family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return [pid]
    return [pid, *(one for child in text.split() for one in _family(int(child)))]


def _kilobytes(pid: int, file: str, name: str) -> int:
    """Return a number that the system keeps of a process, 0 if it has just ended."""
    try:
        text = Path(f"/proc/{pid}/{file}").read_text(encoding="ascii")
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(name))


def alternate(runs: int, first: Callable[[], float], second: Callable[[], float]) -> tuple[list[float], list[float]]:
    """Call two functions in turn, after once without counting, and return what they gave."""
    first(), second()
    pairs = [(first(), second()) for _ in range(runs)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
