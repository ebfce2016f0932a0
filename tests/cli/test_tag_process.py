"""`nertag tag` as a program: pipes that pause, close or fill up, terminals, Ctrl-C, what is imported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

FAKE_NERTAG = Path(__file__).with_name("fake_nertag.py")
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals, terminals or devices")


def start(
    *arguments: str, stdin: int | None = subprocess.PIPE, stdout: int = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Start `nertag tag` with the fake tagger."""
    command = [sys.executable, str(FAKE_NERTAG), "tag", *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm-256color"}
    return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=environment, bufsize=0)


@pytest.fixture
def running() -> Iterator[subprocess.Popen[bytes]]:
    """A `nertag tag` that reads a pipe."""
    with start() as process:
        yield process
        process.kill()


def test_a_pipe_that_pauses_is_answered_line_by_line(running: subprocess.Popen[bytes]) -> None:
    assert running.stdin and running.stdout and running.stderr
    for line, answer in [(b"we met Harry\n", b"0 0 1\n"), (b"\n", b"\n"), (b"Ron waved\n", b"1 0\n")]:
        running.stdin.write(line)
        assert running.stdout.readline() == answer
    running.stdin.write(b"the last")
    running.stdin.close()
    assert running.stdout.read() == b"0 0\n"
    assert running.wait() == 0
    assert running.stderr.read() == b""


@posix
def test_interrupting_it_while_it_waits_ends_with_130_and_no_word(running: subprocess.Popen[bytes]) -> None:
    assert running.stdin and running.stdout and running.stderr
    running.stdin.write(b"Harry\n")
    assert running.stdout.readline() == b"1\n"
    running.send_signal(signal.SIGINT)
    assert running.wait() == 130
    assert running.stderr.read() == b""


def test_a_reader_that_goes_away_ends_it_with_no_word(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("we met Harry\n" * 100_000, encoding="utf-8")
    with start(str(path)) as process:
        assert process.stdout and process.stderr
        assert process.stdout.read(6) == b"0 0 1\n"
        process.stdout.close()
        assert process.wait() == 0
        assert process.stderr.read() == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_an_error() -> None:
    with open("/dev/full", "wb") as full, start("--text", "Harry", stdout=full.fileno()) as process:
        assert process.stderr
        assert process.wait() == 1
        assert process.stderr.read() == b"nertag: error: standard output cannot be written: No space left on device\n"


@posix
def test_closed_standard_streams_are_errors_without_a_traceback() -> None:
    for redirection in ("<&-", ">&-"):
        command = f"exec {sys.executable} {FAKE_NERTAG} tag {redirection}"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(["sh", "-c", command], capture_output=True, env=environment, check=False, input=b"x\n")
        assert done.returncode == 1
        assert done.stderr.startswith(b"nertag: error: ")
        assert b"is closed" in done.stderr


@posix
def test_on_a_terminal_names_are_highlighted() -> None:
    leader, follower = os.openpty()
    with start("--text", "we met Harry Potter", stdout=follower) as process:
        assert process.wait() == 0
    os.close(follower)
    assert os.read(leader, 1000) == b"we met \x1b[1;35mHarry Potter\x1b[0m\r\n"
    os.close(leader)


@posix
def test_at_a_keyboard_it_says_what_it_waits_for() -> None:
    leader, follower = os.openpty()
    with start(stdin=follower) as process:
        assert process.stdout and process.stderr
        assert process.stderr.readline().startswith(b"nertag: reading from the terminal; Ctrl-D")
        os.write(leader, b"we met Harry\n")
        assert process.stdout.readline() == b"0 0 1\n"
        os.write(leader, b"\x04")
        assert process.wait() == 0
    os.close(follower)
    os.close(leader)


@posix
def test_a_named_pipe_is_read_like_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with start(str(path)) as process, open(path, "wb", buffering=0) as pipe:
        assert process.stdout
        pipe.write(b"we met Harry\n")
        assert process.stdout.readline() == b"0 0 1\n"
        pipe.close()
        assert process.wait() == 0


def test_what_is_drawn_or_trained_with_is_not_imported() -> None:
    script = (
        "import runpy, sys; runpy.run_path(sys.argv[1])['install']()\n"
        "from nertag.cli import main\n"
        "assert main(['tag', '--text', 'Harry', '--format', 'tags']) == 0\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "sys.stderr.write(' '.join(sorted(loaded & {'rich', 'torch', 'datasets', 'seqeval', 'onnx', 'numpy'})))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script, str(FAKE_NERTAG)], capture_output=True, env=environment, check=False, text=True
    )
    assert (done.stdout, done.stderr, done.returncode) == ("B-PER\n", "", 0)


def test_it_runs_as_a_module() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "nertag", "tag", "no such book"], capture_output=True, env=environment, check=False
    )
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.startswith(b"nertag: error: no such book: there is no such file\n  hint: ")


def _children(pid: int) -> list[int]:
    """Return the processes whose parent is this one."""
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return list(map(int, done.stdout.split()))


def _wait_until_gone(pids: list[int]) -> bool:
    """Wait for processes to end, for ten seconds at most."""
    for _ in range(1000):
        if not any(os.path.exists(f"/proc/{pid}") for pid in pids):
            return True
        threading.Event().wait(0.01)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(("signal_number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_workers_end_with_the_first_process(signal_number: signal.Signals, code: int) -> None:
    with start("--workers", "2") as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"we met Harry\n")
        assert process.stdout.readline() == b"0 0 1\n"
        workers = _children(process.pid)
        assert workers
        process.send_signal(signal_number)
        assert process.wait() == code
        assert process.stderr.read() == b""
        assert _wait_until_gone(workers)


def test_workers_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("".join(f"we met Harry {number}\n" for number in range(20_000)), encoding="utf-8")
    outputs = []
    for workers in ("1", "2"):
        with start("--workers", workers, "--format", "jsonl", str(path)) as process:
            outputs.append(process.communicate())
            assert process.returncode == 0
    assert outputs[0] == outputs[1]
    assert outputs[0][0].count(b"\n") == 20_000


def test_nothing_is_left_in_the_home_folder(tmp_path: Path) -> None:
    """ONNX Runtime would leave an id and a record of what it does there when it is imported."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    places = dict.fromkeys(("HOME", "USERPROFILE", "LOCALAPPDATA", "TMPDIR"), str(tmp_path))
    environment = {**variables, **places, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "nertag", "tag", "--text", "Ron waved"]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert (done.stdout.count(b"\n"), done.stderr) == (1, b"")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
