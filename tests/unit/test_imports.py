"""Imports only go down, and the tagging wing never needs what the extra `train` installs."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[2] / "nertag"

# From the top of the house to its ground floor. A module that is in no room fails a test: place it here.
HOUSE: dict[str, frozenset[str]] = {
    "front door": frozenset({"__init__", "__main__", "cli", "settings", "train_options"}),
    "commands": frozenset({"commands", "commands.evaluate", "commands.info", "commands.tag", "commands.train"}),
    "parts of commands": frozenset({"commands.tag_files"}),
    "what commands share": frozenset({"commands.extras"}),
    "voice": frozenset({"console", "notices", "progress", "tagging_progress"}),
    "tagging wing": frozenset(
        {"chunks", "encoder", "engine", "forms", "pipeline", "readers", "sources", "tagger", "windows", "workers"}
    )
    | {"charset", "compression", "json_text", "objects", "rows", "sections"}
    | {"batch", "manifest", "outputs", "result_folder", "run"}
    | {
        f"writers{name}"
        for name in ("", ".base", ".labels", ".lines", ".listing", ".made_up", ".mapping", ".page", ".people")
    }
    | {f"writers.{name}" for name in ("pretty", "pseudonyms", "replaced", "table")},
    "training wing": frozenset(
        {
            "augmentation",
            "card",
            "checkpoint",
            "columns",
            "data",
            "encoding",
            "export",
            "hub",
            "metrics",
            "names",
            "network",
            "recipes",
            "soft_labels",
            "splits",
            "tables",
            "cross_fit",
            "training",
            "vectors",
        }
    ),
    "ground floor": frozenset(
        {
            "_version",
            "agreement",
            "children",
            "config",
            "decoding",
            "errors",
            "features",
            "labels",
            "model_card",
            "model_folder",
            "text",
            "vocabulary",
        }
    ),
}
_BELOW_COMMANDS = frozenset({"voice", "tagging wing", "training wing", "ground floor"})
MAY_IMPORT: dict[str, frozenset[str]] = {
    "front door": frozenset({"front door", "commands"}) | _BELOW_COMMANDS,
    "commands": frozenset({"parts of commands", "what commands share"}) | _BELOW_COMMANDS,
    "parts of commands": frozenset({"voice", "tagging wing", "ground floor"}),
    "what commands share": frozenset({"ground floor"}),
    "voice": frozenset({"voice", "ground floor"}),
    "tagging wing": frozenset({"tagging wing", "ground floor"}),
    "training wing": frozenset({"training wing", "ground floor"}),
    "ground floor": frozenset({"ground floor"}),
}
# What runs when somebody tags. It may load the base dependencies; a function body may also reach for the Hub's client.
BASE_ONLY = frozenset({"commands.info", "commands.tag"}).union(
    *(rooms for floor, rooms in HOUSE.items() if floor not in ("commands", "training wing"))
)
BASE_PACKAGES = frozenset({"numpy", "onnxruntime", "rich", "typer"})
ON_DEMAND = BASE_PACKAGES | {"backports", "charset_normalizer", "compression", "huggingface_hub", "pyarrow", "tomli"}


class Import(NamedTuple):
    """One imported module: its full dotted name, its line, and whether importing the file imports it."""

    name: str
    line: int
    at_module_level: bool


def imports_of(module: str, source: str, modules: frozenset[str]) -> Iterator[Import]:
    """Yield what a module of the package imports; `nertag.x` and its names count as `nertag.x`.

    Args:
        module: Name below the package, such as `commands.tag`.
        source: Its text.
        modules: All modules of the package, to tell `from nertag import tagger` from `from nertag import load`.
    """
    tree = ast.parse(source)
    inside = {id(node) for block in ast.walk(tree) if _runs_later(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(module, node, modules)
            names = [
                f"{origin}.{alias.name}" if _below(f"{origin}.{alias.name}") in modules else origin
                for alias in node.names
            ]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            names = [argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)]
        for name in names:
            yield Import(name, node.lineno, id(node) not in inside)


def _runs_later(node: ast.AST) -> bool:
    """Whether importing a file does not run this part of it: a function's body, or what only type checkers read."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _absolute(module: str, node: ast.ImportFrom, modules: frozenset[str]) -> str:
    if not node.level:
        return node.module or ""
    is_package = any(other.startswith(f"{module}.") for other in modules)
    parts = ["nertag", *module.split("."), *(["__init__"] if is_package else [])]
    return ".".join(parts[: len(parts) - node.level] + ([node.module] if node.module else []))


def _below(name: str) -> str | None:
    """The name below the package; None for another package."""
    if name == "nertag":
        return "__init__"
    return name[len("nertag.") :] if name.startswith("nertag.") else None


def read_package() -> dict[str, str]:
    """Every module of the package and its text; `commands/__init__.py` is `commands`."""
    sources = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        sources[name.removesuffix(".__init__")] = path.read_text(encoding="utf-8")
    return sources


def faults_of(sources: dict[str, str]) -> list[str]:
    """Every import that the house does not allow, as `file:line: what`."""
    modules = frozenset(sources)
    floor_of = {module: floor for floor, rooms in HOUSE.items() for module in rooms}
    faults = []
    for module, source in sources.items():
        floor = floor_of[module]
        for imported in imports_of(module, source, modules):
            place = f"{module}:{imported.line}"
            target = _below(imported.name)
            if target is not None and floor_of[target] not in MAY_IMPORT[floor]:
                faults.append(f"{place}: {floor} imports nertag.{target} of the {floor_of[target]}")
            elif (
                target is not None
                and module in ("commands.info", "commands.tag")
                and floor_of[target] == "training wing"
            ):
                faults.append(f"{place}: {module.rpartition('.')[2]} imports nertag.{target} of the training wing")
            elif target is not None and floor == "front door" and imported.at_module_level and "commands" in target:
                faults.append(f"{place}: the front door loads nertag.{target} before it is asked to")
            elif target is None and module in BASE_ONLY:
                package = imported.name.partition(".")[0]
                allowed = BASE_PACKAGES if imported.at_module_level else ON_DEMAND
                if package not in allowed and package not in sys.stdlib_module_names:
                    faults.append(f"{place}: {floor} imports {package}, which the base install lacks")
    return faults


def cycle_of(sources: dict[str, str]) -> list[str]:
    """A chain of modules that import one another and ends where it begins; empty when there is none."""
    modules = frozenset(sources)
    edges = {
        module: {_below(imported.name) for imported in imports_of(module, source, modules)} & modules
        for module, source in sources.items()
    }
    done: set[str] = set()

    def search(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for target in sorted(edges[module]):
            if found := search(target, [*path, module]):
                return found
        done.add(module)
        return []

    return next((found for module in sorted(sources) if (found := search(module, []))), [])


def test_every_module_has_its_room() -> None:
    assert set(read_package()) <= set().union(*HOUSE.values())
    assert sum(map(len, HOUSE.values())) == len(set().union(*HOUSE.values()))


def test_every_room_is_there() -> None:
    assert set().union(*HOUSE.values()) <= set(read_package())


def test_imports_only_go_down() -> None:
    assert faults_of(read_package()) == []


def test_no_modules_import_one_another() -> None:
    assert cycle_of(read_package()) == []


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("labels", "import nertag.tagger", "labels:1: ground floor imports nertag.tagger of the tagging wing"),
        ("labels", "from nertag import load", "labels:1: ground floor imports nertag.__init__ of the front door"),
        ("tagger", "from nertag.network import Network", "tagger:1: tagging wing imports nertag.network"),
        ("tagger", "from . import data", "tagger:1: tagging wing imports nertag.data of the training wing"),
        ("metrics", "from nertag import tagger", "metrics:1: training wing imports nertag.tagger"),
        ("engine", "\nimport torch.nn", "engine:2: tagging wing imports torch, which the base install lacks"),
        ("engine", "def f():\n    import torch", "engine:2: tagging wing imports torch"),
        ("engine", "import_module('onnx')", "engine:1: tagging wing imports onnx"),
        ("text", "import huggingface_hub", "text:1: ground floor imports huggingface_hub"),
        ("commands.tag", "from ..data import read", "commands.tag:1: tag imports nertag.data of the training wing"),
        ("commands.tag", "from nertag.commands import train", "commands.tag:1: commands imports nertag.commands.train"),
        ("commands.tag", "from .train import run", "commands.tag:1: commands imports nertag.commands.train"),
        ("commands", "from .train import run", "commands:1: commands imports nertag.commands.train"),
        ("cli", "from nertag.commands import tag", "cli:1: the front door loads nertag.commands.tag"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str, fault: str) -> None:
    house = dict.fromkeys(set().union(*HOUSE.values()), "")
    assert faults_of(house) == []
    (found,) = faults_of({**house, module: source})
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("cli", "def tag():\n    from nertag.commands.tag import run"),
        ("commands.evaluate", "from nertag.data import read\nfrom nertag.tagger import load"),
        ("engine", "import numpy as np\nimport onnxruntime\nfrom nertag.labels import spans_of"),
        ("model_folder", "def fetch():\n    import huggingface_hub"),
        ("network", "import torch\nfrom nertag.config import ModelConfig"),
    ],
)
def test_an_allowed_import_passes(module: str, source: str) -> None:
    house = dict.fromkeys(set().union(*HOUSE.values()), "")
    assert faults_of({**house, module: source}) == []


def test_a_cycle_is_found() -> None:
    sources = {"text": "from nertag.labels import a", "labels": "def f():\n    from nertag import text", "errors": ""}
    assert cycle_of(sources) == ["labels", "text", "labels"]
