"""What a fresh interpreter loads to tag. `sys.modules` of the test process itself proves nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SENTENCE = "Harry Potter and Hermione Granger invented a new spell"
TRAINING_PACKAGES = ("torch", "datasets", "seqeval", "onnx", "safetensors", "huggingface_hub", "matplotlib", "tomli_w")
TRAINING_WING = ("nertag.data", "nertag.network", "nertag.training", "nertag.export", "nertag.metrics")
HEAVY = (
    *TRAINING_PACKAGES,
    *TRAINING_WING,
    "nertag.settings",
    "rich",
    "pydantic",
    "tomllib",
    "pandas",
    "pyarrow",
    "sklearn",
    "scipy",
)

PROGRAM = """
import json, sys
blocked, heavy, arguments = json.loads(sys.argv[1])
for name in blocked:
    sys.modules[name] = None  # an import of it now raises ImportError
from nertag.cli import main
try:
    code = main(arguments)
except SystemExit as leaving:
    code = leaving.code
sys.stdout.flush()
loaded = [name for name in heavy if sys.modules.get(name) is not None]
print(json.dumps([code, loaded]), file=sys.stderr)
"""


def run_fresh(arguments: list[str], blocked: tuple[str, ...] = ()) -> tuple[str, str, int, list[str]]:
    """Run `main` in a new interpreter outside the checkout.

    Returns:
        Standard output, standard error, the exit code, and which of the heavy modules were loaded.
    """
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([blocked, HEAVY, arguments])],
        cwd=ROOT.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    *words, report = result.stderr.splitlines() or [""]
    assert report.startswith("["), result.stderr
    code, loaded = json.loads(report)
    return result.stdout, "\n".join(words), code, loaded


def test_tagging_loads_nothing_heavy() -> None:
    assert run_fresh(["tag", "--text", SENTENCE]) == ("1 1 0 1 1 0 0 0 0\n", "", 0, [])


def test_tagging_works_where_nothing_heavy_exists() -> None:
    assert run_fresh(["tag", "--text", SENTENCE], blocked=HEAVY) == ("1 1 0 1 1 0 0 0 0\n", "", 0, [])


@pytest.mark.parametrize("arguments", [["--help"], ["tag", "--help"], ["train", "--help"], ["evaluate", "--help"]])
def test_help_works_without_the_training_packages(arguments: list[str]) -> None:
    output, errors, code, loaded = run_fresh(arguments, blocked=(*TRAINING_PACKAGES, *TRAINING_WING))
    assert "Usage: nertag" in output
    assert (errors, code) == ("", 0)
    assert set(loaded) <= {"rich"}


@pytest.mark.parametrize("arguments", [["tag", "no-such-file"], ["tag", "--model", "no-such-model", "--text", "a"]])
def test_a_mistake_is_told_without_loading_anything_heavy(arguments: list[str]) -> None:
    output, errors, code, loaded = run_fresh(arguments)
    assert (output, code, loaded) == ("", 1, [])
    assert errors.startswith("nertag: error: ")


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys, json, nertag; print(json.dumps([name for name in sys.modules if not name.startswith('_')]))"
    loaded: list[Any] = json.loads(
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout
    )
    assert {"numpy", "onnxruntime", "typer", "rich", *HEAVY}.isdisjoint(loaded)
    assert [name for name in loaded if name.startswith("nertag.")] == ["nertag._version"]
