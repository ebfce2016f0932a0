from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from nertag import batch
from nertag.batch import Closed, Item, Opened, Reading, Sieve, check_output, check_results, collect, read_list
from nertag.errors import ConfigError, InputError
from nertag.manifest import Manifest, results_in
from nertag.sections import Section

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX links, pipes or names")


def fill(folder: Path, *names: str) -> Path:
    """Write files, each with its own name in it."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return folder


def places(folder: Path, sieve: Sieve | None = None) -> list[str]:
    return [item.place.replace(os.sep, "/") for item in collect([str(folder)], sieve=sieve)]


# --- Which files ------------------------------------------------------------------------------------------------------


def test_a_folder_is_walked_in_the_order_of_names(tmp_path: Path) -> None:
    fill(tmp_path, "b.txt", "a/z.txt", "a/b/x.txt", "a.txt", "c/y.txt")
    assert places(tmp_path) == ["a/b/x.txt", "a/z.txt", "a.txt", "b.txt", "c/y.txt"]
    items = collect([str(tmp_path)])
    assert items[1].path == str(tmp_path / "a" / "z.txt")
    assert (items[1].size, items[1].fault) == (len("a/z.txt"), None)


def test_hidden_files_and_folders_are_left_alone_unless_they_are_named(tmp_path: Path) -> None:
    fill(tmp_path, ".a.txt", ".git/config", "b/.c/d.txt", "b/e.txt")
    assert places(tmp_path) == ["b/e.txt"]
    assert places(tmp_path / ".git") == ["config"]
    assert [item.fault for item in collect([str(tmp_path / ".a.txt")])] == [None]


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        (["*.txt"], ["a.txt", "d/b.txt", "d/e/c.txt"]),
        (["./*.txt"], ["a.txt", "d/b.txt", "d/e/c.txt"]),
        (["d/*.txt"], ["d/b.txt"]),
        (["d/**/*.txt"], ["d/b.txt", "d/e/c.txt"]),
        (["**/e/*"], ["d/e/c.txt", "d/e/x.md"]),
        (["d/**"], ["d/b.txt", "d/e/c.txt", "d/e/x.md"]),
        (["[ab].*", "x.?d"], ["a.txt", "d/b.txt", "d/e/x.md"]),
        (["*.TXT"], []),
        (["e"], []),
        (["d/b"], []),
    ],
)
def test_patterns_choose_files_of_folders(tmp_path: Path, globs: list[str], expected: list[str]) -> None:
    fill(tmp_path, "a.txt", "d/b.txt", "d/e/c.txt", "d/e/x.md")
    assert places(tmp_path, Sieve(globs)) == expected
    assert len(collect([str(tmp_path / "a.txt")], sieve=Sieve(["*.md"]))) == 1


@posix
def test_many_stars_take_no_time() -> None:
    """Trying every way to part the folders among them would take longer than the universe is old."""
    deep = os.sep.join("d" * 500)
    assert not Sieve(["/".join(["**", "d"] * 20) + "/no"]).wants(deep)
    assert Sieve(["/".join(["**", "d"] * 20)]).wants(deep)


def test_links_lead_to_files_and_not_to_folders(tmp_path: Path) -> None:
    fill(tmp_path / "in", "a/b.txt")
    fill(tmp_path, "other/c.txt", "d.txt")
    (tmp_path / "in" / "a" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "other").symlink_to(tmp_path / "other")
    (tmp_path / "in" / "d.txt").symlink_to(tmp_path / "d.txt")
    assert places(tmp_path / "in") == ["a/b.txt", "d.txt"]
    (tmp_path / "link").symlink_to(tmp_path / "in")
    assert places(tmp_path / "link") == ["a/b.txt", "d.txt"]


@posix
def test_links_that_lead_nowhere_are_faults(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to("nothing")
    (tmp_path / "self").symlink_to("self")
    gone, itself = collect([str(tmp_path)])
    assert "there is no such file" in str(gone.fault)
    assert "cannot be read: Too many levels of symbolic links" in str(itself.fault)


@posix
def test_what_is_no_file_is_passed_over_in_folders(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert places(tmp_path) == []
    assert [item.fault for item in collect([str(tmp_path / "pipe")])] == [None]


def test_a_folder_that_cannot_be_read_is_a_fault_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a/x.txt", "b/y.txt")
    scan = os.scandir

    def refuse(path: str) -> Iterator[os.DirEntry[str]]:
        if path.endswith("a"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    refused, found = collect([str(tmp_path)])
    assert str(refused.fault) == f"{tmp_path / 'a'}: this folder cannot be read: Permission denied"
    assert (found.place, found.fault) == (os.path.join("b", "y.txt"), None)


def test_what_the_run_writes_is_no_input(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt", "report.json", "out/a.txt.labels")
    own = batch.identities([str(tmp_path / "report.json"), str(tmp_path / "out"), None, str(tmp_path / "not there")])
    assert places(tmp_path, Sieve(own=own)) == ["a.txt"]


@pytest.mark.parametrize("place", [".", "out", "d"])
def test_results_of_earlier_runs_are_no_inputs(tmp_path: Path, place: str) -> None:
    fill(tmp_path, "a.txt", "d/b.txt", f"{place}/x/a.labels", f"{place}/own.txt")
    manifest = Manifest(str(tmp_path / place))
    manifest.claim([os.path.join("x", "a.labels")])
    manifest.close()
    expected = {"a.txt", "d/b.txt", f"{place}/own.txt".removeprefix("./")}
    assert set(places(tmp_path, Sieve(results_in=results_in))) == expected
    assert places(tmp_path / place / "x", Sieve(results_in=results_in)) == ["a.labels"]
    assert places(tmp_path / place / "x", Sieve(folder=str(tmp_path / place), results_in=results_in)) == []


def test_somebody_elses_manifest_means_nothing(tmp_path: Path) -> None:
    fill(tmp_path, ".nertag.jsonl", "a.txt")
    assert places(tmp_path, Sieve(results_in=results_in)) == ["a.txt"]


@posix
@pytest.mark.parametrize("name", ["two\nlines", "-dash", "--text", "\udcff\udcfe", "tab\t", " ", "é"])
def test_every_name_is_a_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    Path(os.path.join(tmp_path, "in", name)).write_text("x", encoding="utf-8")
    assert places(tmp_path / "in") == [name]
    listed = tmp_path / "list"
    listed.write_bytes(os.fsencode(os.path.join(tmp_path, "in", name)) + b"\0")
    (item,) = collect([], read_list(str(listed), null=True))
    assert (item.fault, item.size) == (None, 1)


# --- Lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "null", "expected"),
    [
        (b"a\nb c\n", False, ["a", "b c"]),
        (b"a\n\nb", False, ["a", "b"]),
        (b"a\0b\nc\0", True, ["a", "b\nc"]),
        (b"", False, []),
    ],
)
def test_a_list_has_a_path_on_every_line_or_before_every_nul(
    content: bytes, null: bool, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "list").write_bytes(content)
    assert read_list(str(tmp_path / "list"), null=null) == expected
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    assert read_list("-", null=null) == expected


def test_a_list_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="gone: the list of files cannot be read: No such file"):
        read_list(str(tmp_path / "gone"), null=False)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="standard input is closed, so there is no list"):
        read_list("-", null=False)


@pytest.mark.parametrize(
    ("path", "place"),
    [("a/b.txt", "a/b.txt"), ("./a/b.txt", "a/b.txt"), ("../../b.txt", "b.txt"), ("/a//b.txt", "a/b.txt"), ("-", "")],
)
def test_listed_files_keep_their_folders_and_lead_out_of_none(path: str, place: str) -> None:
    (item,) = collect([], [path])
    assert (item.path, item.place.replace(os.sep, "/")) == (path, place)


def test_a_listed_folder_is_a_fault(tmp_path: Path) -> None:
    (item,) = collect([], [str(tmp_path)])
    assert "this is a folder, not a file\n  hint: A list names files" in str(item.fault)


# --- Where results go -------------------------------------------------------------------------------------------------


def test_results_that_would_fall_together_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, "x/a.txt", "y/a.txt")
    items = collect([str(tmp_path / "x"), str(tmp_path / "y")])
    with pytest.raises(ConfigError, match=r"x/a\.txt and .*y/a\.txt would have the same result, out/a\.txt\.labels"):
        check_results(items, "out", ".labels")
    check_results(collect([str(tmp_path)]), "out", ".labels")


def test_a_result_cannot_be_a_folder_too(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt", "a.txt.labels/b.txt")
    items = collect([str(tmp_path)])
    with pytest.raises(ConfigError, match=r"the result of .*a\.txt would be a file where that of .*b\.txt needs"):
        check_results(items, "out", ".labels")
    check_results(items, "out", ".tags")


def test_a_result_is_not_written_over_an_input(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt", "a.txt.labels")
    items = collect([str(tmp_path)])
    with pytest.raises(ConfigError, match=r"the result of .*a\.txt would be written over the input .*a\.txt\.labels"):
        check_results(items, str(tmp_path), ".labels")
    with pytest.raises(ConfigError, match=r"this input is the output as well: out"):
        check_output(items, batch.identities([str(tmp_path / "a.txt")]), "out")


def test_standard_input_has_no_result_in_a_folder() -> None:
    with pytest.raises(ConfigError, match="standard input has no name for a result in a folder"):
        check_results(collect(["-"]), "out", ".labels")


# --- Reading ----------------------------------------------------------------------------------------------------------


def section(source: str, line: int = 1) -> Section:
    return Section(source, line, "x\n", "text", "file")


def described(reading: Reading) -> list[object]:
    """What a reading yields, in short."""
    found: list[object] = []
    for event in reading:
        if isinstance(event, Opened):
            found.append(f"open {os.path.basename(event.item.path)}")
        elif isinstance(event, Closed):
            found.append(event.fault.message if event.fault else "close")
        else:
            found.append(event and event.line)
    return found


def test_a_fault_ends_one_input_alone() -> None:
    def read(path: str) -> Iterator[Section | None]:
        yield section(path)
        if path == "b":
            raise InputError("torn", path=path)
        yield None

    items = [Item("a"), Item("b"), Item("c", fault=InputError("not there"))]
    expected = ["open a", 1, None, "close", "open b", 1, "torn", "open c", "not there"]
    assert described(Reading(items, read)) == expected


def test_of_an_input_that_is_given_up_no_more_is_read() -> None:
    read_so_far = []

    def read(path: str) -> Iterator[Section]:
        for line in range(1, 9):
            read_so_far.append(line)
            yield section(path, line)

    item = Item("a")
    reading = Reading([item], read)
    events = iter(reading)
    assert isinstance(next(events), Opened)
    next(events)
    reading.give_up(item)
    assert isinstance(next(events), Closed)
    assert read_so_far == [1, 2]


def cut_short(path: Path) -> None:
    os.truncate(path, 2)


def change(path: Path) -> None:
    path.write_text("ABCDEF", encoding="utf-8")
    os.utime(path, ns=(1, 1))


def add_to(path: Path) -> None:
    path.write_text("abcdefgh", encoding="utf-8")


def replace(path: Path) -> None:
    (path.parent / "new").write_text("ab", encoding="utf-8")
    os.replace(path.parent / "new", path)


@pytest.mark.parametrize(
    ("happens", "expected"),
    [
        (cut_short, "it was cut short while it was read"),
        (change, "it was changed while it was read"),
        (add_to, "close"),
        (replace, "close"),
        (os.unlink, "close"),
    ],
)
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, happens: Callable[[Path], None], expected: str) -> None:
    path = tmp_path / "a"
    path.write_text("abcdef", encoding="utf-8")

    def read(name: str) -> Iterator[Section]:
        yield section(name)
        happens(path)

    assert described(Reading(collect([str(path)]), read)) == ["open a", 1, expected]
