from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nertag.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from nertag.errors import ConfigError, TrainingError


def checkpoint(epoch: int = 3) -> Checkpoint:
    """Make a checkpoint whose numbers do not survive rounding."""
    tensors = {"weight.0": torch.randn(3, 4), "step.0": torch.tensor(17.0), "odd": torch.tensor([1e-45, -0.0])}
    history = [{"epoch": 1, "f1": 0.1 + 0.2, "is_best": True}]
    progress = {"epoch": epoch, "step": 34, "best_f1": 1 / 3, "stale": 0}
    return Checkpoint({"sources": ["a"], "training": {"seed": 1}}, "digest", progress, history, tensors)


def names_in(place: Path) -> list[str]:
    """Return everything in a folder, by name."""
    return sorted(entry.name for entry in place.iterdir())


def test_a_checkpoint_comes_back_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "model.checkpoint.safetensors"
    written = checkpoint()
    write_checkpoint(path, written)
    found = read_checkpoint(path)
    assert (found.recipe, found.data, found.progress, found.history) == (
        written.recipe,
        written.data,
        written.progress,
        written.history,
    )
    assert set(found.tensors) == set(written.tensors)
    for name, tensor in written.tensors.items():
        assert found.tensors[name].numpy().tobytes() == tensor.numpy().tobytes()
    assert names_in(tmp_path) == [path.name]


def test_the_one_before_stays_until_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.checkpoint.safetensors"
    write_checkpoint(path, checkpoint(1))

    def fail(self: Path, target: Path) -> Path:
        assert read_checkpoint(self).progress["epoch"] == 2
        assert read_checkpoint(target).progress["epoch"] == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(path, checkpoint(2))
    assert read_checkpoint(path).progress["epoch"] == 1
    assert names_in(tmp_path) == [path.name]


def test_there_may_be_none(tmp_path: Path) -> None:
    path = tmp_path / "absent"
    message = f"{path}: there is nothing to resume: no epoch was finished"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"12345678", b"not a checkpoint at all"])
def test_a_file_that_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))}: it is no checkpoint of nertag: "):
        read_checkpoint(path)


NUMBERS = {"recipe": {}, "data": "x", "progress": {"epoch": 1}, "history": [{"epoch": 1}]}


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"nertag": "{}"},
        {"nertag": "{"},
        {"nertag": "[]"},
        {"other": "1"},
        *({"nertag": json.dumps({**NUMBERS, name: value})} for name, value in [("recipe", "x"), ("history", [])]),
    ],
)
def test_tensors_of_somebody_else(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "x"
    save_file({"weight": torch.zeros(2)}, path, metadata=metadata)
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))}: it is no checkpoint of nertag: "):
        read_checkpoint(path)


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "x"
    with pytest.raises(TrainingError, match=f"^{re.escape(str(path))}: it cannot be written: "):
        write_checkpoint(path, checkpoint())
