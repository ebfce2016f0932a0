"""`nertag tag` is killed at every step that touches a file, and taken up: the end is that of an unbroken run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and forks")

FAKE_NERTAG = Path(__file__).with_name("fake_nertag.py")
KILLED_NERTAG = Path(__file__).with_name("killed_nertag.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three texts in which the meaning of a bare name depends on what was read before, and one with a fault."""
    files = {
        "a.txt": b"Granger met Ron here\nEmma Granger came\n",
        "b.txt": b"Granger of Acme\nHarry Granger, Granger\n",
        "bad.txt": b"Luna Granger\n\xff\n",
        "c/d.txt": b"Granger and Emma\n",
    }
    for name, content in files.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "in"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "options", "results"),
    [
        ("jsonl", ["--workers", "1"], 3),
        ("labels", ["--workers", "2"], 3),
        ("pseudonyms", ["--workers", "1", "--mapping", "{}/names.json"], 4),
    ],
)
def test_whenever_it_is_killed_the_next_run_ends_as_an_unbroken_one(
    corpus: Path, tmp_path: Path, kind: str, options: list[str], results: int
) -> None:
    work = tmp_path / "work"
    arguments = [str(corpus), "--format", kind, "--output", f"{work}/out/", *(each.format(work) for each in options)]
    command = [sys.executable, "-W", "ignore", str(KILLED_NERTAG), str(work), *arguments]
    done = subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT)
    found: dict[str, Any] = json.loads(done.stdout)
    assert (found["code"], found["last"]) == (3, 3)
    assert found["faults"] == []
    assert len(found["files"]) == results
    assert found["steps"] > 25
    if kind == "pseudonyms":
        assert found["files"]["out/c/d.txt.pseudonyms"] == "PERSON_1 and PERSON_1\n"


def test_a_run_that_is_killed_in_the_middle_of_a_file(corpus: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    command = [
        sys.executable,
        str(FAKE_NERTAG),
        "tag",
        str(corpus / "a.txt"),
        str(tmp_path / "pipe"),
        "--output",
        "out/",
    ]
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as process:
        with open(tmp_path / "pipe", "wb", buffering=0) as pipe:
            pipe.write(b"Ron\n" * 10)
            process.kill()
            process.wait()
    assert (tmp_path / "out" / "a.txt.labels").read_bytes() == b"1 0 1 0\n1 1 0\n"
    assert not (tmp_path / "out" / "pipe.labels").exists()
    again = subprocess.run(
        [*command[:4], str(corpus / "b.txt"), "--output", "out/"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
    )
    assert b"1 of 2 files tagged, 1 unchanged" in again.stderr
    hidden = sorted(path.name for path in (tmp_path / "out").iterdir() if path.name.startswith("."))
    assert hidden == [".nertag.jsonl", ".nertag.lock"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_that_is_interrupted_says_so_and_leaves_nothing_half_done(
    corpus: Path, tmp_path: Path, workers: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    options = ["--output", "out/", "--report", "report.json", "--workers", workers]
    command = [sys.executable, str(FAKE_NERTAG), "tag", str(corpus / "a.txt"), str(tmp_path / "pipe"), *options]
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE) as process:
        assert process.stderr
        with open(tmp_path / "pipe", "wb", buffering=0) as pipe:
            pipe.write(b"Ron\n" * 10)
            process.send_signal(signal.SIGINT)
            assert process.wait() == 130
        said = process.stderr.read().decode()
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    done = report["counts"]["done"]
    assert (report["exit_code"], done + report["counts"]["not tried"]) == (130, 2)
    assert done == 1 or workers == "2"  # Whose first result may be under way.
    assert said.startswith(f"nertag: interrupted; {done} of 2 files tagged")
    assert said.endswith("The same command goes on from there.\n")
    assert said.count("\n") == 1
    there = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert there == [".nertag.jsonl", ".nertag.lock", *["a.txt.labels"] * done]


def test_one_output_is_there_as_a_whole_or_not_at_all(corpus: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "all.labels").write_bytes(b"before\n")
    command = [sys.executable, str(FAKE_NERTAG), "tag", str(tmp_path / "pipe"), "--output", "all.labels"]
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT) as process:
        with open(tmp_path / "pipe", "wb", buffering=0) as pipe:
            pipe.write(b"Ron\n" * 10)
            process.kill()
            process.wait()
    assert (tmp_path / "all.labels").read_bytes() == b"before\n"
    command[3] = str(corpus / "a.txt")
    subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, check=True)
    assert (tmp_path / "all.labels").read_bytes() == b"1 0 1 0\n1 1 0\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.labels", "in", "pipe"]
