from __future__ import annotations

import re
from pathlib import Path

import pytest

from nertag.errors import DataError
from nertag.names import RegionNames, read_names


def write(folder: Path, content: str | bytes) -> Path:
    """Write a file of names."""
    path = folder / "names.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def test_names_are_grouped_by_region_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "# made up\nnorth\tgiven\tAino\nsouth\tfamily\tRoss\n\nnorth\tfamily\tVirtanen\r\nnorth\tgiven\tJuha\n"
        "south\tfamily\tO'Neill",
    )
    assert read_names(path) == [
        RegionNames("north", ("Aino", "Juha"), ("Virtanen",)),
        RegionNames("south", (), ("Ross", "O'Neill")),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "north\tgiven",
        "north given Aino",
        "north\tmiddle\tAino",
        "north\tgiven\tAnna Maria",
        "north\tgiven\t",
        "n\tgiven\ta\tb",
    ],
)
def test_a_line_of_another_form_is_named(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, f"north\tgiven\tAino\n{line}\n")
    message = f"{path}:2: {line!r} is not a region, 'given' or 'family', and a name of one word, parted by tabs"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_names(path)


@pytest.mark.parametrize("content", ["", "# nothing\n\n"])
def test_a_file_without_names(tmp_path: Path, content: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}: it holds no names$"):
        read_names(path)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", write(tmp_path, b"\xff\xfe")):
        with pytest.raises(DataError, match=f"^{re.escape(str(path))}: it cannot be read: "):
            read_names(path)
