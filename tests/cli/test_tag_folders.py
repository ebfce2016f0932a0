"""`nertag tag` over folders, lists and many files: where results go, what is done again, what is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nertag import __version__
from nertag.errors import ModelError, OutputError
from nertag.workers import Job

if TYPE_CHECKING:
    from .conftest import Outcome, RunTag


def fill(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def tree(folder: Path) -> dict[str, str]:
    """Return the files below a folder that are not hidden."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder with two texts, one below the other."""
    return fill(tmp_path / "in", {"a.txt": "we met Harry\n", "b/c.txt": "Ron waved\n\nto Harry\n", ".hidden": "Ron\n"})


LABELS = {"a.txt.labels": "0 0 1\n", "b/c.txt.labels": "1 0\n\n0 1\n"}


def summary_of(outcome: Outcome) -> str:
    """Return what the last line on standard error says of the files."""
    return outcome.err.splitlines()[-1].partition(";")[0].removeprefix("nertag: ")


# --- Where results go -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_output_folder_mirrors_the_input(run_tag: RunTag, corpus: Path, tmp_path: Path, workers: str) -> None:
    outcome = run_tag(str(corpus), "--output", str(tmp_path / "new" / "out"), "--workers", workers)
    assert (outcome.code, outcome.out) == (0, "")
    assert tree(tmp_path / "new" / "out") == LABELS
    assert summary_of(outcome) == "2 of 2 files tagged"


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("tags", "a.txt.tags", "O O B-PER\n"),
        ("conll", "a.txt.conll", "we\tO\nmet\tO\nHarry\tB-PER\n\n"),
        ("csv", "a.txt.csv", "file,line,start,end,text,label,score\na.txt,1,7,12,Harry,PER,0.9877\n"),
        ("markup", "a.txt.markup", "we met <PER>Harry</PER>\n"),
        ("redact", "a.txt.redact", "we met [PERSON]\n"),
        ("names", "a.txt.names.tsv", "name\tlabel\tcount\tfiles\tfirst\nHarry\tPER\t1\t1\ta.txt:1\n"),
    ],
)
def test_a_result_is_named_after_its_format(
    run_tag: RunTag, corpus: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str, content: str
) -> None:
    monkeypatch.chdir(corpus)
    assert run_tag("a.txt", "--format", kind, "--output", "out/").code == 0
    assert tree(corpus / "out") == {name: content}


def test_tables_of_a_folder_keep_what_each_file_has(run_tag: RunTag, tmp_path: Path) -> None:
    corpus = fill(tmp_path / "in", {"a.jsonl": '{"id": 1, "text": "Ron"}\n', "b.txt": "Ron\n"})
    assert run_tag(str(corpus), "--format", "csv", "--output", str(tmp_path / "out")).code == 0
    first, second = (text.splitlines()[0] for text in tree(tmp_path / "out").values())
    assert (first, second) == ("id,text,names,mentions", "file,line,start,end,text,label,score")


@pytest.mark.parametrize("output", ["all.labels", "-", None])
def test_one_output_holds_everything_in_order(
    run_tag: RunTag, corpus: Path, tmp_path: Path, output: str | None
) -> None:
    path = tmp_path / output if output == "all.labels" else output
    outcome = run_tag(str(corpus), *(["--output", str(path)] if path else []))
    written = path.read_text(encoding="utf-8") if isinstance(path, Path) else outcome.out
    assert (outcome.code, written, outcome.err) == (0, "".join(LABELS.values()), "")


def test_a_new_output_without_an_extension_is_a_folder_for_folders_alone(
    run_tag: RunTag, corpus: Path, tmp_path: Path
) -> None:
    run_tag(str(corpus / "a.txt"), "--output", str(tmp_path / "one"))
    run_tag(str(corpus), "--output", str(tmp_path / "two"))
    assert (tmp_path / "one").read_text(encoding="utf-8") == "0 0 1\n"
    assert tree(tmp_path / "two") == LABELS


def test_a_text_goes_to_a_file_but_to_no_folder(run_tag: RunTag, tmp_path: Path) -> None:
    assert run_tag("--text", "Ron", "--output", str(tmp_path / "out")) == (0, "", "")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "1\n"
    assert "a text has no name for a result in a folder" in run_tag("--text", "Ron", "-o", str(tmp_path)).err


def test_a_list_of_files(run_tag: RunTag, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(corpus)
    fill(tmp_path, {"lines": "b/c.txt\na.txt\n", "nuls": b"b/c.txt\0a.txt\0"})
    assert run_tag("--files-from", str(tmp_path / "lines")).out == "1 0\n\n0 1\n0 0 1\n"
    assert run_tag("a.txt", "--files-from", str(tmp_path / "nuls"), "-0").out == "0 0 1\n1 0\n\n0 1\n0 0 1\n"
    assert run_tag("--files-from", "-", "--null", "--output", str(tmp_path / "out"), stdin=b"b/c.txt\0a.txt").code == 0
    assert tree(tmp_path / "out") == LABELS


def test_a_folder_may_hold_its_own_results(run_tag: RunTag, corpus: Path) -> None:
    before = tree(corpus)
    for kind in ("labels", "labels", "tags"):
        assert run_tag(str(corpus), "--format", kind, "--output", str(corpus)).code == 0
    tags = {"a.txt.tags": "O O B-PER\n", "b/c.txt.tags": "B-PER O\n\nO B-PER\n"}
    assert tree(corpus) == {**before, **LABELS, **tags}


def test_results_below_the_input_are_left_alone(run_tag: RunTag, corpus: Path) -> None:
    for options in ([], ["--force"]):
        assert run_tag(str(corpus), "--output", str(corpus / "out"), *options).code == 0
        assert run_tag(str(corpus), "--output", str(corpus / "all.txt"), *options).code == 0
    assert tree(corpus / "out") == {**LABELS, "all.txt.labels": tree(corpus / "out")["all.txt.labels"]}
    assert (corpus / "all.txt").read_text(encoding="utf-8") == "".join(LABELS.values())


@pytest.mark.parametrize("option", ["--output", "--report"])
def test_a_file_in_the_folder_is_written_over_by_force_alone(
    run_tag: RunTag, corpus: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.chdir(corpus.parent)
    before = tree(corpus)
    for options in ([], ["--output", "new/"], ["--output", "-"]):
        if option not in options:
            assert run_tag("in", *options, option, "in/a.txt") == (
                1,
                "",
                "nertag: error: in/a.txt: this input is the output as well: in/a.txt\n"
                "  hint: Choose another file; --force leaves it out of the inputs and writes over it.\n",
            )
    assert (tree(corpus), Path("new").exists()) == (before, False)
    assert run_tag("in", "--glob", "c.txt", option, "in/a.txt").code == 0  # It is no input then.
    fill(corpus, {"a.txt": before["a.txt"]})
    outcome = run_tag("in", option, "in/a.txt", "--force")
    written = tree(corpus).pop("a.txt")
    results = LABELS["b/c.txt.labels"]
    assert (outcome.code, outcome.out, outcome.err) == (0, "" if option == "--output" else results, "")
    assert written == results if option == "--output" else len(json.loads(written)["inputs"]) == 1


def test_what_is_named_as_an_input_is_not_written_over_even_by_force(
    run_tag: RunTag, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(corpus.parent)
    before = tree(corpus)
    message = "nertag: error: in/a.txt: this input is the output as well: in/a.txt\n"
    for options in ([], ["--force"]):
        assert run_tag("in", "in/a.txt", "--output", "new.txt", "--report", "in/a.txt", *options) == (1, "", message)
        listed = run_tag("in", "--files-from", "-", "--output", "in/a.txt", *options, stdin=b"in/a.txt\n")
        assert listed == (1, "", message)
    assert tree(corpus) == before


# --- What is done again -----------------------------------------------------------------------------------------------


def test_what_is_done_is_not_done_again(
    run_tag: RunTag, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    arguments = (str(corpus), "--output", str(out))
    run_tag(*arguments)
    inodes = [path.stat().st_ino for path in sorted(out.rglob("*.labels"))]

    def refuse(*_: object) -> None:
        raise AssertionError("a model was loaded for nothing")

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["nertag.tagger"], "load", refuse)
        assert summary_of(run_tag(*arguments)) == "0 of 2 files tagged, 2 unchanged"
    assert [path.stat().st_ino for path in sorted(out.rglob("*.labels"))] == inodes
    assert summary_of(run_tag(*arguments, "--force")) == "2 of 2 files tagged"
    assert [path.stat().st_ino for path in sorted(out.rglob("*.labels"))] != inodes
    assert tree(out) == LABELS


def test_what_has_changed_is_done_again(run_tag: RunTag, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = (str(corpus), "--output", str(out))
    run_tag(*arguments)
    fill(corpus, {"a.txt": "they met HARRY\n", "d.txt": "Ron\n"})
    assert summary_of(run_tag(*arguments)) == "2 of 3 files tagged, 1 unchanged"
    os.utime(corpus / "b" / "c.txt", (7, 7))
    (out / "d.txt.labels").unlink()
    assert summary_of(run_tag(*arguments)) == "2 of 3 files tagged, 1 unchanged"
    (out / "d.txt.labels").write_text("1\n1\n", encoding="utf-8")
    assert summary_of(run_tag(*arguments)) == "1 of 3 files tagged, 2 unchanged"
    assert tree(out) == {**LABELS, "d.txt.labels": "1\n"}


@pytest.mark.parametrize(
    "changed", ["--threshold=0.4", "--document=line", "--encoding=latin-1", "--errors=replace", "version", "model"]
)
def test_other_settings_do_all_again(
    run_tag: RunTag, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    arguments = [str(corpus), "--output", str(tmp_path / "out")]
    run_tag(*arguments)
    if changed == "version":
        monkeypatch.setattr("nertag.commands.tag_files.__version__", __version__ + "1")
    elif changed == "model":
        monkeypatch.setattr("nertag.model_folder.digest", lambda folder: "another")
    else:
        arguments.append(changed)
    assert summary_of(run_tag(*arguments)) == "2 of 2 files tagged"
    assert summary_of(run_tag(*arguments)) == "0 of 2 files tagged, 2 unchanged"


@pytest.mark.parametrize("option", ["--workers=2", "--quiet", "--report=report.json", "--glob=*"])
def test_what_decides_about_no_result_does_nothing_again(
    run_tag: RunTag, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run_tag("in", "--output", "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.labels")}
    assert run_tag("in", "--output", "out", option).code == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.labels")} == before


def test_no_link_is_followed_out_of_an_output_folder(run_tag: RunTag, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run_tag(str(corpus), "--output", str(out)).code == 0
    (tmp_path / "precious").write_text("mine", encoding="utf-8")
    (out / "a.txt.labels").unlink()
    (out / "a.txt.labels").symlink_to(tmp_path / "precious")
    code, _, err = run_tag(str(corpus), "--output", str(out))
    assert code == 1
    assert err.startswith(f"nertag: error: {out / 'a.txt.labels'}: this file was not written by nertag\n  hint: ")
    assert (out / "a.txt.labels").is_symlink()
    assert run_tag(str(corpus), "--output", str(out), "--force").code == 0
    assert (tree(out), (out / "a.txt.labels").is_symlink()) == (LABELS, False)
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "mine"


def test_files_of_others_are_written_over_by_force_alone(run_tag: RunTag, corpus: Path, tmp_path: Path) -> None:
    out = fill(tmp_path / "out", {"a.txt.labels": "handwork", "notes": "mine"})
    code, _, err = run_tag(str(corpus), "--output", str(out))
    assert code == 1
    assert err.startswith(f"nertag: error: {out / 'a.txt.labels'}: this file was not written by nertag\n  hint: ")
    assert tree(out) == {"a.txt.labels": "handwork", "notes": "mine"}
    assert run_tag(str(corpus), "--output", str(out), "--force").code == 0
    assert tree(out) == {**LABELS, "notes": "mine"}


# --- Pseudonyms -------------------------------------------------------------------------------------------------------


def test_numbered_pseudonyms_in_a_folder_need_a_mapping_or_a_key(run_tag: RunTag, corpus: Path, tmp_path: Path) -> None:
    code, _, err = run_tag(str(corpus), "--format", "pseudonyms", "--output", str(tmp_path / "out"))
    assert (code, not (tmp_path / "out").exists()) == (1, True)
    assert "need a mapping, so that later runs agree\n  hint: Give --mapping FILE, or --key FILE" in err


def test_pseudonyms_of_a_folder_are_one_run(run_tag: RunTag, tmp_path: Path) -> None:
    corpus = fill(tmp_path / "in", {"a.txt": "Emma Granger\n", "b.txt": "Granger and Ron\n", "c.txt": "Harry, Ron\n"})
    arguments = [str(corpus), "--format=pseudonyms", f"--mapping={tmp_path / 'key'}", f"--output={tmp_path / 'out'}"]
    assert run_tag(*arguments).code == 0
    expected = {
        "a.txt.pseudonyms": "PERSON_1\n",
        "b.txt.pseudonyms": "PERSON_1 and PERSON_2\n",
        "c.txt.pseudonyms": "PERSON_3, PERSON_2\n",
    }
    assert tree(tmp_path / "out") == expected
    fill(corpus, {"b.txt": "Granger and Ron and Luna\n"})
    assert summary_of(run_tag(*arguments)) == "1 of 3 files tagged, 2 unchanged"
    expected["b.txt.pseudonyms"] = "PERSON_1 and PERSON_2 and PERSON_4\n"
    assert tree(tmp_path / "out") == expected
    (tmp_path / "key").unlink()
    assert summary_of(run_tag(*arguments)) == "3 of 3 files tagged"
    assert tree(tmp_path / "out")["c.txt.pseudonyms"] == "PERSON_4, PERSON_2\n"
    assert len(json.loads((tmp_path / "key").read_text(encoding="utf-8"))["names"]) == 5


def test_a_file_with_a_fault_leaves_no_names_behind(run_tag: RunTag, tmp_path: Path) -> None:
    files = {"a.jsonl": '{"text": "Luna"}\nnonsense\n', "b.jsonl": '{"text": "Ron"}\n'}
    corpus = fill(tmp_path / "in", files)
    arguments = [str(corpus), "--format=pseudonyms", f"--mapping={tmp_path / 'key'}", f"--output={tmp_path / 'out'}"]
    assert run_tag(*arguments).code == 3
    assert tree(tmp_path / "out") == {"b.jsonl.pseudonyms": '{"text": "PERSON_1"}\n'}
    assert "Luna" not in (tmp_path / "key").read_text(encoding="utf-8")


def test_results_whose_names_cannot_be_saved_are_not_done(
    run_tag: RunTag, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [str(corpus), "--format=pseudonyms", f"--mapping={tmp_path / 'key'}", f"--output={tmp_path / 'out'}"]

    def refuse(path: str, entries: object) -> None:
        raise OutputError(PermissionError(13, "Permission denied"), path)

    with monkeypatch.context() as patch:
        patch.setattr("nertag.writers.pseudonyms.write_mapping", refuse)
        outcome = run_tag(*arguments)
    assert (outcome.code, summary_of(outcome)) == (1, "0 of 2 files tagged, 2 not tried")
    assert outcome.err.startswith(f"nertag: error: {tmp_path / 'key'}: it cannot be written: Permission denied\n")
    assert summary_of(run_tag(*arguments)) == "2 of 2 files tagged"


# --- What is told -----------------------------------------------------------------------------------------------------


def test_a_file_with_a_fault_costs_nothing_of_the_others(run_tag: RunTag, corpus: Path, tmp_path: Path) -> None:
    fill(corpus, {"aa.txt": b"Ron\n\xff\n"})
    report = tmp_path / "report.json"
    outcome = run_tag(str(corpus), str(tmp_path / "gone"), "-o", str(tmp_path / "out"), "--report", str(report))
    assert (outcome.code, tree(tmp_path / "out")) == (3, LABELS)
    assert f"nertag: error: {corpus / 'aa.txt'}:2: byte 0xff at offset 4 is not UTF-8\n" in outcome.err
    assert f"nertag: error: {tmp_path / 'gone'}: there is no such file\n" in outcome.err
    assert summary_of(outcome) == "2 of 4 files tagged, 2 failed"
    content: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    assert content["exit_code"] == 3
    assert content["counts"] == {"done": 2, "unchanged": 0, "failed": 2, "not tried": 0}
    assert (content["tokens"], content["names"]) == (8, 4)
    first, faulty, _, gone = content["inputs"]
    output = str(tmp_path / "out" / "a.txt.labels")
    assert first == {
        "input": str(corpus / "a.txt"), "status": "done", "output": output, "tokens": 3, "names": 1
    }  # fmt: skip
    assert (faulty["status"], faulty["error"], faulty["line"]) == ("failed", "byte 0xff at offset 4 is not UTF-8", 2)
    assert gone["error"] == "there is no such file"


@pytest.mark.parametrize(
    ("paths", "code", "out"),
    [
        (["a", "b"], 0, "1\n0\n"),
        (["a", "gone"], 3, "1\n"),
        (["gone"], 1, ""),
        (["bad"], 1, "1\n"),
        (["bad", "a"], 3, "1\n1\n"),
    ],
)
def test_exit_codes(
    run_tag: RunTag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str], code: int, out: str
) -> None:
    monkeypatch.chdir(fill(tmp_path, {"a": "Ron\n", "b": "x\n", "bad": b"Ron\n\xff\n"}))
    outcome = run_tag(*paths)
    assert (outcome.code, outcome.out) == (code, out)
    assert outcome.err.count("nertag: error: ") == (code > 0)
    assert run_tag(*paths, "--output", "one.txt").code == code
    whole = (tmp_path / "one.txt").read_text(encoding="utf-8") if (tmp_path / "one.txt").exists() else None
    assert whole == (None if code == 1 else out)


def test_nothing_to_tag_is_an_error(run_tag: RunTag, corpus: Path, tmp_path: Path) -> None:
    assert run_tag(str(corpus), "--glob", "*.md") == (
        1, "", f"nertag: error: {corpus}: there is nothing to tag: no file matches\n"
    )  # fmt: skip
    (tmp_path / "empty").touch()
    assert run_tag("--files-from", str(tmp_path / "empty")).code == 1


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        (
            ["in", "--files-from", "gone"],
            "the list of files cannot be read: No such file or directory",
            ["not tried"] * 2,
        ),
        (["--files-from", "gone"], "the list of files cannot be read: No such file or directory", []),
        (["in", "--glob", "*.md"], "there is nothing to tag: no file matches", []),
    ],
)
def test_why_nothing_was_begun_stands_in_the_report(
    run_tag: RunTag,
    corpus: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
    status: list[str],
) -> None:
    monkeypatch.chdir(corpus.parent)
    code, out, err = run_tag(*arguments, "--output", "out/", "--report", "report.json")
    assert (code, out) == (1, "")
    assert err == f"nertag: error: {arguments[-1] if '--files-from' in arguments else 'in'}: {message}\n"
    content = json.loads(Path("report.json").read_text(encoding="utf-8"))
    assert (content["exit_code"], content["error"]) == (1, message)
    assert [entry["status"] for entry in content["inputs"]] == status
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--null"], "--null: only --files-from has a use for it."),
        (["--text", "Ron", "--files-from", "x"], "--files-from exclude each other"),
        (["--text", "Ron", "--report", "x"], "--report exclude each other"),
        (["--text", "Ron", "--workers", "99999999999"], "Input should be less than or equal to 512"),
    ],
)
def test_wrong_usage(run_tag: RunTag, arguments: list[str], message: str) -> None:
    code, out, err = run_tag(*arguments)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-", "--output", "out/"], "standard input has no name for a result in a folder"),
        (["--files-from", "-", "-"], "standard input cannot hold both the list of files and a text"),
        (["a", "--format", "pretty", "--output", "x.txt"], "--format pretty is for terminals"),
        (["a", "--output", "a"], "a: this input is the output as well: a"),
        (["a", "--report", "a"], "a: this input is the output as well: a"),
        (["a", "--output", "no/such/folder/x.txt"], "x.txt: it cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_is_said_before_the_work(
    run_tag: RunTag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(fill(tmp_path, {"a": "Ron\n"}))
    code, out, err = run_tag(*arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert tree(tmp_path) == {"a": "Ron\n"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "--output", "x", "--report", "./x"], "./x: --output and --report name the same file"),
        (["a", "--output", "x", "--mapping", "x"], "x: --output and --mapping name the same file"),
        (["a", "--report", "link", "--mapping", "x"], "x: --report and --mapping name the same file"),
        (["a", "--output", "key", "--key", "key"], "key: --output and --key name the same file"),
        (["a", "--report", "key", "--key", "./key"], "./key: --report and --key name the same file"),
        (["a", "--report", "hard", "--key", "key"], "key: --report and --key name the same file"),
        (["--text", "Ron", "--output", "key", "--key", "key"], "key: --output and --key name the same file"),
        (["--text", "Ron", "--output", "x", "--mapping", "x"], "x: --output and --mapping name the same file"),
        (["--output", "key", "--files-from", "key"], "key: --output and --files-from name the same file"),
        (["a", "--mapping", ""], "--mapping names no file"),
        (["a", "--report", ""], "--report names no file"),
        (["a", "--output", ""], "--output names no file"),
    ],
)
def test_no_option_destroys_the_file_of_another(
    run_tag: RunTag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(fill(tmp_path, {"a": "Ron\n", "key": "0123456789abcdef"}))
    (tmp_path / "link").symlink_to("x")
    (tmp_path / "hard").hardlink_to("key")
    code, out, err = run_tag(*arguments, "--format", "pseudonyms")
    assert (code, out, err) == (1, "", f"nertag: error: {message}\n")
    (tmp_path / "hard").unlink()
    assert tree(tmp_path) == {"a": "Ron\n", "key": "0123456789abcdef"}


def test_options_may_share_what_is_no_file(run_tag: RunTag, tmp_path: Path) -> None:
    path = fill(tmp_path, {"a": "Ron\n"}) / "a"
    assert run_tag(str(path), "--output", os.devnull, "--report", os.devnull) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "output"), [(["in"], "out/"), (["in"], "out.txt"), (["--text", "Ron"], "out.txt")]
)
def test_without_a_model_nothing_is_left(
    run_tag: RunTag, corpus: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], output: str
) -> None:
    monkeypatch.chdir(corpus.parent)

    def fail(*_: object) -> None:
        raise ModelError("damaged")

    monkeypatch.setattr(Job, "start", fail)
    mapping = ["--format", "pseudonyms", "--mapping", "names.json"]
    code, out, err = run_tag(*arguments, *mapping, "--output", output, "--quiet")
    assert (code, out, err) == (1, "", "nertag: error: damaged\n")
    left = {path.name for path in corpus.parent.rglob("*") if path.is_file() and not path.is_relative_to(corpus)}
    assert left == ({".nertag.jsonl", ".nertag.lock"} if output == "out/" else set())


@pytest.mark.parametrize("folder", [False, True])
def test_what_is_left_out_is_told_and_counted(run_tag: RunTag, tmp_path: Path, folder: bool) -> None:
    line = '{"text": "Ron"}\nnonsense\n'
    corpus = fill(tmp_path / "in", {"a.jsonl": line})
    options = ["--skip-bad-rows", "--quiet"]
    if folder:
        outcome = run_tag(str(corpus), *options, "-o", str(tmp_path / "out"), "--report", str(tmp_path / "report"))
        assert json.loads((tmp_path / "report").read_text(encoding="utf-8"))["left_out"] == 1
    else:
        outcome = run_tag("--text", line, "--input", "jsonl", *options)
    assert outcome.code == 0
    assert ":2: left out: not JSON" in outcome.err
    assert outcome.err.endswith("nertag: left out 1 bad row in all\n")


def test_quiet_leaves_what_is_wrong(run_tag: RunTag, corpus: Path, tmp_path: Path) -> None:
    outcome = run_tag(str(corpus), str(tmp_path / "gone"), "--output", str(tmp_path / "out"), "--quiet")
    assert outcome.err.splitlines()[0] == f"nertag: error: {tmp_path / 'gone'}: there is no such file"
    assert len(outcome.err.splitlines()) == 2  # The other is its hint.


# --- Pipes and redirections -------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="the commands are for a POSIX shell")
@pytest.mark.parametrize(
    ("command", "out", "err", "code"),
    [
        ("$tag in > in/new.txt; cat in/new.txt", "".join(LABELS.values()), "", 0),
        ("$tag in/a.txt >> in/a.txt", "", "in/a.txt: this input is the output as well: standard output", 1),
        ("($tag in many; echo $? >&2) | head -n 1", "0 0 1\n", "0", 0),
        ("$tag in gone -q > all; echo $?; cat all", "3\n" + "".join(LABELS.values()), "gone: there is no such file", 0),
    ],
)
def test_in_a_shell(corpus: Path, command: str, out: str, err: str, code: int) -> None:
    fill(corpus.parent, {f"many/{number}.txt": "we met Ron\n" * 5_000 for number in range(20)})
    tag = f"'{sys.executable}' '{Path(__file__).with_name('fake_nertag.py')}' tag"
    done = subprocess.run(
        ["sh", "-c", command.replace("$tag", tag)],
        cwd=corpus.parent,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout) == (code, out)
    assert err in done.stderr
    assert done.stderr.count("\n") <= 2
