"""Frozen dataclasses for the model and its training, to and from JSON and TOML.

Reading rejects unknown and missing keys by name: a misspelt key is never ignored.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, fields, is_dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin

from nertag.errors import ConfigError
from nertag.labels import PERSON, Scheme, tags_of

Cell = Literal["lstm", "gru", "rnn"]
Activation = Literal["tanh", "relu", "sigmoid"]
Direction = Literal["bidirectional", "forward"]
Embedding = Literal["pretrained", "learned", "one-hot"]
Output = Literal["iob2", "binary"]
Device = Literal["auto", "cpu", "cuda", "mps"]

InputFormat = Literal["text", "tokens", "jsonl", "conll", "csv", "parquet"]
OutputFormat = Literal[
    "labels",
    "tags",
    "conll",
    "jsonl",
    "csv",
    "parquet",
    "markup",
    "redact",
    "pseudonyms",
    "names",
    "html",
    "pretty",
]
DocumentUnit = Literal["file", "paragraph", "line"]
DecodingErrors = Literal["strict", "replace"]

LONGEST_WINDOW = 10_000
"""Tokens that a network may see at once: what bounds the memory that tagging takes."""

LARGEST_SIZE = (1 << 31) - 1
"""What no size of a network exceeds; what fits into memory is far less."""


def _at_least(config: object, least: int, *names: str) -> None:
    """Raise a ConfigError if one of the named settings is below `least`."""
    for name in names:
        value = getattr(config, name)
        if not least <= value < math.inf:
            raise ConfigError(f"{name} must be at least {least}, not {value}")


def _at_most(config: object, most: int, *names: str) -> None:
    """Raise a ConfigError if one of the named settings is above `most`."""
    for name in names:
        value = getattr(config, name)
        if value > most:
            raise ConfigError(f"{name} must be at most {most}, not {value}")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The shape of a network: what its weights mean.

    Attributes:
        labels: What is looked for, such as `PER`.
        output: `iob2`: a softmax over O and B-, I- of every label; `binary`: one logit per token, for one label.
        cell: The recurrent cell.
        activation: φ of the `rnn` cell, h_t = φ(W·x_t + U·h_{t-1} + b); the others have their own.
        direction: Whether a second layer reads from the end.
        hidden_size: Units per direction.
        layers: Recurrent layers on top of one another.
        embedding: Where the word vectors come from.
        embedding_size: Dimensions of a `learned` embedding; `pretrained` takes those of its file, `one-hot` has none.
        vocabulary_size: How many of the most frequent training words `learned` and `one-hot` know; the rest are one
            unknown word.
        tune_embedding: Whether training changes a `pretrained` embedding; one that is not is stored as 8-bit integers.
        word_parts: Whether a word that is unknown gets the mean vector of the known words that it is made of, as
            `#AnnaKurz` or `Ortiz-Webb` are; of other words the character vector alone tells.
        characters: Whether a convolution over each distinct word's characters is part of the input.
        character_size: Dimensions of a character's embedding.
        character_filters: Filters of the convolution, and so the dimensions of a word's character vector.
        character_width: Characters under one filter, odd.
        shapes: Whether the word's shape (case, digits, punctuation) is part of the input.
        shape_size: Dimensions of a shape's embedding.
        window: The most tokens that the network sees at once.
        agreement: Units of the second look, which corrects a token by what was found wherever its word stands in the
            document; 0 for none. Training needs `agreement_folds` further runs for it.
    """

    labels: tuple[str, ...] = (PERSON,)
    output: Output = "iob2"
    cell: Cell = "lstm"
    activation: Activation = "tanh"
    direction: Direction = "bidirectional"
    hidden_size: int = 128
    layers: int = 1
    embedding: Embedding = "pretrained"
    embedding_size: int = 100
    vocabulary_size: int = 10_000
    tune_embedding: bool = False
    word_parts: bool = False
    characters: bool = True
    character_size: int = 24
    character_filters: int = 64
    character_width: int = 3
    shapes: bool = True
    shape_size: int = 8
    window: int = 100
    agreement: int = 0

    def __post_init__(self) -> None:
        """Check what the types do not say.

        Raises:
            ConfigError: If a number is out of range or two settings contradict each other.
        """
        _at_least(self, 1, "hidden_size", "layers", "embedding_size", "vocabulary_size", "character_size")
        _at_least(self, 1, "character_filters", "character_width", "shape_size")
        _at_least(self, 2, "window")
        _at_least(self, 0, "agreement")
        _at_most(self, LONGEST_WINDOW, "window")
        _at_most(self, LARGEST_SIZE, "hidden_size", "layers", "embedding_size", "vocabulary_size", "character_size")
        _at_most(self, LARGEST_SIZE, "character_filters", "character_width", "shape_size")
        words = [label for label in self.labels if label.split() == [label] and label.isprintable()]
        if not words or len(set(words)) != len(self.labels):
            raise ConfigError(f"labels must be one or more different words, not {list(self.labels)}")
        if self.output == "binary" and len(self.labels) > 1:
            raise ConfigError(
                f"output 'binary' knows one label, but there are {len(self.labels)}: {', '.join(self.labels)}",
                hint="Use output 'iob2'.",
            )
        if self.agreement and len(self.tags) != 3 or self.agreement and self.output == "binary":
            raise ConfigError("agreement needs output 'iob2' and one label")
        if self.character_width % 2 == 0:
            raise ConfigError(f"character_width must be odd, not {self.character_width}")

    @property
    def directions(self) -> int:
        """2 for `bidirectional`, 1 for `forward`."""
        return 2 if self.direction == "bidirectional" else 1

    @property
    def gates(self) -> int:
        """How many gate vectors a cell computes per step: 4 for `lstm`, 3 for `gru`, 1 for `rnn`."""
        return {"lstm": 4, "gru": 3, "rnn": 1}[self.cell]

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags behind the logits in their order; for `binary` the one logit says B- or I- of its label."""
        return tags_of(self.labels)

    @property
    def outputs(self) -> int:
        """Logits per token."""
        return 1 if self.output == "binary" else len(self.tags)


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How a network is trained.

    Attributes:
        epochs: The most passes over the training windows.
        patience: Epochs without a better validation F1 after which training stops.
        batch_tokens: Tokens per step, padding included.
        learning_rate: Adam's, at its highest.
        warmup: Share of all steps over which the learning rate rises; then it falls to 0 along a cosine over `epochs`.
        weight_decay: AdamW's.
        clip_norm: The gradient norm above which gradients are scaled down to it.
        dropout: Share of input and output features of the recurrent layers dropped, the same at every step of a window.
        word_dropout: Share of words that lose their vector, so that characters and context must do.
        lower_share: Share of windows lower-cased.
        upper_share: Share of windows upper-cased.
        title_share: Share of windows title-cased.
        swap_share: Share of windows whose names are swapped for other names, the same word for the same all through.
        soft_share: Share of the documents with soft labels that an epoch reads, drawn anew each time.
        agreement_folds: Parts that the training documents are put into for `agreement`: each is tagged by a network
            that has learned from the others.
        averaging: Decay of the exponential moving average of the weights that is evaluated and kept; 0 turns it off.
        seed: Of everything random; two CPU runs with the same seed give the same weights, bit for bit.
        device: Where to train; `auto` takes CUDA or MPS when there is one.
        mixed_precision: Whether a GPU computes in bfloat16 where that is safe.
    """

    epochs: int = 30
    patience: int = 10
    batch_tokens: int = 800
    learning_rate: float = 0.002
    warmup: float = 0.05
    weight_decay: float = 0.0
    clip_norm: float = 5.0
    dropout: float = 0.5
    word_dropout: float = 0.1
    lower_share: float = 0.05
    upper_share: float = 0.05
    title_share: float = 0.02
    swap_share: float = 0.0
    soft_share: float = 1.0
    agreement_folds: int = 3
    averaging: float = 0.998
    seed: int = 1
    device: Device = "auto"
    mixed_precision: bool = True

    def __post_init__(self) -> None:
        """Check what the types do not say.

        Raises:
            ConfigError: If a number is out of range.
        """
        _at_least(self, 1, "epochs", "patience", "batch_tokens")
        _at_least(self, 2, "agreement_folds")
        _at_least(self, 0, "seed", "weight_decay")
        for name in ("learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must be a number greater than 0, not {getattr(self, name)}")
        for name in (
            "warmup",
            "dropout",
            "word_dropout",
            "lower_share",
            "upper_share",
            "title_share",
            "swap_share",
            "averaging",
        ):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 0 and less than 1, not {getattr(self, name)}")
        if not 0 < self.soft_share <= 1:
            raise ConfigError(f"soft_share must be more than 0 and at most 1, not {self.soft_share}")
        if self.seed >= 1 << 32:
            raise ConfigError(f"seed must be less than 2**32, not {self.seed}")
        if self.lower_share + self.upper_share + self.title_share > 1:
            raise ConfigError("lower_share, upper_share and title_share together must not exceed 1")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that makes a model: where its data comes from, its shape, its training.

    Attributes:
        sources: Training corpora: files, folders or Hub repositories. One named twice counts twice.
        validation: Corpora to choose the best epoch on.
        soft_labels: Files of text with the probabilities that another model gave to its tags, to learn those, too.
        vectors: A GloVe or word2vec text file, or a model whose word vectors are taken; for embedding `pretrained`.
        vectors_limit: How many of the file's words are known from its top; those of the training data are known anyway.
        names: A file of given and family names by region, parted by tabs, that swap_share draws from.
        from_model: A model to start from, whose shape and vocabulary are kept.
        tokens_column: Column of the tokens, where its name does not say so.
        tags_column: Column of the tags, likewise.
        scheme: Tag scheme, where it cannot be told from the tags.
        person_labels: Further labels that mean a person.
        skip_bad_rows: Whether malformed rows are dropped and counted.
        model: The network's shape.
        training: How it is trained.
    """

    sources: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    soft_labels: tuple[str, ...] = ()
    vectors: str | None = None
    vectors_limit: int = 400_000
    names: str | None = None
    from_model: str | None = None
    tokens_column: str | None = None
    tags_column: str | None = None
    scheme: Scheme | None = None
    person_labels: tuple[str, ...] = ()
    skip_bad_rows: bool = False
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()

    def __post_init__(self) -> None:
        """Check what the types do not say.

        Raises:
            ConfigError: If a number is out of range.
        """
        _at_least(self, 0, "vectors_limit")


T = TypeVar("T")


def from_mapping(cls: type[T], mapping: Mapping[str, Any], *, where: str, complete: bool = False) -> T:
    """Build a config dataclass from a parsed JSON object or TOML table.

    Args:
        cls: `ModelConfig`, `TrainingConfig` or another dataclass of plain values.
        mapping: The parsed values.
        where: What the mapping is, for messages: `config.json`, `recipe.toml [training]`.
        complete: Whether every key must be there, as in a model folder; a recipe may leave out those with a default.

    Returns:
        The config, its values checked.

    Raises:
        ConfigError: If a key is unknown or missing, or a value has the wrong type or is out of range.
    """
    if not isinstance(mapping, Mapping):
        raise ConfigError(f"{where} must be a table of settings, not {mapping!r}")
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(mapping) - set(known))
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}", hint=f"Known keys: {', '.join(known)}.")
    missing = [name for name, field in known.items() if name not in mapping and (complete or _required(field))]
    if missing:
        raise ConfigError(f"{where}: missing key {missing[0]!r}")
    kinds = typing.get_type_hints(cls)
    values = {name: _checked(value, kinds[name], f"{where}: {name}") for name, value in mapping.items()}
    try:
        return cls(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.message}", hint=error.hint) from None


def _required(field: Field[object]) -> bool:
    """Whether a dataclass field has no default."""
    return field.default is MISSING and field.default_factory is MISSING


def _checked(value: object, kind: Any, where: str) -> object:  # noqa: ANN401
    """Return the value as its annotation wants it: lists become tuples, integers may stand for floats.

    Raises:
        ConfigError: If the value is of another type.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        if value not in arguments:
            choices = ", ".join(repr(argument) for argument in arguments)
            raise ConfigError(f"{where} must be one of {choices}, not {value!r}")
        return value
    if is_dataclass(kind) and isinstance(kind, type):
        return from_mapping(kind, typing.cast("Mapping[str, Any]", value), where=where)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _checked(value, arguments[0], where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} must be a list, not {value!r}")
        return tuple(_checked(item, arguments[0], where) for item in value)
    if kind is float and type(value) is int and abs(value) < 1 << 53:
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ConfigError(f"{where} must be {kind.__name__}, not {value!r}")
    return value


def to_mapping(config: object) -> dict[str, Any]:
    """Return a config dataclass as a JSON object or TOML table, without what is None: TOML has no null."""
    values: dict[str, Any] = _plain(asdict(config))  # type: ignore[call-overload]
    return values


def _plain(value: object) -> Any:  # noqa: ANN401
    """Return a value as JSON and TOML have it: tuples as lists, tables without None."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    return list(value) if isinstance(value, tuple) else value
