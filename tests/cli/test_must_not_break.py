r"""What must not break `nertag tag`: a table of hostile inputs and outputs, each in a batch with a good file.

In every case the good file `good.txt` is tagged, no traceback is shown, and no half of a result bears a name. What is
wrong with a model folder has a table of its own in test_hostile_models.py, and what happens when the program is killed
in test_kill.py. A new case is a new row.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Outcome, RunTag

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions, links, names or limits")

FAKE_NERTAG = Path(__file__).with_name("fake_nertag.py")
GOOD = "Ron waved\n"
GOOD_LABELS = "1 0\n"


@dataclass(frozen=True)
class Case:
    """A fault and what comes of it.

    Attributes:
        name: What is wrong.
        files: Files below `in`, beside `good.txt`.
        prepare: What else is to be made, given the folder that holds `in`.
        meanwhile: What happens when the first section has been read, given the same folder.
        options: Arguments beside `in --output out`, or `out/` where it has to be a folder.
        code: The exit code.
        says: A pattern for what standard error says; None for nothing but the summary.
        results: What is in `out` beside the good file's result; None if nothing is looked at there.
        limit: Bytes that a file may have.
        alone: Whether the good file is tagged as well.
    """

    name: str
    files: dict[str, str | bytes] = field(default_factory=dict)
    prepare: Callable[[Path], None] | None = None
    meanwhile: Callable[[Path], None] | None = None
    options: tuple[str, ...] = ()
    code: int = 0
    says: str | None = None
    results: dict[str, str] | None = field(default_factory=dict)
    limit: int | None = None
    good: bool = True


def make(folder: Path, name: str | bytes, content: str = "Ron\n") -> Path:
    """Write a file of any name."""
    path = Path(os.fsdecode(os.path.join(os.fsencode(folder), os.fsencode(name))))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def write_parquet(path: Path) -> None:
    """Write a table in which a text and a number are null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["we met Ron", None], "id": [None, 2]}), path)


def lock(*names: str) -> Callable[[Path], None]:
    """Take all permissions from files and folders."""
    return lambda folder: [(folder / name).chmod(0) for name in names] and None


def read_only(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out").chmod(0o555)


LONG = "we met Ron\n" * 20_000  # Several pieces and sections.
MEGABYTE = "Ron and so on " * 75_000

CASES = [
    # --- Odd, but nothing wrong ---
    Case("an empty file", {"a.txt": ""}, results={"a.txt.labels": ""}),
    Case("only blank lines", {"a.txt": "\n \n\t\n"}, results={"a.txt.labels": "\n\n\n"}),
    Case("no final line feed", {"a.txt": "Ron"}, results={"a.txt.labels": "1\n"}),
    Case("a megabyte in a line", {"a.txt": MEGABYTE}, results={"a.txt.labels": ("1 0 0 0 " * 75_000).rstrip() + "\n"}),
    Case("a token of a megabyte", {"a.txt": "R" + "o" * (1 << 20)}, results={"a.txt.labels": "1\n"}),
    Case("a hundred thousand empty lines", {"a.txt": "\n" * 100_000}, results={"a.txt.labels": "\n" * 100_000}),
    Case("NUL in the text", {"a.txt": "Ron\0 \0 x\n"}, results=None),
    Case(
        "a line feed in a name",
        prepare=lambda folder: make(folder / "in", "two\nnertag: error: lines") and None,
        results={"two\nnertag: error: lines.labels": "1\n"},
    ),
    Case(
        "a name that is no UTF-8",
        prepare=lambda folder: make(folder / "in", b"\xff\xfe") and None,
        options=("--format", "jsonl", "--report", "report.json"),
        results=None,
    ),
    Case(
        "a name with a leading dash",
        prepare=lambda folder: make(folder / "in", "--text") and None,
        results={"--text.labels": "1\n"},
    ),
    Case(
        "a name of 255 bytes",
        prepare=lambda folder: make(folder / "in", "n" * 255) and None,
        code=3,
        says=r"^nertag: error: .*n\.labels: it cannot be written: File name too long$",
    ),
    Case("a link to a folder above", prepare=lambda folder: (folder / "in" / "loop").symlink_to(folder)),
    Case("a named pipe", prepare=lambda folder: os.mkfifo(folder / "in" / "pipe")),
    # --- Inputs ---
    Case(
        "a binary file",
        {"a.png": b"\x89PNG\r\n\x1a\n\0\0\0"},
        code=3,
        says=r"^nertag: error: in/a\.png:1: byte 0x89 at offset 0 is not UTF-8$",
    ),
    Case(
        "a fault after much that was right",
        {"a.txt": LONG.encode() + b"\xff\n"},
        code=3,
        says=r"^nertag: error: in/a\.txt:20001: byte 0xff at offset 220000 is not UTF-8$",
    ),
    Case(
        "a link to itself",
        prepare=lambda folder: (folder / "in" / "self").symlink_to("self"),
        code=3,
        says=r"^nertag: error: in/self: cannot be read: Too many levels of symbolic links$",
    ),
    Case(
        "a link to nothing",
        prepare=lambda folder: (folder / "in" / "lost").symlink_to("nothing"),
        code=3,
        says=r"^nertag: error: in/lost: there is no such file$",
    ),
    Case(
        "an unreadable file",
        {"a.txt": "Ron\n"},
        prepare=lock("in/a.txt"),
        code=3,
        says=r"^nertag: error: in/a\.txt: cannot be read: Permission denied$",
    ),
    Case(
        "a folder without permission",
        {"b/a.txt": "Ron\n"},
        prepare=lock("in/b"),
        code=3,
        says=r"^nertag: error: in/b: this folder cannot be read: Permission denied$",
    ),
    Case(
        "a file that is gone when its turn comes",
        {"a.txt": LONG, "b.txt": "Ron\n"},
        meanwhile=lambda folder: (folder / "in" / "b.txt").unlink(),
        code=3,
        says=r"^nertag: error: in/b\.txt: cannot be read: No such file or directory$",
        results={"a.txt.labels": "0 0 1\n" * 20_000},
    ),
    Case(
        "a file that is removed while it is read, and read to its end all the same",
        {"a.txt": LONG},
        meanwhile=lambda folder: (folder / "in" / "a.txt").unlink(),
        results={"a.txt.labels": "0 0 1\n" * 20_000},
    ),
    Case(
        "a file that shrinks while it is read",
        {"a.txt": LONG},
        meanwhile=lambda folder: os.truncate(folder / "in" / "a.txt", 100_000),
        code=3,
        says=r"^nertag: error: in/a\.txt: it was cut short while it was read$",
    ),
    # --- JSON Lines and tables ---
    Case(
        "JSON Lines with a broken line in the middle",
        {"a.jsonl": '{"text": "Ron"}\n{"text": \n{"text": "x"}\n'},
        code=3,
        says=r"^nertag: error: in/a\.jsonl:2: not JSON: ",
    ),
    Case(
        "a broken line that is left out",
        {"a.jsonl": '{"text": "Ron"}\n{"text": \n{"text": "x"}\n'},
        options=("--skip-bad-rows",),
        says=r"^nertag: in/a\.jsonl:2: left out: not JSON: ",
        results={"a.jsonl.labels": "1\n0\n"},
    ),
    Case(
        "an object without the field",
        {"a.jsonl": '{"text": "Ron"}\n{"body": "Ron"}\n'},
        code=3,
        says=r"^nertag: error: in/a\.jsonl:2: the object has neither 'text' nor 'tokens', but 'body'$",
    ),
    Case(
        "a number where text should be",
        {"a.jsonl": '{"text": 17}\n'},
        code=3,
        says=r"^nertag: error: in/a\.jsonl:1: 'text' must be a string, not 17$",
    ),
    Case(
        "a field twice",
        {"a.jsonl": '{"text": "Ron", "text": "Harry"}\n'},
        code=3,
        says=r'^nertag: error: in/a\.jsonl:1: the field "text" is there twice$',
    ),
    Case(
        "JSON nested ten thousand deep",
        {"a.jsonl": '{"text": "Ron", "deep": ' + "[" * 10_000 + "]" * 10_000 + "}\n"},
        code=3,
        says=r"^nertag: error: in/a\.jsonl:1: JSON nested too deeply to be read\b",
    ),
    Case(
        "CSV with quotation marks and line feeds in cells",
        {"a.csv": 'id,text\n1,"Ron, ""x""\nand y"\n2,Harry\n'},
        results={"a.csv.labels": "1 0 0 0 0 0 0\n1\n"},
    ),
    Case(
        "Parquet with nulls",
        prepare=lambda folder: write_parquet(folder / "in" / "a.parquet"),
        options=("--format", "jsonl"),
        results=None,
    ),
    Case(
        "Parquet that is none",
        {"a.parquet": "PAR1 and nothing else"},
        code=3,
        says=r"^nertag: error: in/a\.parquet: ",
    ),
    # --- Outputs ---
    Case(
        "an output folder that is read-only",
        prepare=read_only,
        code=1,
        says=r"^nertag: error: out/?: it cannot be written: Permission denied$",
        good=False,
    ),
    Case(
        "a file where a folder is to be made",
        {"b/a.txt": "Ron\n"},
        prepare=lambda folder: make(folder / "out", "b") and None,
        code=3,
        says=r"^nertag: error: out/b/a\.txt\.labels: it cannot be written: File exists$",
        results={"b": "Ron\n"},
    ),
    Case(
        "a result that is larger than a file may be",
        {"a.txt": "we met Ron\n" * 10_000},
        options=("--format", "jsonl", "--glob", "a.txt"),
        code=1,
        says=r"^nertag: error: out/a\.txt\.jsonl: it cannot be written: File too large$",
        limit=100_000,
        good=False,
    ),
    Case(
        "a manifest that is somebody else's",
        prepare=lambda folder: make(folder / "out", ".nertag.jsonl", "notes\n") and None,
        code=1,
        says=r"^nertag: error: out/?.nertag\.jsonl: this is no manifest of nertag",
        good=False,
    ),
    Case(
        "an output that is an input",
        {"a.txt": "Ron\n"},
        options=("in/a.txt", "--output", "in/a.txt"),
        code=1,
        says=r"^nertag: error: in/a\.txt: this input is the output as well: in/a\.txt$",
        good=False,
    ),
    Case(
        "a result that would be written over an input",
        {"a.txt": "Ron\n", "a.txt.labels": "precious\n"},
        options=("--output", "in", "--force"),
        code=1,
        says=r"^nertag: error: the result of in/a\.txt would be written over the input in/a\.txt\.labels$",
        good=False,
    ),
]


def without_privileges() -> None:
    """Let a program of the superuser be bound by permissions, as everybody else's is."""
    if os.geteuid() == 0:
        libc: Any = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            if libc.prctl(24, capability, 0, 0, 0) != 0:  # PR_CAPBSET_DROP
                os._exit(77)


def run_program(folder: Path, *arguments: str, limit: int | None = None) -> Outcome:
    """Run the program with the fake tagger in a process of its own."""
    from .conftest import Outcome

    def confine() -> None:
        without_privileges()
        if limit is not None:
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, str(FAKE_NERTAG), "tag", *arguments],
        cwd=folder,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=confine,
    )
    if done.returncode == 77:
        pytest.skip("cannot give up the superuser's privileges here")
    return Outcome(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


def files_in(folder: Path) -> dict[str, str]:
    """Return the files below a folder, but for the two that every output folder has."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in files
        if path.name not in (".nertag.jsonl", ".nertag.lock")
    }


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with the good file in `in`; permissions come back at the end."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "in", "good.txt", GOOD)
    yield tmp_path
    for folder in (path for path in (tmp_path / "in" / "b", tmp_path / "out") if path.is_dir()):
        folder.chmod(0o755)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_does_not_break(
    case: Case, place: Path, run_tag: RunTag, fake: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in case.files.items():
        path = place / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    if case.prepare:
        case.prepare(place)
    before = files_in(place / "in") if case.code == 1 else {}
    arguments = ("in", "--output", "out", *case.options)
    if case.meanwhile:
        happen_once(case.meanwhile, place, fake, monkeypatch)
        outcome = run_tag(*arguments)
    else:
        outcome = run_program(place, *arguments, limit=case.limit)
    assert (outcome.code, outcome.out) == (case.code, "")
    assert "Traceback" not in outcome.err
    if case.says is None:
        assert re.fullmatch(r"nertag: (\d+) of \1 files tagged; .*\n", outcome.err)
    else:
        assert re.search(case.says, outcome.err, re.MULTILINE)
    if case.code == 1:
        assert files_in(place / "in") == before
    if case.results is not None:
        good = {"good.txt.labels": GOOD_LABELS} if case.good else {}
        assert (files_in(place / "out") if (place / "out").exists() else {}) == {**case.results, **good}


def happen_once(
    what: Callable[[Path], None], place: Path, fake: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let something happen when the first section is tagged."""
    tagger = fake["FakeTagger"]
    real = tagger.label_lines
    happened: list[None] = []

    def label_lines(self: Any, text: str, *, alone: bool) -> Any:
        if not happened:
            happened.append(what(place))
        return real(self, text, alone=alone)

    monkeypatch.setattr(tagger, "label_lines", label_lines)


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs to mount a small disk")
def test_a_full_disk(place: Path) -> None:
    """The run ends, what is whole stays, and a run with more room ends with what an unbroken one gives."""
    (place / "out").mkdir()
    for name in "abc":
        make(place / "in", f"{name}.txt", "we met Ron\n" * 6_000)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place / "out")]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("cannot mount a small disk here")
    try:
        outcome = run_program(place, "in", "--output", "out", "--report", "report.json")
        assert outcome.code == 3
        assert re.search(
            r"^nertag: error: out/b\.txt\.labels: it cannot be written: No space left on device$", outcome.err, re.M
        )
        assert files_in(place / "out") == {f"{name}.txt.labels": "0 0 1\n" * 6_000 for name in "a"}
        counts = json.loads((place / "report.json").read_text(encoding="utf-8"))["counts"]
        assert counts == {"done": 1, "unchanged": 0, "failed": 1, "not tried": 2}
        subprocess.run(["mount", "-o", "remount,size=1m", str(place / "out")], check=True)
        outcome = run_program(place, "in", "--output", "out")
        assert (outcome.code, outcome.err.partition(";")[0]) == (0, "nertag: 3 of 4 files tagged, 1 unchanged")
        whole = {f"{name}.txt.labels": "0 0 1\n" * 6_000 for name in "abc"}
        assert files_in(place / "out") == {**whole, "good.txt.labels": GOOD_LABELS}
    finally:
        subprocess.run(["umount", str(place / "out")], check=True)


def test_two_runs_at_once_on_one_folder(place: Path) -> None:
    os.mkfifo(place / "pipe")
    command = [sys.executable, str(FAKE_NERTAG), "tag", "pipe", "--output", "out/"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, cwd=place, env=environment, stderr=subprocess.PIPE) as first:
        with open(place / "pipe", "wb", buffering=0) as pipe:  # Opened when the other end is, in the middle of a run.
            pipe.write(b"Ron\n")
            outcome = run_program(place, "in", "--output", "out/")
        assert first.wait() == 0
    assert outcome.code == 1
    assert outcome.err.startswith(
        "nertag: error: out/: another run is writing to this folder\n  hint: Wait for it to end"
    )
    assert files_in(place / "out") == {"pipe.labels": "1\n"}
    assert run_program(place, "in", "--output", "out/").code == 0


@pytest.mark.slow
def test_fifty_megabytes_in_one_line(place: Path) -> None:
    (place / "in" / "a.txt").write_bytes(b"Ron and so on " * 3_600_000)
    assert run_program(place, "in", "--output", "out").code == 0
    with (place / "out" / "a.txt.labels").open(encoding="utf-8") as stream:
        assert stream.read(16) == "1 0 0 0 1 0 0 0 "
        assert len(stream.read()) == 2 * 4 * 3_600_000 - 16
