from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nertag.errors import NertagError
from nertag.manifest import Done, Made, Manifest, read, settings_digest

MADE = Made(input="in/a\udcff.txt", at="/in/a\udcff.txt", size=3, time=17, settings="s")


def manifest_of(folder: Path) -> Path:
    return folder / ".nertag.jsonl"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An output folder with one finished result of two bytes."""
    manifest = Manifest(str(tmp_path / "out"))
    manifest.claim(["a", "b"])
    manifest.add({"a": Done(MADE, bytes=2)})
    manifest.close()
    (tmp_path / "out" / "a").write_bytes(b"ab")
    return tmp_path / "out"


def holds(folder: Path, made: Made = MADE, names: int | None = None) -> bool:
    return read(str(folder)).holds("a", made, str(folder / "a"), names)


def test_what_was_done_is_known_again(folder: Path) -> None:
    assert read(str(folder)).ours == {"a", "b"}
    assert holds(folder)
    assert not read(str(folder)).holds("b", MADE, str(folder / "a"), None)


@pytest.mark.parametrize("field", ["input", "at", "size", "time", "settings"])
def test_what_was_made_otherwise_is_not_done(folder: Path, field: str) -> None:
    values = {name: getattr(MADE, name) for name in ("input", "at", "size", "time", "settings")}
    values[field] = "other" if isinstance(values[field], str) else 99
    assert not holds(folder, Made(**values))


@pytest.mark.parametrize("content", [None, b"", b"abc"])
def test_a_result_that_is_gone_or_of_another_size_is_not_done(folder: Path, content: bytes | None) -> None:
    (folder / "a").unlink()
    if content is not None:
        (folder / "a").write_bytes(content)
    assert not holds(folder)


def test_a_folder_without_a_manifest_holds_nothing(tmp_path: Path) -> None:
    assert read(str(tmp_path)).ours == set()
    assert not holds(tmp_path)


def test_a_crash_costs_no_more_than_the_line_it_cut(folder: Path) -> None:
    whole = manifest_of(folder).read_bytes()
    for size in range(len(whole) + 1):
        manifest_of(folder).write_bytes(whole[:size])
        manifest = Manifest(str(folder))
        assert manifest.records.ours in (set(), {"a", "b"})
        manifest.claim(["c"])
        manifest.add({"c": Done(MADE, bytes=1)})
        manifest.close()
        records = read(str(folder))
        assert "c" in records.ours and "c" in records.done
        # A line is whole without its line feed, too.
        assert records.done.keys() - {"c"} == ({"a"} if size >= len(whole) - 1 else set())


@pytest.mark.parametrize(
    "line", [b"[]", b"7", b'{"done": "a"}', b'{"ours": 7}', b'{"names": "x"}', b"\xff", b"[" * 9999]
)
def test_a_damaged_line_says_nothing(folder: Path, line: bytes) -> None:
    with manifest_of(folder).open("ab") as stream:
        stream.write(line + b"\n")
    assert read(str(folder)).ours == {"a", "b"}
    assert holds(folder)


@pytest.mark.parametrize("content", [b"notes\n", b'{"nertag": "manifest", "version": 2}\n'])
def test_a_file_of_others_is_refused_and_stays(tmp_path: Path, content: bytes) -> None:
    manifest_of(tmp_path).write_bytes(content)
    with pytest.raises(NertagError, match="this is no manifest of nertag, or one of another version"):
        Manifest(str(tmp_path))
    assert manifest_of(tmp_path).read_bytes() == content


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    script = (
        "import sys; from nertag.manifest import Manifest; m = Manifest(sys.argv[1]); print('in'); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as other:
        assert other.stdout
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(NertagError, match=r"another run is writing to this folder\n  hint: Wait"):
            Manifest(str(tmp_path))
        other.kill()
        other.wait()
        Manifest(str(tmp_path)).close()


def test_a_digest_tells_settings_apart() -> None:
    digests = {settings_digest(each) for each in ({}, {"a": 1}, {"a": None}, {"a": b"x"}, {"a": "\udcff"})}
    assert len(digests) == 5
    assert settings_digest({"a": 1, "b": 2}) == settings_digest({"b": 2, "a": 1})


# --- Results that depend on a mapping of names ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("needed", "saved", "names", "expected"),
    [
        (5, 5, 5, True),
        (5, 5, 9, True),  # Another folder's run has added names.
        (5, 5, 4, False),  # The mapping is another one.
        (5, 5, None, False),
        (5, 3, 5, True),  # Saved, but killed before that could be said.
        (5, 3, 3, False),  # Killed before it was saved.
        (5, 3, 9, False),  # And then another run saved its own names.
        (0, 0, 0, True),
    ],
)
def test_a_result_counts_with_the_names_in_it(
    tmp_path: Path, needed: int, saved: int, names: int | None, expected: bool
) -> None:
    manifest = Manifest(str(tmp_path))
    manifest.confirm(saved)
    manifest.add({"a": Done(MADE, bytes=0, names=needed)})
    if needed == saved:
        manifest.confirm(saved)
    manifest.close()
    (tmp_path / "a").touch()
    assert holds(tmp_path, names=names) == expected


def test_with_another_mapping_nothing_is_done(tmp_path: Path) -> None:
    manifest = Manifest(str(tmp_path))
    manifest.add({"a": Done(MADE, bytes=0, names=2), "b": Done(MADE, bytes=0)})
    manifest.confirm(4)
    manifest.confirm(3)
    assert manifest.records.done.keys() == {"b"}
    manifest.close()
    assert read(str(tmp_path)).done.keys() == {"b"}
