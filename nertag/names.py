"""A file of given and family names in; the names of each region out.

The file has three columns parted by tabs: a region's key, `given` or `family`, and a name of one word. Lines that start
with `#` are notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nertag.errors import DataError

_PARTS = ("given", "family")


@dataclass(frozen=True, slots=True)
class RegionNames:
    """The names of one region, as a mention's first and last word.

    Attributes:
        key: What the file calls it.
        given: Given names, at least one unless there are family names.
        family: Family names, likewise.
    """

    key: str
    given: tuple[str, ...]
    family: tuple[str, ...]


def read_names(path: Path) -> list[RegionNames]:
    """Read a file of names.

    Returns:
        The regions in the order of their first line.

    Raises:
        DataError: If the file cannot be read or a line has another form.
    """
    regions: dict[str, dict[str, list[str]]] = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"it cannot be read: {error}", path=path) from None
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.rstrip("\r").split("\t")
        if len(cells) != 3 or cells[1] not in _PARTS or len(cells[2].split()) != 1:
            raise DataError(
                f"{line!r} is not a region, 'given' or 'family', and a name of one word, parted by tabs",
                path=path,
                line=number,
            )
        regions.setdefault(cells[0], {part: [] for part in _PARTS})[cells[1]].append(cells[2])
    if not regions:
        raise DataError("it holds no names", path=path)
    return [RegionNames(key, tuple(parts["given"]), tuple(parts["family"])) for key, parts in regions.items()]
