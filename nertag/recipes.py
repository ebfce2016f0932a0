"""A recipe to TOML and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from nertag.config import Recipe, from_mapping, to_mapping
from nertag.errors import ConfigError


def read_recipe(path: Path) -> dict[str, Any]:
    """Read a recipe file and check it.

    Returns:
        The settings it makes, by name; those of the network and the training in tables of their own.

    Raises:
        ConfigError: If it is no TOML, or a setting is unknown or of the wrong type.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"it cannot be read as TOML: {error}", path=path) from None
    from_mapping(Recipe, values, where=path.name)
    return values


def recipe_toml(recipe: Recipe) -> str:
    """Return the text of a recipe file with every setting in it."""
    import tomli_w

    return tomli_w.dumps(to_mapping(recipe))
