from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nertag.config import ModelConfig, Recipe, TrainingConfig, from_mapping
from nertag.errors import ConfigError
from nertag.recipes import read_recipe, recipe_toml


def write(folder: Path, content: str | bytes) -> Path:
    """Write a recipe."""
    path = folder / "recipe.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(
            sources=("a b.jsonl", "org/name:config@v1", 'C:\\data\\"x".conll', "Zoë\n"),
            validation=("b",),
            vectors="glove.txt",
            person_labels=("Person", "B-per"),
            scheme="bioes",
            skip_bad_rows=True,
            model=ModelConfig(labels=("PER", "ORG"), cell="rnn", activation="sigmoid", characters=False),
            training=TrainingConfig(learning_rate=1e-5, dropout=0.1 + 0.2, seed=2**32 - 1),
        ),
    ],
)
def test_a_recipe_comes_back_as_it_was(tmp_path: Path, recipe: Recipe) -> None:
    values = read_recipe(write(tmp_path, recipe_toml(recipe)))
    assert from_mapping(Recipe, values, where="recipe") == recipe


def test_a_recipe_holds_only_what_it_says(tmp_path: Path) -> None:
    path = write(tmp_path, 'sources = ["a"]\n[training]\nlearning_rate = 1\n')
    assert read_recipe(path) == {"sources": ["a"], "training": {"learning_rate": 1}}


def refuses(message: str) -> Any:
    return pytest.raises(ConfigError, match=re.escape(message))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('source = ["a"]', "recipe.toml: unknown key 'source'\n  hint: Known keys: sources, validation, "),
        ("[training]\nepoch = 3", "recipe.toml: training: unknown key 'epoch'\n  hint: Known keys: epochs, "),
        ('[model]\ncell = "LSTM"', "recipe.toml: model: cell must be one of 'lstm', 'gru', 'rnn', not 'LSTM'"),
        ("[training]\nepochs = 2.5", "recipe.toml: training: epochs must be int, not 2.5"),
        ('sources = "a"', "recipe.toml: sources must be a list, not 'a'"),
        ("model = 3", "recipe.toml: model must be a table of settings, not 3"),
        ("[training]\ndropout = 1.0", "recipe.toml: training: dropout must be at least 0 and less than 1, not 1.0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(tmp_path: Path, content: str, message: str) -> None:
    with refuses(message):
        read_recipe(write(tmp_path, content))


@pytest.mark.parametrize("content", ["sources = [", b"\xff\xfe", "a = 1\na = 2"])
def test_a_file_that_is_no_toml(tmp_path: Path, content: str | bytes) -> None:
    path = write(tmp_path, content)
    with refuses(f"{path}: it cannot be read as TOML: "):
        read_recipe(path)
