"""`nertag evaluate` in this process: tables, JSON and errors, with a tagger that takes capitalised words for names."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from rich.console import Console

from nertag.cli import main
from nertag.config import ModelConfig
from nertag.errors import ModelError
from nertag.text import Passage, TaggedPassage

# One of three names is found, `The` is taken for one: precision 1/2, recall 1/3, F1 2/5. Of four tokens inside names
# two are found, and one more: precision 2/3, recall 1/2, F1 4/7.
NEWS = "The O\nyoung O\nAda B-PER\nLovelace I-PER\nsaw O\nhopper B-PER\n\nthen O\nturing B-PER\nleft O\n"
# Everything is found.
NOVEL = "Grace B-PER\nsat O\n"


class FakeTagger:
    """Takes every run of words with a capital letter for a person; `Acme` is an ORG if that is one of its labels."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.config = ModelConfig(labels=labels)
        self.passages: list[Passage] = []

    def tag_passages(self, passages: Iterable[Passage | None]) -> Iterator[TaggedPassage]:
        for passage in passages:
            assert passage is not None
            self.passages.append(passage)
            tags: list[str] = []
            for word in passage.words:
                label = "ORG" if word == "Acme" and "ORG" in self.config.labels else "PER" if word.istitle() else ""
                before = tags[-1][2:] if tags else ""
                tags.append("O" if not label else f"{'I' if label == before else 'B'}-{label}")
            yield TaggedPassage(passage, tags, [0.9] * len(tags))


class Outcome(NamedTuple):
    """What a run left behind."""

    code: int
    out: str
    err: str


class Evaluate:
    """Runs `nertag evaluate`; `tagger` is what it loaded, `labels` the labels of its model."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self.labels: tuple[str, ...] = ("PER",)
        self.tagger: FakeTagger | None = None
        self.model = ""

    def load(self, model: str) -> FakeTagger:
        if model == "none":
            raise ModelError("there is no model 'none'")
        self.model = model
        self.tagger = FakeTagger(self.labels)
        return self.tagger

    def __call__(self, *arguments: str | Path) -> Outcome:
        code = main(["evaluate", *map(str, arguments)])
        out, err = self._capture.readouterr()
        return Outcome(code, out, err)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Evaluate:
    evaluate = Evaluate(capsys)
    module = ModuleType("nertag.tagger")
    module.load = evaluate.load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nertag.tagger", module)
    monkeypatch.delattr("nertag.tagger", raising=False)
    return evaluate


@pytest.fixture
def news(tmp_path: Path) -> Path:
    return written(tmp_path / "news.conll", NEWS)


@pytest.fixture
def novel(tmp_path: Path) -> Path:
    return written(tmp_path / "novel/test.conll", NOVEL).parent


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


HEAD = (
    "dataset\tsentences\ttokens\tgold\tpredicted\tcorrect\tprecision\trecall\tf1\t"
    "token_precision\ttoken_recall\ttoken_f1\n"
)


def test_a_pipe_gets_columns_parted_by_tabs(run: Evaluate, news: Path, novel: Path) -> None:
    assert run(news, novel) == (
        0,
        HEAD
        + "news\t2\t9\t3\t2\t1\t0.5000\t0.3333\t0.4000\t0.6667\t0.5000\t0.5714\n"
        + "novel\t1\t2\t1\t1\t1\t1.0000\t1.0000\t1.0000\t1.0000\t1.0000\t1.0000\n"
        + "macro average\t\t\t\t\t\t0.7500\t0.6667\t0.7000\t0.8333\t0.7500\t0.7857\n",
        "",
    )


def test_json_is_one_object(run: Evaluate, news: Path, novel: Path) -> None:
    code, out, err = run("--json", "--model", "models/mine", news, novel)
    assert (code, out.count("\n"), err) == (0, 1, "")
    assert json.loads(out) == {
        "model": "models/mine",
        "split": "test",
        "datasets": [
            {
                "name": "news",
                "mentions": about(1 / 2, 1 / 3, 2 / 5, gold=3, predicted=2, correct=1),
                "tokens": about(2 / 3, 1 / 2, 4 / 7, gold=4, predicted=3, correct=2),
                "sentences": 2,
                "token_count": 9,
                "skipped": 0,
            },
            {
                "name": "novel",
                "mentions": about(1, 1, 1, gold=1, predicted=1, correct=1),
                "tokens": about(1, 1, 1, gold=1, predicted=1, correct=1),
                "sentences": 1,
                "token_count": 2,
                "skipped": 0,
            },
        ],
        "macro": {"mentions": about(3 / 4, 2 / 3, 7 / 10), "tokens": about(5 / 6, 3 / 4, 11 / 14)},
    }
    assert run.model == "models/mine"


def about(precision: float, recall: float, f1: float, **counts: int) -> dict[str, object]:
    fractions = {"precision": precision, "recall": recall, "f1": f1}
    return {**{name: pytest.approx(value) for name, value in fractions.items()}, **counts}


def test_a_terminal_gets_a_table_that_fits_80_columns(
    run: Evaluate, news: Path, novel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nertag.console.results_are_seen", lambda: True)
    code, out, err = run(news, novel)
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["news", "9", "3", "2", "1", "0.500", "0.333", "0.400", "0.667", "0.500", "0.571"] in lines
    assert ["macro", "average", "0.750", "0.667", "0.700", "0.833", "0.750", "0.786"] in lines
    assert max(map(len, out.splitlines())) <= 80


def test_a_terminal_is_told_what_is_being_done_whatever_the_path(
    run: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside = Console(file=io.StringIO(), force_terminal=True, width=500)
    monkeypatch.setattr("nertag.console.draw_aside", lambda: aside)
    monkeypatch.setattr("nertag.console.can_redraw", lambda: True)
    path = written(tmp_path / "a[/b][red].conll", NOVEL)
    assert run(path).code == 0
    assert f"{path}: loading and tagging" in aside.file.getvalue()  # type: ignore[attr-defined]


def test_gold_tokens_are_tagged_as_they_stand(run: Evaluate, tmp_path: Path) -> None:
    rows = [
        {"tokens": ["Mr.Smith's", "New York", "[b]"], "tags": ["O", "O", "O"], "doc": 1},
        {"tokens": ["x"], "tags": ["O"], "doc": 1},
        {"tokens": ["y"], "tags": ["O"], "doc": 2},
    ]
    path = written(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert run(path).code == 0
    assert run.tagger is not None
    assert [tuple(passage.words) for passage in run.tagger.passages] == [
        ("Mr.Smith's", "New York", "[b]"),
        ("x",),
        ("y",),
    ]
    assert run.tagger.passages[0].text == "Mr.Smith's New York [b]"
    assert [passage.starts_document for passage in run.tagger.passages] == [True, False, True]
    assert all(passage.ends_sentence for passage in run.tagger.passages)


def test_several_labels_are_scored_together_and_each(run: Evaluate, tmp_path: Path) -> None:
    run.labels = ("PER", "ORG")
    path = written(tmp_path / "a.conll", "Ada B-person\nsaw O\nAcme B-ORG\nand O\nBank B-ORG\n")
    code, out, _ = run("--json", path)
    (dataset,) = json.loads(out)["datasets"]
    assert code == 0
    assert dataset["mentions"] == about(2 / 3, 2 / 3, 2 / 3, gold=3, predicted=3, correct=2)
    assert dataset["labels"] == {
        "PER": about(1 / 2, 1, 2 / 3, gold=1, predicted=2, correct=1),
        "ORG": about(1, 1 / 2, 2 / 3, gold=2, predicted=1, correct=1),
    }


def test_corpora_of_the_same_name_get_their_full_source(run: Evaluate, tmp_path: Path) -> None:
    first = written(tmp_path / "a/news.conll", NEWS)
    second = written(tmp_path / "b/news.conll", NOVEL)
    third = written(tmp_path / "other.conll", NOVEL)
    names = [line.split("\t")[0] for line in run(first, second, third).out.splitlines()]
    assert names == ["dataset", str(first), str(second), "other", "macro average"]


def test_options_reach_the_reader(run: Evaluate, tmp_path: Path) -> None:
    rows = [{"w": ["Ada", "B."], "t": ["I-author", "I-author"]}, {"w": ["Ada"], "t": []}]
    written(tmp_path / "validation.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    options = ["--split", "validation", "--tokens-column", "w", "--tags-column", "t", "--scheme", "iob1"]
    code, out, err = run("--json", *options, "--person-label", "author", "--skip-bad-rows", tmp_path)
    (dataset,) = json.loads(out)["datasets"]
    assert code == 0
    assert (json.loads(out)["split"], dataset["mentions"]["gold"], dataset["skipped"]) == ("validation", 1, 1)
    assert err == (
        f"nertag: {tmp_path}: left out 1 malformed row, the first at {tmp_path}/validation.jsonl:2: "
        "1 tokens but 0 tags: 'Ada'\n"
    )


def test_a_source_is_missed_before_the_model_is_loaded(run: Evaluate, news: Path) -> None:
    assert run(news, "none.conll") == (1, "", "nertag: error: none.conll: no such file or folder\n")
    assert run.tagger is None


def test_a_model_that_is_not_there(run: Evaluate, news: Path) -> None:
    assert run("--model", "none", news) == (1, "", "nertag: error: there is no model 'none'\n")


def test_a_malformed_corpus_leaves_standard_output_empty(run: Evaluate, novel: Path, tmp_path: Path) -> None:
    bad = written(tmp_path / "bad.conll", "Ada B-PER\nsat O\nup I-PER\n")
    code, out, err = run(novel, bad)
    assert (code, out) == (1, "")
    assert err.startswith(f"nertag: error: {bad}:3: tag 'I-PER' follows 'O', but an IOB2 mention starts with 'B-PER'")


@pytest.mark.parametrize(
    ("missing", "named"), [(("datasets",), "datasets"), (("datasets", "seqeval"), "datasets, seqeval")]
)
def test_without_the_extra_one_line_says_what_to_install(
    run: Evaluate, news: Path, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], named: str
) -> None:
    find: Callable[[str], object] = lambda name: None if name in missing else name  # noqa: E731
    monkeypatch.setattr("nertag.commands.extras.find_spec", find)
    assert run(news) == (1, "", f"nertag: error: nertag evaluate needs {named}: run pip install 'nertag[train]'\n")
    assert run.tagger is None
