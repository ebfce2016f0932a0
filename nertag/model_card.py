"""The text of a model card in; its front matter, its first paragraph and its table of scores out.

Cards are written by people: what is not there is left out, and nothing in them is believed to be well formed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADING = re.compile(r"#{1,6} ")


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card says of a model.

    Attributes:
        about: Its first paragraph, in one line; empty if there is none.
        front: The keys of its front matter and their values, several joined by commas.
        scores: The first table below the heading `Scores`: a row for each line, its cells by the heads of the columns.
    """

    about: str
    front: dict[str, str]
    scores: list[dict[str, str]]


def read_card(text: str) -> CardFacts:
    """Read a model card, Markdown with the Hub's YAML header."""
    lines = text.splitlines()
    front: dict[str, str] = {}
    if lines and lines[0].strip() == "---" and "---" in (rest := [line.strip() for line in lines[1:]]):
        end = rest.index("---") + 1
        front, lines = _front(lines[1:end]), lines[end + 1 :]
    return CardFacts(_first_paragraph(lines), front, list(_scores(lines)))


def _front(lines: list[str]) -> dict[str, str]:
    """Return the plain keys of a YAML header, with the lists among their values."""
    values: dict[str, list[str]] = {}
    key = ""
    for line in lines:
        if found := re.fullmatch(r"([\w-]+):\s*(.*)", line):
            key = found[1]
            values[key] = [found[2].strip("\"'")] if found[2] else []
        elif key and (item := re.fullmatch(r"\s*-\s+([^:]+)", line)):
            values[key].append(item[1].strip("\"'"))
        else:
            key = ""
    return {key: ", ".join(items) for key, items in values.items() if items}


def _first_paragraph(lines: list[str]) -> str:
    """Return the first lines of prose, joined."""
    paragraph: list[str] = []
    for line in map(str.strip, lines):
        if line and not _HEADING.match(line) and not line.startswith(("|", "```")):
            paragraph.append(line)
        elif paragraph or line.startswith("```"):
            break
    return " ".join(paragraph)


def _scores(lines: list[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of the first table below the heading `Scores`."""
    inside = False
    head: list[str] = []
    for line in map(str.strip, lines):
        if line.startswith("|") and inside:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not head:
                head = cells
            elif any(cell.strip(":-") for cell in cells) and len(cells) == len(head):
                yield dict(zip(head, cells, strict=True))
        elif head:
            return
        elif _HEADING.match(line):
            inside = line.lstrip("#").strip().lower() == "scores"
