from __future__ import annotations

import csv
import io
import json
import pickle
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertag import readers, rows, sections, sources
from nertag.errors import InputError, MissingExtraError, NertagError
from nertag.sections import ReadSettings, Section, SectionMaker
from nertag.text import Passage


def cut(content: str, piece: int = 1 << 16, *, tabs: bool = False, **settings: Any) -> list[Section | None]:
    pieces = (content[start : start + piece] for start in range(0, len(content), piece))
    return list(rows.csv_sections(pieces, maker(**settings), tabs=tabs))


def maker(kind: Any = "csv", **settings: Any) -> SectionMaker:
    return SectionMaker("file", kind, ReadSettings(kind, **settings))


def passages_of(found: list[Section | None], skipped: list[NertagError] | None = None) -> list[Passage]:
    return [passage for section in found if section for passage in readers.parse(section, skipped)]


def fields_of(passages: list[Passage]) -> list[dict[str, Any]]:
    return [{name: json.loads(value) for name, value in (passage.fields or {}).items()} for passage in passages]


# --- CSV --------------------------------------------------------------------------------------------------------------

TABLE = '\ufeffid,text,"a, b"\n7,"Tom said ""hi""\nto Ada",x\r\n\n8,,\r9,"Zoë, too\r\n","1.10"'


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
def test_rows_are_read_with_quotes_and_line_ends_inside(piece: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "SECTION", size)
    found = passages_of(cut(TABLE, piece))
    assert [(passage.text, passage.line) for passage in found] == [
        ('Tom said "hi"\nto Ada', 2),
        ("", 5),
        ("Zoë, too\r\n", 6),
    ]
    assert fields_of(found) == [
        {"id": "7", "text": 'Tom said "hi"\nto Ada', "a, b": "x"},
        {"id": "8", "text": "", "a, b": ""},
        {"id": "9", "text": "Zoë, too\r\n", "a, b": "1.10"},
    ]
    assert all(list(passage.fields or ()) == ["id", "text", "a, b"] for passage in found)
    assert {passage.place for passage in found} == {("text",)}


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=3, max_size=3)
    ),
    st.integers(1, 20),
    st.sampled_from([",", "\t"]),
)
def test_what_python_writes_is_read(table: list[list[str]], piece: int, delimiter: str) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows([["a", "text", "b"], *table])
    found = passages_of(cut(stream.getvalue(), piece, tabs=delimiter == "\t"))
    assert [list(fields.values()) for fields in fields_of(found)] == table
    assert [passage.text for passage in found] == [row[1] for row in table]


def test_tabs_part_the_cells_of_tsv(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("id\ttext\n1\tTom, Ada\n", encoding="utf-8")
    found = passages_of(list(sources.read([str(tmp_path / "a.tsv")], ReadSettings())))
    assert [passage.text for passage in found] == ["Tom, Ada"]


def test_every_row_is_a_document_unless_the_column_doc_says_more(monkeypatch: pytest.MonkeyPatch) -> None:
    table = "doc,text\n1,a\n1,b\n2,c\n,d\n,e\n2,f\n2,g\n"
    for size in (1, 2, 5, 100):
        monkeypatch.setattr(sections, "SECTION", size)
        starts = [passage.starts_document for passage in passages_of(cut(table))]
        assert starts == [True, False, True, True, True, True, False]
        assert all(passage.starts_document for passage in passages_of(cut(table, document="line")))
    assert all(passage.starts_document for passage in passages_of(cut("text\na\nb\n")))


def test_columns_that_nertag_writes_itself_are_left_out() -> None:
    table = "mentions,text,names,n,tags\nx,Tom,y,1,z\n"
    assert fields_of(passages_of(cut(table))) == [{"text": "Tom", "n": "1"}]


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        (
            "id,body\n1,x\n",
            {},
            r"^file:1: there is no column 'text', but 'id', 'body'\n  hint: Say which .*--text-field",
        ),
        ("id,text\n1,x\n", {"text_field": "a.b"}, r"^file:1: there is no column 'a\.b', but"),
        ("text.x,text\n1,x\n", {"text_field": "text.y"}, r"^file:1: there is no column 'text\.y', but"),
        ("text,id,text\n", {}, r"^file:1: two columns are called 'text'$"),
        ('"text" x,id\n', {}, r"^file:1: not CSV: ',' expected after '\"'$"),
    ],
)
def test_columns_that_do_not_do(content: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        cut(content, **settings)


BROKEN = 'id,text\n1,"Tom\nAda"\n2\n3,"a"b\n4,fine\n5,"open\n'


def test_the_first_bad_row_ends_the_reading() -> None:
    found: list[str] = []
    with pytest.raises(InputError, match=r"^file:4: the row has 1 cells, and the table 2 columns$"):
        for section in cut(BROKEN):
            assert section is not None
            for passage in readers.parse(section):
                found.append(passage.text)
    assert found == ["Tom\nAda"]


def test_bad_rows_are_left_out_and_named() -> None:
    skipped: list[NertagError] = []
    found = passages_of(cut(BROKEN, skip_bad_rows=True), skipped)
    assert [passage.text for passage in found] == ["Tom\nAda", "fine"]
    assert [str(error) for error in skipped] == [
        "file:4: the row has 1 cells, and the table 2 columns",
        "file:5: not CSV: ',' expected after '\"'",
        "file:7: not CSV: unexpected end of data",
    ]


def test_what_came_before_a_pause_is_given_unless_a_row_is_in_the_middle() -> None:
    texts: Iterator[str | None] = iter(["text\na\nb", "\n", None, '"c\n', None, 'd"\n', None])
    found = list(rows.csv_sections(texts, maker(), tabs=False))
    assert [section and [row.cells for row in section.rows] for section in found] == [
        [['"a"'], ['"b"']],
        None,
        [['"c\\nd"']],
        None,
    ]


def test_rows_before_a_fault_of_the_text_are_given() -> None:
    def texts() -> Iterator[str | None]:
        yield "text\na\nb\nc"
        raise InputError("broken")

    stream = rows.csv_sections(texts(), maker(), tabs=False)
    section = next(stream)
    assert section is not None and [row.line for row in section.rows] == [2, 3]
    with pytest.raises(InputError, match="broken"):
        next(stream)


def test_a_huge_cell_takes_time_in_proportion() -> None:
    """Joining the pieces anew with every piece would copy 2 GB."""
    (section,) = cut('text\n"' + "x" * (1 << 21) + '"\n', 1 << 10)
    assert section is not None and section.size == (1 << 21) + 2


# --- Parquet ----------------------------------------------------------------------------------------------------------

needs_pyarrow = pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is not installed")


def write(path: Path, columns: dict[str, Any], **options: Any) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path, **options)
    return str(path)


@needs_pyarrow
def test_parquet_is_read_with_nulls_and_any_types(tmp_path: Path) -> None:
    columns = {
        "id": [7, None, 9],
        "when": [datetime(2024, 5, 1, 12, 30), None, None],
        "text": ["Tom met Ada", None, ""],
        "list": [["a", None], None, []],
        "blob": [b"\xff\0", None, b""],
        "cost": [Decimal("1.10"), None, None],
        "rate": [0.5, None, 1e300],
        "in": [{"a": 1, "b": date(2024, 5, 2)}, None, {"a": None, "b": None}],
    }
    path = write(tmp_path / "a.parquet", columns)
    found = passages_of(list(sources.read([path], ReadSettings())))
    assert [(passage.text, passage.line) for passage in found] == [("Tom met Ada", 1), ("", 2), ("", 3)]
    first, second, third = fields_of(found)
    assert first == {
        "id": 7,
        "when": "2024-05-01 12:30:00.000000",
        "text": "Tom met Ada",
        "list": ["a", None],
        "blob": "/wA=",
        "cost": "1.10",
        "rate": 0.5,
        "in": {"a": 1, "b": "2024-05-02"},
    }
    assert list(first) == list(columns)
    assert second == dict.fromkeys(columns)
    assert third["text"] == "" and third["rate"] == 1e300


@needs_pyarrow
def test_parquet_is_read_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "SECTION", 1000)
    texts = [f"Tom {number}" for number in range(5000)]
    path = write(tmp_path / "a.parquet", {"text": texts}, row_group_size=700)
    found = [section for section in sources.read([path], ReadSettings()) if section]
    assert len(found) > 20
    assert [passage.text for passage in passages_of([*found])] == texts


@needs_pyarrow
def test_the_text_may_be_in_a_structure(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"a": [{"b": "Tom", "c": 1}, {"b": "Ada", "c": None}]})
    found = passages_of(list(sources.read([path], ReadSettings(text_field="a.b"))))
    assert [(passage.text, passage.place) for passage in found] == [("Tom", ("a", "b")), ("Ada", ("a", "b"))]


@needs_pyarrow
def test_parquet_that_does_not_do(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"text": [1, 2]})
    with pytest.raises(InputError, match=r"a\.parquet:1: 'text' must be a string, not 1$"):
        passages_of(list(sources.read([path], ReadSettings())))
    with pytest.raises(InputError, match=r"a\.parquet: there is no column 'body', but 'text'"):
        list(sources.read([path], ReadSettings(text_field="body")))
    path = write(tmp_path / "a.parquet", {"text": [b"Tom"], "in": [{"bytes": b"Tom", "ok": "Ada"}]})
    for field, name in ((None, "text"), ("in.bytes", "in.bytes")):
        with pytest.raises(InputError, match=rf"a\.parquet: column '{name}' holds bytes, not text"):
            list(sources.read([path], ReadSettings(text_field=field)))
    assert passages_of(list(sources.read([path], ReadSettings(text_field="in.ok"))))[0].text == "Ada"
    for content in (b"", b"no Parquet at all", Path(path).read_bytes()[:-9]):
        (tmp_path / "b.parquet").write_bytes(content)
        with pytest.raises(InputError, match=r"b\.parquet: cannot be read as Parquet: "):
            list(sources.read([str(tmp_path / "b.parquet")], ReadSettings()))
    with pytest.raises(InputError, match=r"gone\.parquet: cannot be read: No such file"):
        list(sources.read([str(tmp_path / "gone.parquet")], ReadSettings()))


@needs_pyarrow
def test_compressed_parquet_is_read(tmp_path: Path) -> None:
    import gzip

    content = Path(write(tmp_path / "a.parquet", {"text": ["Tom"]})).read_bytes()
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(content))
    assert [
        passage.text for passage in passages_of(list(sources.read([str(tmp_path / "a.parquet.gz")], ReadSettings())))
    ] == ["Tom"]


def test_parquet_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"--input parquet needs pyarrow: run pip install 'nertag\[parquet\]'"):
        list(sources.read(["a.parquet"], ReadSettings()))


def test_the_limit_of_other_readers_of_csv_stays() -> None:
    before = csv.field_size_limit()
    passages_of(cut("text\n" + "x" * (before + 1) + "\n"))
    assert csv.field_size_limit() == before


def test_sections_of_rows_go_to_other_processes() -> None:
    (section,) = cut(TABLE)
    assert pickle.loads(pickle.dumps(section)) == section
