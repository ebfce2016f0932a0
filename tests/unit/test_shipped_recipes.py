"""What lies in `recipes/`: settings that are read as they stand, and text that is in order."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from nertag.config import Recipe, from_mapping
from nertag.names import read_names
from nertag.recipes import read_recipe

REPOSITORY = Path(__file__).parents[2]
RECIPES = REPOSITORY / "recipes"
TEXT = ("handwritten", "plain")
SPLITS = ("train", "validation", "test")


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.name)
def test_a_recipe_is_read_and_what_it_names_in_the_repository_is_there(path: Path) -> None:
    recipe = from_mapping(Recipe, read_recipe(path), where=str(path))
    named = [*recipe.sources, *recipe.validation, *([recipe.names] if recipe.names else [])]
    ours = [name for name in named if name.startswith("recipes/")]
    assert all((REPOSITORY / name).exists() for name in ours)
    assert recipe.sources and recipe.validation


@pytest.mark.parametrize("folder", TEXT)
def test_the_text_has_names_no_line_twice_and_no_document_in_two_splits(folder: str) -> None:
    lines: list[str] = []
    split_of: dict[str, str] = {}
    for split in SPLITS:
        rows = [json.loads(line) for line in (RECIPES / folder / f"{split}.jsonl").read_text("utf-8").splitlines()]
        spans = [(row["text"], span) for row in rows for span in row["spans"]]
        assert len(spans) > len(rows) / 3 > 33
        for text, span in spans:
            assert 0 <= span["start"] < span["end"] <= len(text) and span["label"] == "PER"
            name = text[span["start"] : span["end"]]
            assert name == name.strip() and "[[" not in text and "]]" not in text
        assert all(split_of.setdefault(row["doc"], split) == split for row in rows)
        lines += [row["text"] for row in rows]
    assert len(set(lines)) == len(lines)


def test_every_region_has_given_and_family_names() -> None:
    for region in read_names(RECIPES / "names.tsv"):
        assert region.given or region.family


def test_the_one_command_calls_what_there_is() -> None:
    script = (RECIPES / "en-person.sh").read_text(encoding="utf-8")
    teacher = ast.parse((RECIPES / "teacher.py").read_text(encoding="utf-8"))
    options = {
        argument.value
        for call in ast.walk(teacher)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }
    line = script[script.index("python recipes/teacher.py") :].partition("nertag train")[0]
    assert set(re.findall(r"--\w+", line)) <= options
    recipe = re.search(r"--recipe (\S+)", script)
    assert recipe
    settings = read_recipe(REPOSITORY / recipe[1])
    assert [f"--output {path}" in line for path in settings["soft_labels"]] == [True]
    assert f"--words {settings['vectors']}" in line
    folder = re.search(r"recipes/frames.py --output (\S+)", script)
    assert folder and folder[1] in settings["sources"] and f"--frames {folder[1]}" in line
    extended = re.search(r"recipes/lexemes.py --vectors glove.6B.100d.txt --output (\S+)", script)
    assert extended and f"--vectors {extended[1]}" in line
    second = re.search(r"--recipe (\S+) --from (\S+)", script)
    assert second and f"--recipe {recipe[1]} --force --output {second[2]}" in script
    then = read_recipe(REPOSITORY / second[1])
    assert then["soft_labels"] == settings["soft_labels"]
