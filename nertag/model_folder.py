"""What lies in a model folder: write, read, check, find by name.

| file | holds |
| --- | --- |
| `config.json` | format version, the network's shape, the temperature of its probabilities |
| `vocabulary.safetensors` | known words and characters, to be looked up where they lie |
| `weights.safetensors` | every tensor of the torch network, the word vectors among them |
| `model.onnx` | the graph that tagging runs, from the vectors of forms (see `nertag.encoder`) to logits |
| `README.md` | the model card |
| `recipe.toml`, `training.jsonl`, `training.png` | how it was trained, one line per epoch, the curves |

The word vectors are the bulk of a model and are stored once: tagging maps `weights.safetensors` into memory and reads
the rows of the words that occur, so that neither start-up time nor memory depends on how many words a model knows.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nertag.agreement import FEATURES, Agreement
from nertag.config import ModelConfig, from_mapping, to_mapping
from nertag.errors import ConfigError, MissingExtraError, ModelError
from nertag.features import PADDING, Vocabulary
from nertag.vocabulary import VocabularyTable, map_tensors

FORMAT = 2
"""Raised when a folder's files change their meaning; a folder of a later format is refused."""

CONFIG = "config.json"
VOCABULARY = "vocabulary.safetensors"
WEIGHTS = "weights.safetensors"
GRAPH = "model.onnx"
CARD = "README.md"
RECIPE = "recipe.toml"
HISTORY = "training.jsonl"
CURVES = "training.png"
NEEDED = (CONFIG, VOCABULARY, WEIGHTS, GRAPH)

DEFAULT = "en-person"

_LARGEST_CONFIG = 1 << 20


@dataclass(frozen=True, slots=True)
class FolderConfig:
    """The content of `config.json`.

    Attributes:
        model: The network's shape.
        embedding_size: Columns of the word table.
        temperature: What logits are divided by before they become probabilities.
        nertag: The version that wrote the folder.
    """

    model: ModelConfig
    embedding_size: int
    temperature: float
    nertag: str


def find(model: str | os.PathLike[str]) -> Path:
    """Find a model folder.

    Args:
        model: The name of a shipped model, a folder, or a repository on the Hugging Face Hub (`org/name`, `@revision`),
            in this order: a folder that bears a shipped model's name is `./en-person`.

    Returns:
        A folder with every file that tagging needs.

    Raises:
        ModelError: If there is none of that name, or files are missing in it or lie elsewhere.
    """
    folder, name = Path(model), os.fspath(model)
    shipped = [place / name for place in _shelves() if name in shipped_names() and (place / name / CONFIG).is_file()]
    if shipped:
        folder = shipped[0]
    elif not name or not folder.is_dir():  # An empty path would be the current folder.
        if _looks_like_repository(name):
            folder = _download(name)
        else:
            shipped_with_us = ", ".join(shipped_names()) or "none"
            raise ModelError(
                f"there is no model {name!r}",
                hint=f"Shipped: {shipped_with_us}. Or give a model folder, or a Hub id such as org/name.",
            )
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"this is no model folder: {missing[0]} is missing", path=folder)
    if not shipped:
        _check_links(folder)
    return folder


def _check_links(folder: Path) -> None:
    """Refuse a folder that links to files elsewhere: whoever made it could have any file read.

    The Hub's cache links from `snapshots/<commit>` to `blobs`, and may. So may the shipped models, as the installer put
    them there.

    Raises:
        ModelError: If a file is such a link.
    """
    home = folder.resolve()
    blobs = home.parent.parent / "blobs" if home.parent.name == "snapshots" else home
    for name in (*NEEDED, CARD):
        try:
            place = (home / name).resolve()
        except (OSError, RuntimeError) as error:  # A loop of links, until Python 3.12.
            raise ModelError(f"its {name} cannot be read: {error}", path=folder) from None
        if place.parent not in (home, blobs):
            raise ModelError(f"its {name} is a link out of the folder", path=folder, hint="Put the file itself there.")


def _shelves() -> list[Path]:
    """Return where shipped models lie: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    return [package / "models", package.parent / "models"]


def shipped_names() -> list[str]:
    """Return the names of the shipped models, sorted."""
    return sorted({config.parent.name for shelf in _shelves() for config in shelf.glob(f"*/{CONFIG}")})


def _looks_like_repository(name: str) -> bool:
    """Whether a name has the form `org/name` or `org/name@revision` and is not meant as a path."""
    organisation, slash, rest = name.partition("/")
    return bool(slash) and "/" not in rest.partition("@")[0] and bool(rest) and organisation not in ("", ".", "..", "~")


def _download(name: str) -> Path:
    """Fetch a model folder from the Hub, or find it in the Hub's cache.

    Returns:
        The folder in the Hub's cache.

    Raises:
        MissingExtraError: If huggingface_hub is not installed.
        ModelError: If the Hub does not give it.
    """
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError
    except ImportError:
        raise MissingExtraError(
            f"there is no folder {name!r}, and to fetch it from the Hub huggingface_hub is needed: "
            "pip install 'nertag[train]'"
        ) from None
    repository, _, revision = name.partition("@")
    try:
        return Path(snapshot_download(repository, revision=revision or None, allow_patterns=[*NEEDED, CARD, RECIPE]))
    except RepositoryNotFoundError:
        raise ModelError(
            f"there is neither a folder nor a Hub repository {name!r}", hint="A private one needs HF_TOKEN."
        ) from None
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        first_line = str(error).strip().partition("\n")[0]
        raise ModelError(f"the Hub did not give model {name!r}: {first_line}") from None


def digest(folder: Path) -> str:
    """Return a digest of everything that decides how a model tags.

    Raises:
        ModelError: If a file cannot be read.
    """
    import hashlib  # Takes as long to load as a small model.

    total = hashlib.sha256()
    for name in NEEDED:
        try:
            with (folder / name).open("rb") as file:
                while piece := file.read(1 << 20):
                    total.update(piece)
        except OSError as error:
            raise ModelError(f"it cannot be read: {error.strerror}", path=folder / name) from None
        total.update(b"\0")
    return total.hexdigest()


def read_config(folder: Path) -> FolderConfig:
    """Read and check `config.json`.

    Returns:
        Its content.

    Raises:
        ModelError: If it is damaged, of a later format, or describes no network.
    """
    path = folder / CONFIG
    values = _read_json(path, _LARGEST_CONFIG)
    version = values.pop("format", None)
    if version != FORMAT:
        raise ModelError(
            f"its format is {version!r}, but this nertag reads format {FORMAT}",
            path=path,
            hint="Upgrade nertag, or train the model again.",
        )
    try:
        model = from_mapping(ModelConfig, values.pop("model", None), where="model", complete=True)
        rest = from_mapping(_Rest, values, where="the folder", complete=True)
    except ConfigError as error:
        raise ModelError(error.message, hint=error.hint, path=path) from None
    return FolderConfig(model, rest.embedding_size, rest.temperature, rest.nertag)


@dataclass(frozen=True, slots=True)
class _Rest:
    """`config.json` without the network's shape."""

    embedding_size: int
    temperature: float
    nertag: str

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ConfigError: If a number is out of range.
        """
        if self.embedding_size < 1 or not 0.001 <= self.temperature <= 1000:
            raise ConfigError("embedding_size must be at least 1 and temperature from 0.001 to 1000")


def read_text(path: Path, limit: int) -> str:
    """Read a text file of a model folder.

    Args:
        path: The file.
        limit: How many bytes it may have; a larger one is not read.

    Returns:
        Its content.

    Raises:
        ModelError: If it cannot be read, is too large or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > limit:
                raise ModelError(f"it is larger than {limit:,} bytes", path=path)
            return file.read().decode("utf-8")
    except (OSError, ValueError) as error:
        raise ModelError(f"it cannot be read: {error}", path=path) from None


def _read_json(path: Path, limit: int) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Returns:
        The object.

    Raises:
        ModelError: If it is damaged or holds something else.
    """
    try:
        value = json.loads(read_text(path, limit))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"it cannot be read: {error}", path=path) from None
    if not isinstance(value, dict):
        raise ModelError(f"it must hold a JSON object, not {type(value).__name__}", path=path)
    return value


def read_vocabulary(folder: Path, parts: bool = False) -> Vocabulary:
    """Read `vocabulary.safetensors` as a whole, as training needs it.

    Args:
        folder: The model folder.
        parts: Whether a form that is unknown is looked up by its parts.

    Returns:
        Its words and characters.

    Raises:
        ModelError: If it is damaged.
    """
    path = folder / VOCABULARY
    table = VocabularyTable(path)
    try:
        return Vocabulary(table.words(), table.characters, parts)
    except ValueError as error:
        raise ModelError(str(error), path=path) from None


class WordTable:
    """The word vectors of a model folder, mapped into memory.

    Args:
        folder: The model folder.
        rows: Rows that its vocabulary needs.
        size: Dimensions that its configuration states.

    Raises:
        ModelError: If the file is damaged or its table has another shape.
    """

    def __init__(self, folder: Path, rows: int, size: int) -> None:
        path = folder / WEIGHTS
        tensors = map_tensors(path)
        self._scale = tensors.get("words.scale")
        table = tensors.get("words.weight" if self._scale is None else "words.table")
        if table is None:
            raise ModelError("it holds no word vectors", path=path)
        if table.shape != (rows, size) or (self._scale is not None and self._scale.shape != (rows,)):
            raise ModelError(f"its word vectors have the shape {table.shape}, not {(rows, size)}", path=path)
        self._table = table
        self.size = size

    def vectors(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the vectors of word ids, (forms,), as float32, (forms, size)."""
        vectors: npt.NDArray[np.float32] = self._table[ids].astype(np.float32)
        if self._scale is not None:
            vectors *= self._scale[ids][:, None]
        return vectors

    def means(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the mean vector of the words of every form, int64, (forms, words), 0 being none: (forms, size)."""
        vectors = self.vectors(ids[:, 0])
        several = np.flatnonzero(ids[:, 1:].any(axis=1))
        if len(several):
            parts = self.vectors(ids[several].ravel()).reshape(len(several), -1, self.size)
            there = (ids[several] != PADDING)[:, :, None]
            vectors[several] = (parts * there).sum(axis=1) / there.sum(axis=1)
        return vectors


def read_agreement(folder: Path, model: ModelConfig) -> Agreement | None:
    """Read the second look's weights.

    Returns:
        The second look, or None if the model has none.

    Raises:
        ModelError: If they are missing or have other shapes.
    """
    if not model.agreement:
        return None
    tensors = map_tensors(folder / WEIGHTS)
    wanted = {"entry": (FEATURES + 1, model.agreement), "exit": (model.agreement + 1, 3)}
    found = {}
    for name, shape in wanted.items():
        tensor = tensors.get(f"agreement.{name}")
        if tensor is None or tensor.shape != shape or tensor.dtype != np.float32:
            raise ModelError(f"it holds no tensor 'agreement.{name}' of shape {shape}", path=folder / WEIGHTS)
        found[name] = np.array(tensor)
    return Agreement(**found)


def config_json(config: FolderConfig) -> str:
    """Return the text of `config.json`."""
    values = {
        "format": FORMAT,
        "nertag": config.nertag,
        "embedding_size": config.embedding_size,
        "temperature": config.temperature,
        "model": to_mapping(config.model),
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


@contextmanager
def new_folder(target: Path, *, replace: bool) -> Iterator[Path]:
    """Give a folder to write a model into; it appears at `target` when the block ends well, and not at all otherwise.

    Args:
        target: Where the model shall be.
        replace: Whether what is there may be replaced.

    Yields:
        An empty folder beside `target`.

    Raises:
        ModelError: If there is something that may not be replaced.
        OSError: If the disk is full or the folder cannot be put into place; what was there before stays.
    """
    check_target(target, replace=replace)
    target.parent.mkdir(parents=True, exist_ok=True)
    work, old = (target.with_name(f".{target.name}.{kind}-{os.getpid()}") for kind in ("new", "old"))
    shutil.rmtree(work, ignore_errors=True)  # a killed run with this process id may have left it
    work.mkdir()
    try:
        yield work
        if target.exists():
            target.replace(old)
        try:
            work.replace(target)
        except OSError:
            if old.exists():
                old.replace(target)
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def check_target(target: Path, *, replace: bool) -> None:
    """Refuse to write over something.

    Raises:
        ModelError: If `target` is a file, a folder that is no model, or a model and `replace` is not set; if it has no
            name, or lies where nothing can be made.
    """
    if target.name in ("", ".."):
        raise ModelError("it has no name of its own", path=target, hint="Choose another --output.")
    above = next(folder for folder in target.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise ModelError(f"it cannot be made: {str(above)!r} is no folder to write to", path=target)
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / CONFIG).is_file():
        raise ModelError("it exists and is no model folder", path=target, hint="Choose another --output.")
    if not replace:
        raise ModelError("there is a model already", path=target, hint="Use --force to replace it.")
