"""docs/data.md names everything that is recognised."""

from __future__ import annotations

import re
from pathlib import Path

from nertag.columns import DOCUMENT_COLUMNS, SPAN_COLUMNS, TAG_COLUMNS, WORD_COLUMNS
from nertag.data import LABEL_NAMES
from nertag.hub import WELL_KNOWN
from nertag.splits import SPLIT_WORDS
from nertag.tables import KINDS

PAGE = (Path(__file__).parents[2] / "docs/data.md").read_text(encoding="utf-8")


def row(title: str) -> list[str]:
    """The second cell of the table row that starts with a title, cut at its commas."""
    match = re.search(rf"^\| {re.escape(title)} \| (.+) \|$", PAGE, re.MULTILINE)
    assert match, title
    return [cell.strip("` ") for cell in match[1].split(",")]


def test_columns() -> None:
    assert row("tokens or text") == list(WORD_COLUMNS)
    assert row("tags") == list(TAG_COLUMNS)
    assert row("character spans beside a text") == list(SPAN_COLUMNS)
    assert row("document") == list(DOCUMENT_COLUMNS)


def test_labels() -> None:
    for label, names in LABEL_NAMES.items():
        assert set(row(f"`{label}`")) == names


def test_endings_splits_and_well_known_names() -> None:
    for name in (*KINDS, *WELL_KNOWN, *(word for words in SPLIT_WORDS.values() for word in words)):
        assert f"`{name}`" in PAGE, name
