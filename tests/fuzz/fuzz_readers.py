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
    from nertag import readers, sections, sources
    from nertag.config import DocumentUnit, InputFormat
    from nertag.errors import NertagError
    from nertag.model_card import read_card
    from nertag.sections import ReadSettings
    from nertag.text import Passage

KINDS: tuple[Any, ...] = get_args(InputFormat)
UNITS: tuple[Any, ...] = get_args(DocumentUnit)
ENCODINGS = ("utf-8", "auto", "utf-16", "cp1252", "shift_jis", "iso2022_jp", "utf-7", "hz")
PLACE = Path(tempfile.mkdtemp(prefix="nertag-fuzz-")) / "input"


def check(passage: Passage) -> None:
    """Words stand in their text in the order of their offsets."""
    position = 0
    for word in passage.words:
        found = passage.text.find(word, position)
        assert found >= 0, (passage.text, passage.words)
        position = found + len(word)


def read(settings: ReadSettings, size: int) -> list[Passage | str]:
    """Read the input in sections of at least so many characters; what is wrong with it comes last."""
    sections.SECTION = size
    found: list[Passage | str] = []
    try:
        for section in sources.read([str(PLACE)], settings):
            if section is not None:
                found.extend(readers.parse(section, [] if settings.skip_bad_rows else None))
    except NertagError as error:
        found.append(str(error))
    return found


def test_one_input(data: bytes) -> None:
    """Read an input: its first two bytes choose what it is taken for."""
    if len(data) < 2:
        return
    choice, kind = divmod(data[0], len(KINDS))
    choice, unit = divmod(choice, len(UNITS))
    rest = data[2:]
    settings = ReadSettings(
        kind=KINDS[kind],
        document=UNITS[unit],
        text_field=(None, "a.b")[choice % 2],
        encoding=ENCODINGS[data[1] % len(ENCODINGS)],
        errors=("strict", "replace")[data[1] // 16 % 2],  # type: ignore[arg-type]
        skip_bad_rows=data[1] >= 128,
    )
    PLACE.write_bytes(rest)
    whole = read(settings, 1 << 16)
    for passage in whole:
        if isinstance(passage, Passage):
            check(passage)
    if settings.document != "paragraph":  # Which is cut where it becomes too long.
        assert whole == read(settings, 5), (settings, rest)
    read_card(rest.decode("utf-8", "replace"))


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
