"""Any bytes as a file to tag: cut into sections and parsed, in every input format.

States: nothing but a `NertagError` is raised; words lie in their text, in order; sections of a few characters give the
same passages, and the same fault after them, as one section does.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, get_args

import atheris

with atheris.instrument_imports(include=["nertag"]):
    from nertag import readers, sources
    from nertag.config import DocumentUnit, InputFormat
    from nertag.errors import NertagError
    from nertag.model_card import read_card
    from nertag.text import Passage

KINDS: tuple[Any, ...] = get_args(InputFormat)
UNITS: tuple[Any, ...] = get_args(DocumentUnit)
PLACE = Path(tempfile.mkdtemp(prefix="nertag-fuzz-")) / "input"


def check(passage: Passage) -> None:
    """Words stand in their text in the order of their offsets."""
    position = 0
    for word in passage.words:
        found = passage.text.find(word, position)
        assert found >= 0, (passage.text, passage.words)
        position = found + len(word)


def read(kind: Any, unit: Any, size: int) -> list[Passage | str]:
    """Read the input in sections of at least so many characters; what is wrong with it comes last."""
    sources.SECTION = size
    found: list[Passage | str] = []
    try:
        for section in sources.read([str(PLACE)], kind, unit):
            if section is not None:
                found.extend(readers.parse(section))
    except NertagError as error:
        found.append(str(error))
    return found


def test_one_input(data: bytes) -> None:
    """Read an input: its first byte chooses what it is taken for."""
    if not data:
        return
    kind = KINDS[data[0] % len(KINDS)]
    unit = UNITS[data[0] // len(KINDS) % len(UNITS)]
    PLACE.write_bytes(data[1:])
    whole = read(kind, unit, 1 << 16)
    for passage in whole:
        if isinstance(passage, Passage):
            check(passage)
    assert whole == read(kind, unit, 5), (kind, unit, data[1:])
    read_card(data[1:].decode("utf-8", "replace"))


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
