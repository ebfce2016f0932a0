"""Runs `nertag` as a user does, for the benchmarks."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def nertag(*arguments: object, text: str | None = None) -> str:
    """Run a command; its notes on standard error pass through.

    Returns:
        What it wrote to standard output.

    Raises:
        CalledProcessError: If it fails.
    """
    command = [sys.executable, "-m", "nertag", *map(str, arguments)]
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout


def mention_scores(model: object, source: str) -> dict[str, Any]:
    """Evaluate a model on one corpus and return the `mentions` object of the result."""
    scores: dict[str, Any] = json.loads(nertag("evaluate", source, "--model", model, "--json"))
    result: dict[str, Any] = scores["datasets"][0]["mentions"]
    return result
