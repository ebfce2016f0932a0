"""Runs `nertag tag` again and again, kills it each time one step later, takes it up, and looks at what is there.

A step is a call that touches files: open, write, fsync, rename, unlink, truncate, mkdir. Every run is a fork of this
process, so that dozens of them take seconds. Usage: killed_nertag.py FOLDER ARGUMENT…; FOLDER is taken away before each
run, and the arguments have everything written below it: results into `out`, a mapping of names beside it. Prints what
it found as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import fake_nertag

from nertag import cli, result_folder

STEPS = ("open", "write", "fsync", "ftruncate", "replace", "unlink", "makedirs")


def in_child(work: Callable[[], int]) -> int:
    """Run something in a fork; return how it ended: an exit code, or minus a signal."""
    child = os.fork()
    if child == 0:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        try:
            os._exit(work())
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die_at(step: int) -> None:
    """Let this process be killed by the step of this number, before the system hears of it."""
    left = step

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return real(*arguments, **options)

        return call

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))


def tree(folder: Path) -> dict[str, str]:
    """Return the files below a folder, but those that say what it holds, with what is in them."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes().decode("latin-1")
        for path in files
        if not path.name.startswith(".nertag.")
    }


def main(folder: Path, arguments: list[str]) -> dict[str, Any]:
    fake_nertag.install()
    result_folder._GROUP_FILES = 2
    run = lambda: cli.main(["tag", *arguments])  # noqa: E731

    def fresh() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()

    fresh()
    code = in_child(run)
    whole = tree(folder)
    faults: list[str] = []
    step = 0
    while True:
        fresh()

        def killed(step: int = step) -> int:
            die_at(step)
            return run()

        ended = in_child(killed)
        if ended != -signal.SIGKILL:
            break
        for name, content in tree(folder).items():
            if not Path(name).name.startswith(".nertag-") and name.startswith("out/") and content != whole.get(name):
                faults.append(f"killed at {step}: {name} is there and not whole")
        again = in_child(run)
        if again != code or tree(folder) != whole:
            faults.append(f"killed at {step}: the next run ended with {again} and {sorted(tree(folder))}")
        step += 1
    return {"code": code, "last": ended, "files": whole, "steps": step, "faults": faults}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), sys.argv[2:])))
