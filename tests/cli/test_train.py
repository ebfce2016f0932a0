"""`nertag train`, from corpora in files to a model that evaluates and tags."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from nertag.cli import main
from nertag.commands.train import _processes_for
from nertag.model_folder import read_vocabulary
from tests.tiny import TRAINING, VALIDATION, sentence, write_jsonl

TINY = """
--embedding learned --embedding-size 8 --hidden-size 8 --layers 1 --cell lstm --character-size 4
--character-filters 6 --character-width 3 --shape-size 3 --window 20 --epochs 25 --patience 25 --batch-tokens
40 --learning-rate 0.03 --dropout 0 --word-dropout 0 --lower-share 0 --upper-share 0 --title-share 0 --swap-share 0
--averaging 0.5 --warmup 0.05 --weight-decay 0 --clip-norm 5 --seed 1 --device cpu
""".split()
SOURCES = ["train.jsonl", "--validation", "dev.jsonl"]
FILES = [
    "README.md",
    "config.json",
    "model.onnx",
    "recipe.toml",
    "training.jsonl",
    "training.png",
    "vocabulary.safetensors",
    "weights.safetensors",
]
# The files that must not depend on how long training took.
TIMELESS = [name for name in FILES if not name.startswith("training.")]


class Outcome(NamedTuple):
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in a folder with two small corpora."""
    write_jsonl(tmp_path / "train.jsonl", TRAINING)
    write_jsonl(tmp_path / "dev.jsonl", VALIDATION)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Outcome:
        capfd.readouterr()
        code = main(list(arguments))
        return Outcome(code, *capfd.readouterr())

    return call


def names_in(place: Path) -> list[str]:
    """Return everything in a folder, by name."""
    return sorted(entry.name for entry in place.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a model that must not depend on time, and the epochs without their seconds."""
    lines = [json.loads(line) for line in (folder / "training.jsonl").read_text(encoding="utf-8").splitlines()]
    epochs = json.dumps([{**line, "seconds": 0} for line in lines]).encode()
    return {name: (folder / name).read_bytes() for name in TIMELESS} | {"epochs": epochs}


# --- The whole way ----------------------------------------------------------------------------------------------------


def test_a_model_is_trained_evaluated_and_tags(run: Run, tmp_path: Path) -> None:
    trained = run("train", *SOURCES, *TINY, "--output", "models/mine")
    assert (trained.code, trained.out) == (0, "")
    lines = trained.err.splitlines()
    assert lines[:2] == [
        "nertag: train: train.jsonl: 12 sentences, 102 tokens, 9 mentions",
        "nertag: validation: dev.jsonl: 4 sentences, 26 tokens, 4 mentions",
    ]
    assert re.fullmatch(r"nertag: training [\d,]+ weights on cpu", lines[2])
    assert len([line for line in lines if re.match(r"epoch +\d+/25  loss \d", line)]) == 25
    assert re.fullmatch(r"nertag: models/mine: epoch \d+ is the best, validation F1 1\.0000", lines[-1])

    folder = tmp_path / "models" / "mine"
    assert names_in(folder) == FILES
    assert names_in(folder.parent) == ["mine"]
    assert (folder / "training.png").read_bytes().startswith(b"\x89PNG")
    assert "# mine\n" in (folder / "README.md").read_text(encoding="utf-8")
    for path in folder.iterdir():
        assert not re.match(rb"\x80[\x02-\x05]|PK\x03\x04", path.read_bytes()), f"{path.name} may be a pickle"

    evaluated = run("evaluate", "dev.jsonl", "train.jsonl", "--model", "models/mine", "--json")
    assert evaluated.code == 0
    scores = json.loads(evaluated.out)
    assert [entry["mentions"]["f1"] for entry in scores["datasets"]] == [1.0, 1.0]
    assert [entry["mentions"]["gold"] for entry in scores["datasets"]] == [4, 9]

    tagged = run("tag", "--model", "models/mine", "--text", "Tom Weaver said nobody had seen Mira .")
    assert (tagged.code, tagged.out) == (0, "1 1 0 0 0 0 1 0\n")


def test_every_epoch_is_in_the_history_and_in_order(run: Run, tmp_path: Path) -> None:
    assert run("train", *SOURCES, *TINY, "--epochs", "3", "--output", "m").code == 0
    lines = [json.loads(line) for line in (tmp_path / "m" / "training.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert set(lines[0]) == {
        "epoch", "loss", "precision", "recall", "f1", "gradient_norm", "learning_rate", "tokens", "seconds", "is_best",
    }  # fmt: skip
    assert lines[0]["loss"] > lines[2]["loss"] and lines[0]["tokens"] == 102
    assert all(line["gradient_norm"] > 0 for line in lines)


def test_validation_scores_are_those_of_evaluate(run: Run, tmp_path: Path) -> None:
    """An unfinished model and a small window, so that mentions are missed, cut and invented."""
    long = " ".join([*TRAINING, *VALIDATION]).replace(" .", "")
    write_jsonl(tmp_path / "dev.jsonl", [*VALIDATION, long, f"[PER Mira Olsen] {long}"])
    assert run("train", *SOURCES, *TINY, "--window", "7", "--epochs", "15", "--output", "m").code == 0
    history = (tmp_path / "m" / "training.jsonl").read_text(encoding="utf-8").splitlines()
    best = [line for line in map(json.loads, history) if line["is_best"]][-1]
    scores = json.loads(run("evaluate", "dev.jsonl", "--model", "m", "--json").out)["datasets"][0]["mentions"]
    assert 0 < best["f1"] < 1
    assert {name: best[name] for name in ("precision", "recall", "f1")} == {
        name: pytest.approx(scores[name]) for name in ("precision", "recall", "f1")
    }


def test_several_labels(run: Run, tmp_path: Path) -> None:
    arguments = ("train.jsonl", "--validation", "train.jsonl", *TINY, "--labels", "PER,ORG,LOC")
    assert run("train", *arguments, "--epochs", "60", "--hidden-size", "16", "--output", "m").code == 0
    evaluated = json.loads(run("evaluate", "train.jsonl", "--model", "m", "--json").out)
    (corpus,) = evaluated["datasets"]
    assert corpus["mentions"]["gold"] == 16 and corpus["mentions"]["f1"] == 1.0
    assert {label: scores["gold"] for label, scores in corpus["labels"].items()} == {"PER": 9, "ORG": 3, "LOC": 4}
    (tmp_path / "text").write_text("Tom Weaver works for Acme in Bergen .\n", encoding="utf-8")
    tagged = run("tag", "--model", "m", "--format", "tags", "text")
    assert tagged.out == "B-PER I-PER O O B-ORG O B-LOC O\n"
    tagged = run("tag", "--model", "m", "--format", "jsonl", "text")
    assert [(m["text"], m["label"]) for m in json.loads(tagged.out)["mentions"]] == [
        ("Tom Weaver", "PER"),
        ("Acme", "ORG"),
        ("Bergen", "LOC"),
    ]


@pytest.mark.parametrize(
    "options",
    [
        ["--embedding", "one-hot", "--cell", "gru", "--vocabulary-size", "30"],
        ["--embedding", "pretrained", "--vectors", "vectors.txt", "--cell", "rnn", "--direction", "forward"],
        ["--embedding", "pretrained", "--vectors", "vectors.txt", "--tune-embedding", "--no-characters", "--no-shapes"],
        ["--output-layer", "binary", "--layers", "2", "--cell", "rnn", "--activation", "sigmoid"],
    ],
)
def test_other_networks_go_the_same_way(run: Run, tmp_path: Path, options: list[str]) -> None:
    words = sorted({word for marked in TRAINING for word in sentence(marked).words})
    vectors = [f"{word} {' '.join(str((hash_of(word) >> n) % 7 - 3) for n in range(0, 18, 3))}\n" for word in words]
    (tmp_path / "vectors.txt").write_text("".join(vectors), encoding="utf-8", newline="\n")
    trained = run("train", *SOURCES, *TINY, "--epochs", "40", *options, "--output", "m")
    assert trained.code == 0, trained.err
    assert (f"nertag: vectors: vectors.txt: {len(words)} words, 6 dimensions\n" in trained.err) is (
        "--vectors" in options
    )
    evaluated = run("evaluate", "train.jsonl", "--model", "m", "--json")
    assert json.loads(evaluated.out)["datasets"][0]["mentions"]["f1"] > 0.8
    tagged = run("tag", "--model", "m", "--text", "Mira Olsen walked home with Tom .")
    assert tagged.out == "1 1 0 0 0 1 0\n"
    if "--vocabulary-size" in options:
        counts = Counter(word for marked in TRAINING for word in sentence(marked).words)
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        assert read_vocabulary(tmp_path / "m").words == ranked[:30]


def hash_of(word: str) -> int:
    """Return a number that looks random and is the same in every run."""
    return int.from_bytes(word.encode("utf-8"), "little") * 2654435761 >> 7


def test_corpora_are_mixed_and_one_named_twice_counts_twice(run: Run, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "more.jsonl", VALIDATION[:1])
    arguments = ("train.jsonl", "more.jsonl", "train.jsonl", "--validation", "dev.jsonl", "--validation", "train.jsonl")
    trained = run("train", *arguments, *TINY, "--epochs", "1", "--output", "m")
    assert trained.err.count("train: train.jsonl:") == 1
    (line,) = (tmp_path / "m" / "training.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["tokens"] == 102 + 5 + 102


# --- Recipes ----------------------------------------------------------------------------------------------------------


def test_options_win_over_the_recipe(run: Run, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(
        'sources = ["nowhere.jsonl"]\nvalidation = ["dev.jsonl"]\n'
        '[model]\nembedding = "learned"\nhidden_size = 6\ncell = "gru"\n'
        '[training]\nepochs = 2\nseed = 9\ndevice = "cpu"\n',
        encoding="utf-8",
    )
    trained = run(
        "train", "train.jsonl", "--recipe", "recipe.toml", "--hidden-size", "4", "--seed", "3", "--output", "m"
    )
    assert trained.code == 0, trained.err
    config = json.loads((tmp_path / "m" / "config.json").read_text(encoding="utf-8"))["model"]
    assert (config["hidden_size"], config["cell"], config["embedding"]) == (4, "gru", "learned")
    recipe = (tmp_path / "m" / "recipe.toml").read_text(encoding="utf-8")
    for line in ("train.jsonl", "epochs = 2", "seed = 3", "hidden_size = 4", 'cell = "gru"'):
        assert line in recipe
    assert "nowhere" not in recipe


def test_the_recipe_in_the_folder_makes_the_same_model(run: Run, tmp_path: Path) -> None:
    noise = ["--dropout", "0.2", "--word-dropout", "0.1", "--lower-share", "0.1", "--seed", "5", "--epochs", "3"]
    assert run("train", *SOURCES, *TINY, *noise, "--output", "one/m").code == 0
    assert run("train", "--recipe", "one/m/recipe.toml", "--output", "two/m").code == 0
    assert contents(tmp_path / "one" / "m") == contents(tmp_path / "two" / "m")
    assert run("train", "--recipe", "one/m/recipe.toml", "--seed", "6", "--output", "three/m").code == 0
    assert contents(tmp_path / "one" / "m") != contents(tmp_path / "three" / "m")


# --- Interrupting and resuming ----------------------------------------------------------------------------------------

NOISY = [*TINY, "--epochs", "4", "--dropout", "0.2", "--word-dropout", "0.1", "--title-share", "0.2"]
NOISY += ["--swap-share", "0.3"]


def interrupt(monkeypatch: pytest.MonkeyPatch, epoch: int) -> pytest.MonkeyPatch:
    """Let somebody press Ctrl-C at the second step of an epoch, counted from 0."""
    from nertag.training import Trainer

    step = Trainer._train_step
    steps = []

    def stop(self: Trainer, windows: Any) -> tuple[float, float]:
        steps.append(self.epoch)
        if steps.count(epoch) == 2:
            raise KeyboardInterrupt
        return step(self, windows)

    monkeypatch.setattr(Trainer, "_train_step", stop)
    return monkeypatch


def test_an_interrupted_run_goes_on_to_the_same_model(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("train", *SOURCES, *NOISY, "--output", "whole/m").code == 0
    with monkeypatch.context() as patch:
        interrupt(patch, epoch=2)
        broken = run("train", *SOURCES, *NOISY, "--output", "broken/m")
    assert broken.code == 130
    assert "nertag: stopped after epoch 2; go on with: nertag train --resume --output broken/m\n" in broken.err
    assert "Traceback" not in broken.err
    assert names_in(tmp_path / "broken") == ["m.checkpoint.safetensors"]

    refused = run("train", *SOURCES, *NOISY, "--output", "broken/m")
    assert refused == (
        1,
        "",
        "nertag: error: broken/m.checkpoint.safetensors: there is the checkpoint of an interrupted run\n"
        "  hint: Go on from it with --resume, or drop it with --force.\n",
    )

    resumed = run("train", "--resume", "--output", "broken/m")
    assert resumed.code == 0, resumed.err
    assert "nertag: going on after epoch 2\n" in resumed.err
    assert "epoch 3/4" in resumed.err and "epoch 2/4" not in resumed.err
    assert contents(tmp_path / "broken" / "m") == contents(tmp_path / "whole" / "m")
    assert names_in(tmp_path / "broken") == ["m"]


def test_a_resumed_run_keeps_its_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, epoch=1)
        assert run("train", *SOURCES, *NOISY, "--output", "m").code == 130
    refused = run("train", "--resume", "--output", "m", "--hidden-size", "9", "--seed", "4")
    assert refused == (
        1,
        "",
        "nertag: error: m.checkpoint.safetensors: a resumed run keeps its settings, but these are different: "
        "model.hidden_size, training.seed\n",
    )
    assert run("train", *SOURCES, *NOISY, "--resume", "--output", "m").code == 0


@pytest.mark.parametrize("changed", ["train.jsonl", "names.tsv"])
def test_a_resumed_run_keeps_its_files(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str) -> None:
    (tmp_path / "names.tsv").write_text("north\tgiven\tAino\n", encoding="utf-8")
    names = ["--names", "names.tsv", "--swap-share", "0.5"]
    with monkeypatch.context() as patch:
        interrupt(patch, epoch=1)
        assert run("train", *SOURCES, *NOISY, *names, "--output", "m").code == 130
    if changed == "names.tsv":
        (tmp_path / "names.tsv").write_text("north\tgiven\tJuha\n", encoding="utf-8")
    else:
        write_jsonl(tmp_path / "train.jsonl", [*TRAINING[1:], TRAINING[0]])
    refused = run("train", "--resume", "--output", "m")
    assert refused.code == 1
    assert refused.err.endswith(
        "nertag: error: m.checkpoint.safetensors: the corpora, word vectors or names are not what they were when this "
        "run began\n  hint: Start anew with --force.\n"
    )


def test_the_checkpoint_of_another_network_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, epoch=1)
        run("train", *SOURCES, *NOISY, "--output", "m")
    path = tmp_path / "m.checkpoint.safetensors"
    with safe_open(path, framework="pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del tensors["weight.0"]
    save_file(tensors, path, metadata=metadata)
    refused = run("train", "--resume", "--output", "m")
    assert refused.code == 1
    assert "m.checkpoint.safetensors: it is not the checkpoint of this network: 'weight.0'\n" in refused.err


def test_an_interruption_before_the_first_epoch_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(monkeypatch, epoch=0)
    broken = run("train", *SOURCES, *NOISY, "--output", "new/m")
    assert broken.code == 130 and "go on with" not in broken.err
    assert names_in(tmp_path / "new") == []
    refused = run("train", "--resume", "--output", "new/m")
    assert refused.err == (
        "nertag: error: new/m.checkpoint.safetensors: there is nothing to resume: no epoch was finished\n"
    )


def test_force_drops_an_old_checkpoint(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, epoch=1)
        assert run("train", *SOURCES, *NOISY, "--output", "new/m").code == 130
    with monkeypatch.context() as patch:
        interrupt(patch, epoch=0)
        broken = run("train", *SOURCES, *NOISY, "--output", "new/m", "--force")
    assert broken.code == 130 and "go on with" not in broken.err
    assert names_in(tmp_path / "new") == []


def test_a_run_that_replaces_a_model_resumes_with_force(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("train", *SOURCES, *TINY, "--epochs", "1", "--output", "m").code == 0
    before = contents(tmp_path / "m")
    with monkeypatch.context() as patch:
        interrupt(patch, epoch=1)
        broken = run("train", *SOURCES, *NOISY, "--output", "m", "--force")
    assert "go on with: nertag train --resume --output m --force\n" in broken.err
    assert contents(tmp_path / "m") == before
    assert run("train", "--resume", "--output", "m", "--force").code == 0
    assert contents(tmp_path / "m") != before


def test_training_that_fails_to_write_keeps_its_checkpoint(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no ink")

    with monkeypatch.context() as patch:
        patch.setattr("nertag.card.plot_curves", fail)
        with pytest.raises(RuntimeError, match="no ink"):
            run("train", *SOURCES, *TINY, "--epochs", "2", "--output", "new/m")
    assert names_in(tmp_path / "new") == ["m.checkpoint.safetensors"]
    assert run("train", "--resume", "--output", "new/m").code == 0
    assert names_in(tmp_path / "new") == ["m"]


def test_a_full_disk_is_said_and_leaves_the_checkpoint(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("nertag.card.plot_curves", fail)
        failed = run("train", *SOURCES, *TINY, "--epochs", "2", "--output", "new/m")
    assert failed.code == 1
    assert failed.err.endswith(
        "nertag: error: new/m: it cannot be written: [Errno 28] No space left on device\n"
        "  hint: Go on from its checkpoint with --resume.\n"
    )
    assert names_in(tmp_path / "new") == ["m.checkpoint.safetensors"]
    assert run("train", "--resume", "--output", "new/m").code == 0


# --- Fine-tuning ------------------------------------------------------------------------------------------------------


def test_a_second_look_is_trained_resumed_and_kept(run: Run, tmp_path: Path) -> None:
    look = [*TINY, "--agreement", "4", "--agreement-folds", "2"]
    trained = run("train", *SOURCES, *look, "--epochs", "3", "--output", "old")
    assert trained.code == 0
    folds = re.findall(r"fold (\d) of 2, epoch (\d): F1 ", trained.err)
    assert sorted(folds) == [("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")]
    tagged = run("tag", "--model", "old", "--format", "tags", "--text", "Tom Weaver left . Tom came back .")
    assert tagged.code == 0

    went_on = run("train", *SOURCES, "--from", "old", "--epochs", "1", "--device", "cpu", "--output", "new")
    assert went_on.code == 0 and "fold" not in went_on.err
    with safe_open(tmp_path / "old/weights.safetensors", "pt") as old:
        with safe_open(tmp_path / "new/weights.safetensors", "pt") as new:
            for name in ("agreement.entry", "agreement.exit"):
                assert torch.equal(old.get_tensor(name), new.get_tensor(name))


def test_soft_labels_are_read_and_said(run: Run, tmp_path: Path) -> None:
    row = {"doc": 1, "tokens": ["Mira", "left"], "probabilities": [[0.1, 0.9, 0], [1, 0, 0]]}
    (tmp_path / "soft.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    soft = ["--soft-labels", "soft.jsonl", "--epochs", "1", "--output", "m"]
    trained = run("train", *SOURCES, *TINY, *soft)
    assert trained.code == 0 and "nertag: soft labels: 1 sentences, 2 tokens\n" in trained.err
    refused = run("train", *SOURCES, *TINY, *soft, "--output-layer", "binary", "--force")
    assert refused.code != 0 and "soft labels need output 'iob2'" in refused.err


def test_a_model_is_trained_further(run: Run, tmp_path: Path) -> None:
    assert run("train", *SOURCES, *TINY, "--output", "old").code == 0
    still = [option for option in TINY if option in ("--device", "cpu")]
    tuned = run(
        "train", *SOURCES, "--from", "old", "--epochs", "1", "--learning-rate", "1e-12", *still, "--output", "new"
    )
    assert tuned.code == 0, tuned.err
    # It starts where the old one stopped: with a rate of nothing it still knows everything.
    assert tuned.err.endswith("nertag: new: epoch 1 is the best, validation F1 1.0000\n")
    words = [(tmp_path / name / "vocabulary.safetensors").read_bytes() for name in ("old", "new")]
    assert words[0] == words[1]
    configs = [
        json.loads((tmp_path / name / "config.json").read_text(encoding="utf-8"))["model"] for name in ("old", "new")
    ]
    assert configs[0] == configs[1]
    assert "weights and words from `old`" in (tmp_path / "new" / "README.md").read_text(encoding="utf-8")

    refused = run("train", *SOURCES, "--from", "old", "--hidden-size", "9", "--output", "other")
    assert refused.err == "nertag: error: model 'old' has hidden_size 8, which cannot become 9\n"
    refused = run("train", *SOURCES, "--from", "old", "--vectors", "v.txt", "--output", "other")
    assert refused.err == (
        "nertag: error: model 'old' keeps its own word vectors: --from and --vectors exclude each other\n"
    )
    again = run("train", "--recipe", "new/recipe.toml", "--output", "again")
    assert again.code == 0, again.err
    assert (tmp_path / "again" / "weights.safetensors").read_bytes() == (
        tmp_path / "new" / "weights.safetensors"
    ).read_bytes()


def test_weights_of_another_network_are_refused(run: Run, tmp_path: Path) -> None:
    for name, size in (("a", "8"), ("b", "6")):
        assert run("train", *SOURCES, *TINY, "--hidden-size", size, "--epochs", "1", "--output", name).code == 0
    (tmp_path / "a" / "weights.safetensors").write_bytes((tmp_path / "b" / "weights.safetensors").read_bytes())
    refused = run("train", *SOURCES, "--from", "a", "--device", "cpu", "--output", "c")
    assert refused.code == 1
    assert "nertag: error: a/weights.safetensors: its weights do not fit its config.json: " in refused.err


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["train.jsonl"],
            "there is nothing to choose the best epoch on\n  hint: Name corpora with --validation SOURCE.",
        ),
        (
            ["--validation", "dev.jsonl"],
            "there is nothing to train on\n  hint: Name at least one SOURCE: a file, a folder or a Hub id.",
        ),
        (
            [*SOURCES, "--embedding", "one-hot", "--vectors", "v.txt"],
            "--vectors goes with embedding 'pretrained', not 'one-hot'",
        ),
        ([*SOURCES, "--hidden-size", "0"], "settings: model: hidden_size must be at least 1, not 0"),
        (
            [*SOURCES, "--labels", "PER,,ORG"],
            "settings: model: labels must be one or more different words, not ['PER', '', 'ORG']",
        ),
        (
            [*SOURCES, "--labels", "PER,ORG", "--output-layer", "binary"],
            "settings: model: output 'binary' knows one label, but there are 2: PER, ORG\n  hint: Use output 'iob2'.",
        ),
        (["absent.jsonl", *SOURCES[1:], "--embedding", "learned"], "absent.jsonl: no such file or folder"),
        (
            ["train.jsonl", "--validation", "absent.jsonl", "--embedding", "learned"],
            "absent.jsonl: no such file or folder",
        ),
        (
            [*SOURCES, "--embedding", "pretrained", "--vectors", "absent.txt"],
            "absent.txt: there is no such file of word vectors",
        ),
        ([*SOURCES, "--embedding", "learned", "--names", "n.tsv"], "names are read from 'n.tsv', but none are swapped"),
        (
            [*SOURCES, "--embedding", "learned", "--names", "n.tsv", "--swap-share", "0.5"],
            "n.tsv: it cannot be read: ",
        ),
        ([*SOURCES, "--resume"], "m.checkpoint.safetensors: there is nothing to resume: no epoch was finished"),
        ([*SOURCES, "--from", "nobody"], "there is no model 'nobody'\n  hint: Shipped: "),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    run: Run, tmp_path: Path, arguments: list[str], message: str
) -> None:
    refused = run("train", *arguments, "--device", "cpu", "--output", "m")
    assert (refused.code, refused.out) == (1, "")
    assert f"nertag: error: {message}" in refused.err
    assert names_in(tmp_path) == ["dev.jsonl", "train.jsonl"]


@pytest.mark.parametrize(
    ("empty", "purpose"), [("train.jsonl", "learn from"), ("dev.jsonl", "choose the best epoch by")]
)
def test_corpora_without_a_mention(run: Run, tmp_path: Path, empty: str, purpose: str) -> None:
    write_jsonl(tmp_path / empty, ["Nobody waved ."])
    refused = run("train", *SOURCES, *TINY, "--output", "m")
    assert refused.code == 1
    assert refused.err.endswith(f"nertag: error: {empty}: there is not one mention of PER to {purpose}\n")
    assert names_in(tmp_path) == ["dev.jsonl", "train.jsonl"]


def test_a_misspelt_key_of_a_recipe(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("[training]\nepoch = 3\n", encoding="utf-8")
    refused = run("train", *SOURCES, "--recipe", "r.toml", "--output", "m")
    assert refused.code == 1
    assert refused.err.startswith(
        "nertag: error: r.toml: training: unknown key 'epoch'\n  hint: Known keys: epochs, patience, batch_tokens, "
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--hiden-size", "3", "--output", "m"],
        ["train", "--cell", "LSTM", "--output", "m"],
        ["train", "train.jsonl"],
        ["train", "--epochs", "many", "--output", "m"],
        ["train", "--recipe", "absent.toml", "--output", "m"],
    ],
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    refused = run(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert "Usage: nertag train" in refused.err


def test_a_model_is_not_replaced_without_force(run: Run, tmp_path: Path) -> None:
    assert run("train", *SOURCES, *TINY, "--epochs", "1", "--output", "m").code == 0
    before = contents(tmp_path / "m")
    refused = run("train", *SOURCES, *TINY, "--epochs", "2", "--output", "m")
    assert refused == (1, "", "nertag: error: m: there is a model already\n  hint: Use --force to replace it.\n")
    assert contents(tmp_path / "m") == before
    assert run("train", *SOURCES, *TINY, "--epochs", "2", "--output", "m", "--force").code == 0
    assert contents(tmp_path / "m") != before


def test_what_is_no_model_is_not_replaced_even_with_force(run: Run, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "diary.txt").write_text("dear", encoding="utf-8")
    refused = run("train", *SOURCES, *TINY, "--output", "papers", "--force")
    assert refused.err == (
        "nertag: error: papers: it exists and is no model folder\n  hint: Choose another --output.\n"
    )
    assert names_in(tmp_path / "papers") == ["diary.txt"]


def test_a_missing_extra_is_named_with_the_command_that_installs_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import util

    find = util.find_spec
    monkeypatch.setattr(
        "nertag.commands.extras.find_spec", lambda name: None if name in ("torch", "onnx") else find(name)
    )
    refused = run("train", *SOURCES, "--output", "m")
    assert refused == (1, "", "nertag: error: nertag train needs onnx, torch: run pip install 'nertag[train]'\n")


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_no_process_is_forked_that_has_found_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nertag.workers.count_cores", lambda: 4)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert (_processes_for("cpu"), _processes_for("mps")) == (4, 1)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert (_processes_for("cpu"), _processes_for("cuda")) == (1, 1)


def test_a_device_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    refused = run("train", *SOURCES, *TINY, "--device", "cuda", "--output", "m")
    assert refused.code == 1
    assert refused.err.endswith("nertag: error: there is no device 'cuda' here\n  hint: Use --device auto.\n")


# --- Manners ----------------------------------------------------------------------------------------------------------


def test_quiet_says_nothing(run: Run) -> None:
    assert run("train", *SOURCES, *TINY, "--epochs", "2", "--quiet", "--output", "m") == (0, "", "")


def test_quiet_leaves_errors(run: Run) -> None:
    refused = run("train", "train.jsonl", "--quiet", "--output", "m")
    assert refused.code == 1 and refused.err.startswith("nertag: error: there is nothing to choose the best epoch on")


def test_early_stopping_is_announced(run: Run) -> None:
    trained = run("train", *SOURCES, *TINY, "--patience", "2", "--output", "m")
    assert "nertag: no better epoch in 2: stopping early\n" in trained.err
    assert "epoch 25/25" not in trained.err


def test_the_best_epoch_is_written_and_not_the_last(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.numpy import load_file

    from nertag.training import Trainer

    biases: list[list[float]] = []

    def scripted(self: Trainer) -> tuple[float, float, float]:
        biases.append(self._average[-1].tolist())
        return 0.5, 0.5, (0.1, 0.9, 0.2)[len(biases) - 1]

    monkeypatch.setattr(Trainer, "_validate", scripted)
    trained = run("train", *SOURCES, *TINY, "--epochs", "3", "--output", "m")
    assert trained.err.endswith("nertag: m: epoch 2 is the best, validation F1 0.9000\n")
    assert load_file(tmp_path / "m" / "weights.safetensors")["output.bias"].tolist() == biases[1] != biases[2]
    assert "- best epoch 2 of at most 3; seed 1" in (tmp_path / "m" / "README.md").read_text(encoding="utf-8")


def test_help_has_an_option_for_every_setting(run: Run) -> None:
    from dataclasses import fields

    from nertag.config import ModelConfig, Recipe, TrainingConfig

    shown = run("train", "--help").out
    own = {"output": "output-layer", "from_model": "from", "person_labels": "person-label"}
    left_out = {"sources", "model", "training"}
    for cls in (ModelConfig, TrainingConfig, Recipe):
        for each in fields(cls):
            if each.name not in left_out:
                assert f"--{own.get(each.name, each.name).replace('_', '-')} " in shown, each.name
    assert "nertag train train.conll --validation dev.conll --output models/mine" in shown


def test_help_tells_the_defaults(run: Run) -> None:
    shown = " ".join(run("train", "--help").out.split())
    assert "--learning-rate <float> Adam's, at its highest. [default: 0.002]" in shown
    assert "Several with commas. [default: PER]" in shown
    assert "is part of the input. [default: yes] --shape-size" in shown
    assert "Corpora to choose the best epoch on. --soft-labels" in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--hidden-size", "1000000000"],
            "to train 8,000,000,000,000,000,000 recurrent weights takes 160,000,000,000 GB",
        ),
        (["--layers", "1000000000"], "to train "),
        (["--embedding-size", "2000000000000"], "settings: model: embedding_size must be at most 2147483647"),
    ],
)
def test_a_network_larger_than_the_machine(run: Run, options: list[str], message: str) -> None:
    code, out, err = run("train", *SOURCES, *TINY, *options, "--output", "m")
    assert (code, out) == (1, "")
    assert f"nertag: error: {message}" in err
    assert "Traceback" not in err
    assert names_in(Path()) == ["dev.jsonl", "train.jsonl"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "there is not enough memory\n"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory\nframe #0"),
            "DefaultCPUAllocator: can't allocate memory\n",
        ),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried"),
            "there is not enough memory: CUDA out of memory. Tried\n",
        ),
    ],
)
def test_memory_that_runs_out_in_training(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("nertag.training.Trainer.epochs", fail)
    code, _, err = run("train", *SOURCES, *TINY, "--output", "m")
    assert code == 1
    assert f"{words}  hint: Choose a smaller --hidden-size, fewer --layers or fewer --batch-tokens.\n" in err


def test_other_faults_of_torch_are_bugs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr("nertag.training.Trainer.epochs", fail)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        run("train", *SOURCES, *TINY, "--output", "m")


def test_mistakes_are_found_before_torch_is_loaded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checked in a fresh interpreter, because this one has torch already."""
    import subprocess

    program = (
        "import sys; from nertag.cli import main; "
        "code = main('train absent.jsonl --validation dev.jsonl --embedding learned --output m'.split()); "
        "assert code == 1; assert 'torch' not in sys.modules and 'datasets' not in sys.modules"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": root, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "absent.jsonl: no such file or folder" in done.stderr
