"""`nertag info`: what a model is. `nertag models`: which there are."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path
from typing import Any

from nertag import console
from nertag.config import to_mapping
from nertag.features import RESERVED
from nertag.model_card import CardFacts, read_card
from nertag.model_folder import (
    CARD,
    CURVES,
    DEFAULT,
    HISTORY,
    NEEDED,
    RECIPE,
    FolderConfig,
    find,
    read_config,
    read_text,
    read_vocabulary,
    shipped_names,
)

_LARGEST_CARD = 1 << 20


def info(model: str, *, json_output: bool) -> None:
    """Write what a model is to standard output.

    Args:
        model: A shipped model's name, a model folder or a Hub id.
        json_output: Whether to write one JSON object.

    Raises:
        NertagError: If there is no such model, its folder is damaged, or the output cannot be written.
    """
    results = console.Results()
    folder = find(model)
    config, vocabulary, card = read_config(folder), read_vocabulary(folder), _card(folder)
    words, characters = vocabulary.size - RESERVED, len(vocabulary.characters)
    if json_output:
        values = _values(model, folder, config, card)
        values["vocabulary"] = {"words": words, "characters": characters}
        results.write(json.dumps(values, ensure_ascii=False) + "\n")
    else:
        network = config.model
        rows = {
            "model": model,
            "folder": str(folder),
            "about": card.about,
            "licence": card.front.get("license", "not stated"),
            "language": card.front.get("language", "not stated"),
            "labels": ", ".join(network.labels),
            "network": f"{network.layers} × {network.cell} ({network.direction}), "
            f"{network.hidden_size} units per direction, output {network.output}",
            "vocabulary": f"{words:,} words, {characters:,} characters",
            "windows": f"up to {network.window:,} tokens",
            "temperature": f"{config.temperature:.4g}",
            "written by": f"nertag {config.nertag}",
            "size": _megabytes(_size(folder)),
        }
        results.write(_columns([[name, value] for name, value in rows.items() if value]))
        if card.scores:
            table = [list(card.scores[0]), *(list(row.values()) for row in card.scores)]
            results.write("\nscores, from its card\n" + _columns(table))
    results.flush()


def models(*, json_output: bool) -> None:
    """Write which models are installed to standard output, a line for each.

    Args:
        json_output: Whether to write one JSON list.

    Raises:
        NertagError: If one is damaged or the output cannot be written.
    """
    results = console.Results()
    found: list[dict[str, Any]] = []
    for name in shipped_names():
        folder = find(name)
        card = _card(folder)
        values = {"name": name, "default": name == DEFAULT, "folder": str(folder), "size": _size(folder)}
        found.append({**values, "license": card.front.get("license"), "about": card.about})
    if json_output:
        results.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        results.write(_columns([[row["name"], _megabytes(row["size"]), row["about"]] for row in found]))
    results.flush()


def _values(model: str, folder: Path, config: FolderConfig, card: CardFacts) -> dict[str, Any]:
    """Return what a model is as a JSON object; sizes in bytes, scores as numbers where they are."""
    return {
        "model": model,
        "folder": str(folder),
        "about": card.about,
        "license": card.front.get("license"),
        "language": card.front.get("language"),
        "labels": list(config.model.labels),
        "network": to_mapping(config.model),
        "temperature": config.temperature,
        "nertag": config.nertag,
        "size": _size(folder),
        "scores": [{name: _number(cell) for name, cell in row.items()} for row in card.scores],
    }


def _number(cell: str) -> float | str:
    """Return a cell as a number if it is one."""
    try:
        return float(cell)
    except ValueError:
        return cell


def _card(folder: Path) -> CardFacts:
    """Read a model's card; a folder without one says nothing of itself."""
    path = folder / CARD
    return read_card(read_text(path, _LARGEST_CARD)) if path.is_file() else CardFacts("", {}, [])


def _size(folder: Path) -> int:
    """Return how many bytes the files of a model take."""
    files = [folder / name for name in (*NEEDED, CARD, RECIPE, HISTORY, CURVES)]
    return sum(file.stat().st_size for file in files if file.is_file())


def _megabytes(size: int) -> str:
    """Write a number of bytes."""
    return f"{size / 1e6:.1f} MB"


def _columns(rows: list[list[str]]) -> str:
    """Return rows as text: parted by tabs for a program, in columns for a reader, whose last one is wrapped."""
    rows = [[console.spelt_out(cell).replace("\t", " ").replace("\n", " ") for cell in row] for row in rows]
    if not console.results_are_seen():
        return "".join("\t".join(row) + "\n" for row in rows)
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    indent = sum(widths) + 2 * len(widths)
    room = max(20, shutil.get_terminal_size().columns - indent)
    lines = []
    for row in rows:
        first, *more = textwrap.wrap(row[-1], room) or [""]
        lines.append("".join(f"{cell:{width}}  " for cell, width in zip(row, widths, strict=False)) + first)
        lines += [" " * indent + line for line in more]
    return "".join(line.rstrip() + "\n" for line in lines)
