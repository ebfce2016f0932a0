"""A training run at the end of an epoch, to one file and back.

Everything is in one safetensors file, numbers and recipe as its metadata, so that replacing it is one step: an
interrupted run leaves the checkpoint of the last finished epoch, whole. Nothing in it is a pickle.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nertag.errors import ConfigError, TrainingError

_KEY = "nertag"
_NUMBERS = ("recipe", "data", "progress", "history")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a run needs to go on.

    Attributes:
        recipe: The recipe, as a mapping.
        data: A digest of the corpora and the word vectors.
        progress: `Trainer.progress()`.
        history: The lines of `training.jsonl` so far.
        tensors: `Trainer.state()`.
    """

    recipe: Mapping[str, Any]
    data: str
    progress: Mapping[str, float]
    history: Sequence[Mapping[str, Any]]
    tensors: Mapping[str, Tensor]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the one before it stays until the new one is whole.

    Raises:
        TrainingError: If it cannot be written, as on a full disk.
    """
    numbers = {name: getattr(checkpoint, name) for name in _NUMBERS}
    work = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file(dict(checkpoint.tensors), work, metadata={_KEY: json.dumps(numbers)})
        work.replace(path)
    except (SafetensorError, OSError) as error:
        raise TrainingError(f"it cannot be written: {error}", path=path) from None
    finally:
        work.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Returns:
        What `write_checkpoint` wrote.

    Raises:
        ConfigError: If there is none, or the file is none of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            numbers = json.loads((file.metadata() or {})[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
        return Checkpoint(**_checked(numbers), tensors=tensors)
    except FileNotFoundError:
        raise ConfigError("there is nothing to resume: no epoch was finished", path=path) from None
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise ConfigError(f"it is no checkpoint of nertag: {error}", path=path) from None


def _checked(numbers: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the JSON holds
    """Check what a checkpoint says beside its tensors.

    Returns:
        The fields by name.

    Raises:
        KeyError: If one is missing.
        TypeError: If there are no names.
        ValueError: If one is of another kind.
    """
    values = {name: numbers[name] for name in _NUMBERS}
    if [type(value) for value in values.values()] != [dict, str, dict, list] or not values["history"]:
        raise ValueError("its numbers are damaged")
    return values
