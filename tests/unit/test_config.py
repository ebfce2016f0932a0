from __future__ import annotations

import json
import re
from dataclasses import FrozenInstanceError, asdict, dataclass
from typing import Any

import pytest

from nertag.config import ModelConfig, Recipe, TrainingConfig, from_mapping, to_mapping
from nertag.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Parcel:
    """A config with what the real ones may grow: a key without a default and an optional one."""

    name: str
    weights: tuple[float, ...] = ()
    note: str | None = None


def refuses(message: str) -> Any:
    return pytest.raises(ConfigError, match=f"^{re.escape(message)}")


def test_defaults_are_a_valid_configuration() -> None:
    assert ModelConfig().tags == ("O", "B-PER", "I-PER")
    assert TrainingConfig().device == "auto"


@pytest.mark.parametrize("config", [ModelConfig(labels=("PER", "ORG"), cell="gru"), TrainingConfig(epochs=2, seed=9)])
def test_json_and_back(config: ModelConfig | TrainingConfig) -> None:
    parsed = json.loads(json.dumps(to_mapping(config)))
    assert from_mapping(type(config), parsed, where="config.json", complete=True) == config


def test_lists_become_tuples_and_integers_floats() -> None:
    assert from_mapping(ModelConfig, {"labels": ["PER", "LOC"]}, where="x").labels == ("PER", "LOC")
    parcel = from_mapping(Parcel, {"name": "a", "weights": [1, 2.5]}, where="x")
    assert parcel.weights == (1.0, 2.5)
    assert [type(weight) for weight in parcel.weights] == [float, float]


def test_none_is_left_out_and_read_back() -> None:
    assert to_mapping(Parcel("a")) == {"name": "a", "weights": []}
    assert from_mapping(Parcel, {"name": "a", "note": None}, where="x") == Parcel("a")
    assert from_mapping(Parcel, {"name": "a", "note": "b"}, where="x") == Parcel("a", note="b")


def test_a_recipe_holds_tables_of_its_own() -> None:
    recipe = Recipe(
        sources=("a.conll",), scheme="bioes", model=ModelConfig(cell="gru"), training=TrainingConfig(seed=4)
    )
    values = to_mapping(recipe)
    assert "vectors" not in values
    assert values["model"]["labels"] == ["PER"]
    assert from_mapping(Recipe, json.loads(json.dumps(values)), where="x") == recipe
    assert from_mapping(Recipe, {"training": {"seed": 4}}, where="x") == Recipe(training=TrainingConfig(seed=4))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": {"cel": "gru"}}, "r.toml: model: unknown key 'cel'"),
        ({"model": {"layers": "2"}}, "r.toml: model: layers must be int, not '2'"),
        ({"training": {"epochs": 0}}, "r.toml: training: epochs must be at least 1, not 0"),
        ({"training": 3}, "r.toml: training must be a table of settings, not 3"),
        ({"scheme": "iob3"}, "r.toml: scheme must be one of 'iob1', 'iob2', 'bioes', 'io', not 'iob3'"),
        ({"vectors_limit": -1}, "r.toml: vectors_limit must be at least 0, not -1"),
    ],
)
def test_a_mistake_inside_a_recipe_says_where(values: dict[str, Any], message: str) -> None:
    with refuses(message):
        from_mapping(Recipe, values, where="r.toml")


def test_an_unknown_key_is_named_with_those_that_exist() -> None:
    with refuses("recipe.toml [training]: unknown key 'epoch'\n  hint: Known keys: epochs, patience, "):
        from_mapping(TrainingConfig, {"epochs": 3, "epoch": 2}, where="recipe.toml [training]")


def test_a_missing_key_is_named() -> None:
    with refuses("box: missing key 'name'"):
        from_mapping(Parcel, {"note": "b"}, where="box")
    values = to_mapping(ModelConfig())
    del values["cell"]
    assert from_mapping(ModelConfig, values, where="x") == ModelConfig()
    with refuses("config.json: missing key 'cell'"):
        from_mapping(ModelConfig, values, where="config.json", complete=True)


@pytest.mark.parametrize(
    ("cls", "values", "message"),
    [
        (ModelConfig, {"hidden_size": "128"}, "x: hidden_size must be int, not '128'"),
        (ModelConfig, {"hidden_size": 128.0}, "x: hidden_size must be int, not 128.0"),
        (ModelConfig, {"hidden_size": True}, "x: hidden_size must be int, not True"),
        (ModelConfig, {"hidden_size": None}, "x: hidden_size must be int, not None"),
        (ModelConfig, {"characters": 1}, "x: characters must be bool, not 1"),
        (ModelConfig, {"characters": "yes"}, "x: characters must be bool, not 'yes'"),
        (ModelConfig, {"labels": "PER"}, "x: labels must be a list, not 'PER'"),
        (ModelConfig, {"labels": ["PER", 3]}, "x: labels must be str, not 3"),
        (ModelConfig, {"cell": "LSTM"}, "x: cell must be one of 'lstm', 'gru', 'rnn', not 'LSTM'"),
        (ModelConfig, {"cell": ["lstm"]}, "x: cell must be one of 'lstm', 'gru', 'rnn', not ['lstm']"),
        (TrainingConfig, {"dropout": "0.5"}, "x: dropout must be float, not '0.5'"),
        (TrainingConfig, {"dropout": False}, "x: dropout must be float, not False"),
        (TrainingConfig, {"weight_decay": 10**400}, "x: weight_decay must be float, not 1000"),
        (Parcel, {"name": "a", "note": 1}, "x: note must be str, not 1"),
        (ModelConfig, ["cell"], "x must be a table of settings, not ['cell']"),
        (ModelConfig, 3, "x must be a table of settings, not 3"),
    ],
)
def test_a_wrong_type_is_refused_with_its_value(cls: type, values: Any, message: str) -> None:
    with refuses(message):
        from_mapping(cls, values, where="x")


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("hidden_size", 1),
        ("layers", 1),
        ("embedding_size", 1),
        ("vocabulary_size", 1),
        ("character_size", 1),
        ("character_filters", 1),
        ("character_width", 1),
        ("shape_size", 1),
        ("window", 2),
    ],
)
def test_lower_ends_of_the_model(name: str, least: int) -> None:
    assert getattr(ModelConfig(**{name: least}), name) == least
    with refuses(f"{name} must be at least {least}, not {least - 1}"):
        ModelConfig(**{name: least - 1})


@pytest.mark.parametrize(
    ("name", "most"), [("hidden_size", (1 << 31) - 1), ("layers", (1 << 31) - 1), ("window", 10_000)]
)
def test_upper_ends_of_the_model(name: str, most: int) -> None:
    assert getattr(ModelConfig(**{name: most}), name) == most
    with refuses(f"{name} must be at most {most}, not {most + 1}"):
        ModelConfig(**{name: most + 1})


@pytest.mark.parametrize("name", ["epochs", "patience"])
def test_lower_ends_of_the_training(name: str) -> None:
    assert getattr(TrainingConfig(**{name: 1}), name) == 1
    with refuses(f"{name} must be at least 1, not 0"):
        TrainingConfig(**{name: 0})


@pytest.mark.parametrize(
    "name", ["warmup", "dropout", "word_dropout", "lower_share", "upper_share", "title_share", "averaging"]
)
@pytest.mark.parametrize("value", [-0.01, 1.0, float("nan")])
def test_a_share_is_at_least_0_and_less_than_1(name: str, value: float) -> None:
    assert getattr(TrainingConfig(**{name: 0.0}), name) == 0.0
    with refuses(f"{name} must be at least 0 and less than 1, not {value}"):
        TrainingConfig(**{name: value})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be a number greater than 0, not 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number greater than 0, not nan"),
        ({"clip_norm": float("inf")}, "clip_norm must be a number greater than 0, not inf"),
        ({"weight_decay": -1.0}, "weight_decay must be at least 0, not -1.0"),
        ({"weight_decay": float("nan")}, "weight_decay must be at least 0, not nan"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"seed": 1 << 32}, "seed must be less than 2**32, not 4294967296"),
        (
            {"lower_share": 0.4, "upper_share": 0.4, "title_share": 0.4},
            "lower_share, upper_share and title_share together must not exceed 1",
        ),
    ],
)
def test_what_training_refuses(values: dict[str, Any], message: str) -> None:
    with refuses(message):
        TrainingConfig(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"labels": ()}, "labels must be one or more different words, not []"),
        ({"labels": ("PER", "PER")}, "labels must be one or more different words, not ['PER', 'PER']"),
        ({"labels": ("PER", "")}, "labels must be one or more different words, not ['PER', '']"),
        ({"labels": ("a\x1b[2J",)}, "labels must be one or more different words, not ['a\\x1b[2J']"),
        ({"labels": ("a\tb",)}, "labels must be one or more different words, not ['a\\tb']"),
        ({"labels": ("PER", "ORG"), "output": "binary"}, "output 'binary'"),
        ({"character_width": 4}, "character_width must be odd, not 4"),
    ],
)
def test_what_a_model_refuses(values: dict[str, Any], message: str) -> None:
    with refuses(message):
        ModelConfig(**values)


def test_a_value_out_of_range_says_where_it_stands() -> None:
    with refuses("config.json: layers must be at least 1, not 0"):
        from_mapping(ModelConfig, {"layers": 0}, where="config.json")
    with pytest.raises(ConfigError, match="^m: output 'binary' .*\n  hint: Use output 'iob2'.$"):
        from_mapping(ModelConfig, {"labels": ["PER", "ORG"], "output": "binary"}, where="m")


@pytest.mark.parametrize(("cell", "gates"), [("lstm", 4), ("gru", 3), ("rnn", 1)])
def test_gates(cell: Any, gates: int) -> None:
    assert ModelConfig(cell=cell).gates == gates


def test_what_follows_from_the_settings() -> None:
    assert ModelConfig(direction="bidirectional").directions == 2
    assert ModelConfig(direction="forward").directions == 1
    assert ModelConfig(labels=("PER", "ORG", "LOC")).outputs == 7
    assert ModelConfig(output="binary").outputs == 1


def test_a_configuration_does_not_change() -> None:
    config = ModelConfig()
    before = asdict(config)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'layers'"):
        config.layers = 2  # type: ignore[misc]
    assert asdict(config) == before
