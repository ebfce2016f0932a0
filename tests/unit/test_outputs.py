from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nertag.errors import NertagError, OutputError
from nertag.outputs import NewFile, temporary_name

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX links, pipes or devices")


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def test_a_file_bears_its_name_when_it_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before", encoding="utf-8")
    file = NewFile(str(path))
    file.write("é\n")
    file.write(b"\xff")
    file.flush()
    assert path.read_text(encoding="utf-8") == "before"
    file.finish()
    assert (path.read_bytes(), file.size) == (b"\xc3\xa9\n\xff", 4)
    file.discard()
    assert names(tmp_path) == ["a.txt"]


def test_what_is_discarded_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before", encoding="utf-8")
    file = NewFile(str(path))
    file.write("after")
    file.discard()
    assert (path.read_text(encoding="utf-8"), names(tmp_path)) == ("before", ["a.txt"])


def test_the_rest_of_a_killed_run_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    Path(temporary_name(str(path))).write_text("a longer rest of another run", encoding="utf-8")
    file = NewFile(str(path))
    file.write("new")
    file.finish()
    assert (path.read_text(encoding="utf-8"), names(tmp_path)) == ("new", ["a.txt"])


def test_half_of_a_surrogate_pair_is_written_as_json_has_it(tmp_path: Path) -> None:
    file = NewFile(str(tmp_path / "a"))
    file.write("\ud83d")
    file.finish()
    assert (tmp_path / "a").read_bytes() == rb"\ud83d"


def test_a_name_may_be_as_long_as_the_system_has_it(tmp_path: Path) -> None:
    file = NewFile(str(tmp_path / ("n" * 255)))
    file.finish()
    assert names(tmp_path) == ["n" * 255]
    with pytest.raises(OutputError, match="it cannot be written: File name too long") as caught:
        NewFile(str(tmp_path / ("n" * 256)))
    assert not caught.value.of_the_disk


@posix
def test_what_a_link_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a")
    file = NewFile(str(tmp_path / "link"))
    file.write("x")
    file.finish()
    assert (tmp_path / "a").read_text(encoding="utf-8") == "x"
    assert (tmp_path / "link").is_symlink()


@posix
@pytest.mark.parametrize("leads_to", ["precious", "folder", "nowhere", "link", "/dev/null"])
def test_a_link_that_is_not_followed_is_replaced_itself(tmp_path: Path, leads_to: str) -> None:
    (tmp_path / "precious").write_text("mine", encoding="utf-8")
    (tmp_path / "precious").chmod(0o600)
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to(leads_to)
    file = NewFile(str(link), follow=False)
    file.write("x")
    assert link.is_symlink()
    file.finish()
    assert (link.is_symlink(), link.read_text(encoding="utf-8")) == (False, "x")
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "mine"
    assert names(tmp_path) == ["folder", "link", "precious"]


@posix
@pytest.mark.parametrize(("mode", "expected"), [(0o600, 0o600), (0o666, 0o644)])
def test_a_file_is_as_private_as_it_is_to_be(mode: int, expected: int, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        if mode == 0o600:
            Path(temporary_name(str(tmp_path / "a"))).touch(0o644)
        NewFile(str(tmp_path / "a"), mode).finish()
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == expected


@posix
def test_a_file_that_is_replaced_is_not_opened_to_others(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "a").chmod(0o640)
    NewFile(str(tmp_path / "a")).finish()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


@posix
def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    file = NewFile(str(tmp_path / "pipe"))
    file.write("x")
    file.finish()
    assert os.read(reader, 10) == b"x"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
    assert names(tmp_path) == ["pipe"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_an_error_for_all_files() -> None:
    file = NewFile("/dev/full")
    file.write("x")
    with pytest.raises(OutputError, match="^/dev/full: it cannot be written: No space left on device$") as caught:
        file.finish()
    assert caught.value.of_the_disk
    file.discard()


@posix
def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    path = str(tmp_path / "a")
    script = (
        "import sys; from nertag.outputs import NewFile; file = NewFile(sys.argv[1]); print('open'); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", script, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as other:
        assert other.stdout
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(NertagError, match="another run is writing this file"):
            NewFile(path)
        other.kill()
        other.wait()
        NewFile(path).finish()
    assert names(tmp_path) == ["a"]
