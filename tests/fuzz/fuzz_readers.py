"""Any bytes as a file to tag: cut into sections and parsed, in every input format.

States: nothing but a `NertagError` is raised; words lie in their text, in order; cutting differently changes nothing
that was read.
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


def test_one_input(data: bytes) -> None:
    """Read an input: its first byte chooses what it is taken for."""
    if not data:
        return
    kind = KINDS[data[0] % len(KINDS)]
    unit = UNITS[data[0] // len(KINDS) % len(UNITS)]
    PLACE.write_bytes(data[1:])
    try:
        for section in sources.read([str(PLACE)], kind, unit):
            if section is not None:
                for passage in readers.parse(section):
                    check(passage)
    except NertagError:
        pass
    read_card(data[1:].decode("utf-8", "replace"))


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
