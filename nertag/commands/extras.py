"""What commands of the training wing check before they import anything heavy."""

from __future__ import annotations

from importlib.util import find_spec

from nertag.errors import MissingExtraError

_PACKAGES = {
    "evaluate": ("datasets", "huggingface_hub", "seqeval"),
    "train": ("datasets", "huggingface_hub", "matplotlib", "onnx", "safetensors", "seqeval", "tomli_w", "torch"),
}


def require_train_extra(command: str) -> None:
    """Check that the packages of the extra `train` that a command needs are installed, without importing them.

    Args:
        command: `train` or `evaluate`.

    Raises:
        MissingExtraError: If one is missing.
    """
    missing = [package for package in _PACKAGES[command] if find_spec(package) is None]
    if missing:
        raise MissingExtraError(f"nertag {command} needs {', '.join(missing)}: run pip install 'nertag[train]'")
