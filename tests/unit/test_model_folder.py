from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from nertag import model_folder
from nertag.config import ModelConfig, to_mapping
from nertag.errors import MissingExtraError, ModelError
from nertag.features import Vocabulary
from nertag.model_folder import (
    CONFIG,
    GRAPH,
    NEEDED,
    WEIGHTS,
    FolderConfig,
    WordTable,
    check_target,
    config_json,
    find,
    new_folder,
    read_config,
    read_vocabulary,
    shipped_names,
)
from nertag.network import FrozenEmbedding
from tests.tiny import tiny_config, tiny_network, trained_folder, write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder of one's own to damage."""
    return shutil.copytree(trained_folder(), tmp_path / "model")


def refuses(path: Path, message: str) -> Any:
    return pytest.raises(ModelError, match=f"^{re.escape(f'{path}: {message}')}$")


# --- Configuration and vocabulary -------------------------------------------------------------------------------------


def test_the_configuration_comes_back_as_it_was(tmp_path: Path) -> None:
    model = ModelConfig(labels=("PER", "ORG"), cell="gru", hidden_size=64, shapes=False)
    config = FolderConfig(model, 50, 1.0905077326652577, "0.1.0")
    (tmp_path / CONFIG).write_text(config_json(config), encoding="utf-8")
    assert read_config(tmp_path) == config


def change(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """Return what sets keys of `config.json`."""
    return lambda values: values.update(changes)


def without(*keys: str) -> Callable[[dict[str, Any]], None]:
    """Return what takes a key out, at the end of a path of keys."""

    def remove(values: dict[str, Any]) -> None:
        for key in keys[:-1]:
            values = values[key]
        del values[keys[-1]]

    return remove


NEWER = "Upgrade nertag, or train the model again."
KNOWN = ", ".join(to_mapping(ModelConfig()))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change(format=1), f"its format is 1, but this nertag reads format 2\n  hint: {NEWER}"),
        (without("format"), f"its format is None, but this nertag reads format 2\n  hint: {NEWER}"),
        (
            change(colour="red"),
            "the folder: unknown key 'colour'\n  hint: Known keys: embedding_size, temperature, nertag.",
        ),
        (without("temperature"), "the folder: missing key 'temperature'"),
        (without("model"), "model must be a table of settings, not None"),
        (without("model", "cell"), "model: missing key 'cell'"),
        (lambda values: values["model"].update(cel="gru"), f"model: unknown key 'cel'\n  hint: Known keys: {KNOWN}."),
        (lambda values: values["model"].update(hidden_size=0), "model: hidden_size must be at least 1, not 0"),
        (change(temperature="warm"), "the folder: temperature must be float, not 'warm'"),
        (change(temperature=0), "the folder: embedding_size must be at least 1 and temperature from 0.001 to 1000"),
        (
            change(temperature=float("nan")),
            "the folder: embedding_size must be at least 1 and temperature from 0.001 to 1000",
        ),
        (
            change(temperature=1e-300),
            "the folder: embedding_size must be at least 1 and temperature from 0.001 to 1000",
        ),
        (change(embedding_size=0), "the folder: embedding_size must be at least 1 and temperature from 0.001 to 1000"),
    ],
)
def test_a_configuration_that_makes_no_sense(
    folder: Path, damage: Callable[[dict[str, Any]], None], message: str
) -> None:
    path = folder / CONFIG
    values = json.loads(path.read_text(encoding="utf-8"))
    damage(values)
    path.write_text(json.dumps(values), encoding="utf-8")
    with refuses(path, message):
        read_config(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it cannot be read: Expecting value: line 1 column 1 (char 0)"),
        (
            b'{"format": 1,',
            "it cannot be read: Expecting property name enclosed in double quotes: line 1 column 14 (char 13)",
        ),
        (b'{"\xff": 1}', "it cannot be read: 'utf-8' codec can't decode byte 0xff in position 2: invalid start byte"),
        (b"[]", "it must hold a JSON object, not list"),
        (b"null", "it must hold a JSON object, not NoneType"),
    ],
)
def test_json_that_is_damaged(folder: Path, content: bytes, message: str) -> None:
    (folder / CONFIG).write_bytes(content)
    with pytest.raises(ModelError, match=f"^{re.escape(str(folder / CONFIG))}: {re.escape(message)}$"):
        read_config(folder)


def test_json_that_is_nested_too_deeply(folder: Path) -> None:
    (folder / CONFIG).write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(ModelError, match=f"^{re.escape(str(folder / CONFIG))}: it cannot be read: "):
        read_config(folder)


# --- Weights ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"embedding": "pretrained"}, {"embedding": "learned"}, {"embedding": "one-hot"}])
def test_word_vectors_are_those_of_the_network(tmp_path: Path, changes: dict[str, Any]) -> None:
    vocabulary = Vocabulary([f"word{number}" for number in range(30)], "word0123456789")
    network = tiny_network(tiny_config(**changes), vocabulary)
    table = WordTable(write_folder(tmp_path, network, vocabulary), vocabulary.size, network.word_size)
    ids = np.array([1, 5, 31, 5, 0])
    found = table.vectors(ids)
    assert found.dtype == np.float32
    assert np.array_equal(found, network.words(torch.from_numpy(ids)).detach().numpy())
    assert isinstance(network.words, FrozenEmbedding) is (changes["embedding"] == "pretrained")


def test_word_vectors_of_another_vocabulary_or_size(folder: Path) -> None:
    rows = read_vocabulary(folder).size
    for wanted in ((rows + 1, 8), (rows, 9)):
        with refuses(folder / WEIGHTS, f"its word vectors have the shape {(rows, 8)}, not {wanted}"):
            WordTable(folder, *wanted)


def test_weights_without_word_vectors(folder: Path) -> None:
    save_file({"output.bias": torch.zeros(3)}, folder / WEIGHTS)
    with refuses(folder / WEIGHTS, "it holds no word vectors"):
        WordTable(folder, 3, 8)


# --- Finding ----------------------------------------------------------------------------------------------------------


def test_a_folder_is_found_by_its_path(folder: Path) -> None:
    assert find(folder) == find(str(folder)) == folder


@pytest.mark.parametrize("name", NEEDED)
def test_a_folder_with_a_file_missing(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with refuses(folder, f"this is no model folder: {name} is missing"):
        find(folder)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shelf with the one shipped model `tiny`."""
    place = tmp_path / "shelf"
    shutil.copytree(trained_folder(), place / "tiny")
    monkeypatch.setattr(model_folder, "_shelves", lambda: [tmp_path / "nowhere", place])
    return place


def test_a_folder_does_not_take_a_shipped_model_s_place(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "tiny").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert find("tiny") == shelf / "tiny"
    with pytest.raises(ModelError, match="this is no model folder: config.json is missing"):
        find("./tiny")


def test_a_shipped_model_is_found_by_its_name(shelf: Path) -> None:
    assert shipped_names() == ["tiny"]
    assert find("tiny") == shelf / "tiny"


@pytest.mark.parametrize("name", ["", "tinny", "../shelf/tiny", "./tiny", "/tiny", "a/b/c", "~/tiny"])
def test_a_name_that_nothing_has(shelf: Path, name: str) -> None:
    message = (
        f"there is no model {name!r}\n  hint: Shipped: tiny. Or give a model folder, or a Hub id such as org/name."
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        find(name)


def test_a_file_is_no_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(ModelError, match=f"^there is no model '{GRAPH}'"):
        find(GRAPH)


@pytest.mark.parametrize(
    ("name", "repository", "revision"), [("org/name", "org/name", None), ("org/name@v2", "org/name", "v2")]
)
def test_a_hub_id_is_downloaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, repository: str, revision: str | None
) -> None:
    asked: list[tuple[str, str | None]] = []

    def download(repo_id: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((repo_id, revision))
        assert set(NEEDED) < set(allow_patterns)
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert find(name) == folder
    assert asked == [(repository, revision)]


def test_a_hub_id_that_is_malformed() -> None:
    with pytest.raises(ModelError, match=r"^the Hub did not give model 'my models/x': .+'my models/x'"):
        find("my models/x")


def test_a_hub_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import LocalEntryNotFoundError

    def fail(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("no connection\nand much more")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(ModelError, match=r"^the Hub did not give model 'org/name': no connection$"):
        find("org/name")


def test_a_hub_id_without_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    message = "there is no folder 'org/name', and to fetch it from the Hub huggingface_hub is needed: "
    with pytest.raises(MissingExtraError, match=f"^{re.escape(message)}pip install 'nertag\\[train\\]'$"):
        find("org/name")


# --- Writing ----------------------------------------------------------------------------------------------------------


def names_in(place: Path) -> list[str]:
    """Return everything in a folder, by name."""
    return sorted(entry.name for entry in place.iterdir())


@pytest.mark.parametrize("target", ["new", "deep/er/new"])
def test_a_new_folder_appears_whole(tmp_path: Path, target: str) -> None:
    place = tmp_path / target
    with new_folder(place, replace=False) as work:
        (work / CONFIG).write_text("{}", encoding="utf-8")
        assert not place.exists()
        assert work.parent == place.parent
    assert names_in(place) == [CONFIG]
    assert names_in(place.parent) == ["new"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_folder_that_fails_halfway_does_not_appear(tmp_path: Path, failure: type[BaseException]) -> None:
    with pytest.raises(failure, match="halfway"), new_folder(tmp_path / "new", replace=False) as work:
        (work / CONFIG).write_text("{}", encoding="utf-8")
        raise failure("halfway")
    assert names_in(tmp_path) == []


def test_an_old_model_stays_if_the_new_one_fails(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(RuntimeError, match="halfway"), new_folder(folder, replace=True) as work:
        (work / CONFIG).write_text("{}", encoding="utf-8")
        raise RuntimeError("halfway")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert names_in(folder.parent) == [folder.name]


def test_an_old_model_comes_back_if_the_new_one_cannot_be_put_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = names_in(folder)
    move = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if ".new-" in self.name:
            raise OSError("no")
        return move(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="^no$"), new_folder(folder, replace=True):
        pass
    assert names_in(folder) == before
    assert names_in(folder.parent) == [folder.name]


def test_an_old_model_is_replaced_if_it_may_be(folder: Path) -> None:
    with new_folder(folder, replace=True) as work:
        (work / "other").write_text("x", encoding="utf-8")
    assert names_in(folder) == ["other"]
    assert names_in(folder.parent) == [folder.name]


def test_what_a_killed_run_left_is_no_hindrance(tmp_path: Path) -> None:
    with new_folder(tmp_path / "new", replace=False) as work:
        leftover = work
    leftover.mkdir()
    (leftover / "rubbish").write_text("x", encoding="utf-8")
    with new_folder(tmp_path / "new", replace=True) as work:
        assert names_in(work) == []
    assert names_in(tmp_path) == ["new"]


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with new_folder(tmp_path / "empty", replace=False) as work:
        (work / CONFIG).write_text("{}", encoding="utf-8")
    assert names_in(tmp_path / "empty") == [CONFIG]


def test_a_model_is_not_replaced_without_leave(folder: Path) -> None:
    with refuses(folder, "there is a model already\n  hint: Use --force to replace it."):
        check_target(folder, replace=False)
    check_target(folder, replace=True)


@pytest.mark.parametrize("replace", [False, True])
def test_what_is_no_model_is_never_replaced(tmp_path: Path, replace: bool) -> None:
    diary = tmp_path / "papers" / "diary.txt"
    diary.parent.mkdir()
    diary.write_text("dear", encoding="utf-8")
    for target in (diary, diary.parent):
        with refuses(target, "it exists and is no model folder\n  hint: Choose another --output."):
            check_target(target, replace=replace)


def test_a_target_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    target = tmp_path / "file" / "deep" / "model"
    with refuses(target, f"it cannot be made: {str(tmp_path / 'file')!r} is no folder to write to"):
        check_target(target, replace=False)


@pytest.mark.parametrize("target", [".", "..", "/"])
def test_a_target_without_a_name(target: str) -> None:
    with refuses(Path(target), "it has no name of its own\n  hint: Choose another --output."):
        check_target(Path(target), replace=True)
