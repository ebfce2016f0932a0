from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

import pyarrow.parquet as pq
import pytest

from nertag.errors import InputError, MissingExtraError
from nertag.text import Passage, TaggedPassage
from nertag.writers import table
from nertag.writers.table import CsvHead, CsvSink, ParquetSink, csv_lines, mention_rows, object_row


def tagged(text: str, tags: str, **passage: object) -> TaggedPassage:
    names = tags.split()
    scores = [0.98765] * len(names)
    return TaggedPassage(Passage(text, text.split(), **passage), names, scores)  # type: ignore[arg-type]


def of_object(line: int = 1, text: str = "x", tags: str = "O", **values: object) -> TaggedPassage:
    fields = {name: json.dumps(value) for name, value in values.items()}
    return tagged(text, tags, fields=fields, source="a.jsonl", line=line)


MET = tagged('Tom met "Ada, Queen"', "B-PER O B-PER I-PER", source="a.txt", line=3)


def csv_rows(passages: Iterable[TaggedPassage]) -> list[list[str]]:
    sink = CsvSink()
    text = sink.begin() + "".join(sink.write(object_row(passage)) for passage in passages)
    assert list(sink.finish()) == []
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def parquet(passages: Iterable[TaggedPassage], objects: bool) -> Any:
    sink = ParquetSink(objects)
    render = object_row if objects else mention_rows
    parts = [sink.begin() or b"", *(sink.write(render(passage)) for passage in passages), *sink.finish()]
    return pq.ParquetFile(io.BytesIO(b"".join(parts)))  # type: ignore[arg-type]


def test_a_text_gives_a_row_for_every_mention() -> None:
    assert CsvHead().begin() + csv_lines(MET) + csv_lines(tagged("nobody", "O")) == (
        'file,line,start,end,text,label,score\na.txt,3,0,3,Tom,PER,0.9877\na.txt,3,8,20,"""Ada, Queen""",PER,0.9877\n'
    )


def test_an_object_gives_a_row_with_its_fields() -> None:
    rows = csv_rows(
        [
            of_object(
                id=1.5,
                who='say "hi",\r\nx',
                none=None,
                names="old",
                flags=[1, {"a": True}],
                text="Tom ran",
                tags="B-PER O",
            ),
            of_object(2, who="é"),
        ]
    )
    mention = '[{"start": 0, "end": 3, "text": "Tom", "label": "PER", "score": 0.9877}]'
    assert rows == [
        ["id", "who", "none", "flags", "text", "names", "mentions"],
        ["1.5", 'say "hi",\r\nx', "", '[1, {"a": true}]', "Tom ran", '["Tom"]', mention],
        ["", "é", "", "", "x", "[]", "[]"],
    ]


def test_a_field_without_a_column_is_refused() -> None:
    message = "a.jsonl:2: the object has a field 'b', for which there is no column: the first object lacks it"
    with pytest.raises(InputError, match=message):
        csv_rows([of_object(a=1), of_object(2, a=1, b=2)])
    with pytest.raises(InputError, match=message):
        parquet([of_object(a=1), of_object(2, a=1, b=2)], objects=True)


def test_parquet_has_the_columns_of_csv() -> None:
    found = parquet([MET, tagged("nobody", "O")], objects=False).read()
    assert found.column_names == list(table.MENTION_COLUMNS)
    assert [str(kind) for kind in found.schema.types] == ["string", *["int64"] * 3, *["string"] * 2, "double"]
    assert found.to_pylist()[1] == {
        "file": "a.txt",
        "line": 3,
        "start": 8,
        "end": 20,
        "text": '"Ada, Queen"',
        "label": "PER",
        "score": 0.9877,
    }


def test_parquet_keeps_fields_and_their_types() -> None:
    found = parquet(
        [of_object(id=1, tag=["a"], none=None, text="Tom ran", tags="B-PER O"), of_object(2, id=None)], objects=True
    ).read()
    assert [str(kind) for kind in found.schema.types[:3]] == ["int64", "list<element: string>", "string"]
    mention = {"start": 0, "end": 3, "text": "Tom", "label": "PER", "score": 0.9877}
    assert found.to_pylist() == [
        {"id": 1, "tag": ["a"], "none": None, "text": "Tom ran", "names": ["Tom"], "mentions": [mention]},
        {"id": None, "tag": None, "none": None, "text": "x", "names": [], "mentions": []},
    ]


@pytest.mark.parametrize("objects", [True, False])
def test_a_table_may_be_empty(objects: bool) -> None:
    found = parquet([], objects).read()
    assert found.num_rows == 0
    assert found.column_names == (["text", "names", "mentions"] if objects else list(table.MENTION_COLUMNS))


def test_rows_are_written_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_GROUP_ROWS", 4)
    file = parquet([of_object(number, id=number) for number in range(1, 11)], objects=True)
    assert [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)] == [4, 4, 2]
    assert file.read()["id"].to_pylist() == list(range(1, 11))
    monkeypatch.setattr(table, "_GROUP_ROWS", 10_000)
    monkeypatch.setattr(table, "_GROUP_CHARACTERS", 9)
    assert parquet([of_object(1, "x" * 5), of_object(2, "y" * 5), of_object(3, "z")], objects=True).num_row_groups == 2


def test_values_of_several_types_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"^a.jsonl: the values of field 'id' do not fit one type: ") as caught:
        parquet([of_object(id=1), of_object(2, id="b")], objects=True)
    assert caught.value.hint == "--format jsonl takes values of any types."
    monkeypatch.setattr(table, "_GROUP_ROWS", 1)
    with pytest.raises(InputError, match="the values of field 'id' do not fit one type: "):
        parquet([of_object(id=1), of_object(2, id="b")], objects=True)


@pytest.mark.parametrize(
    ("first", "second"),
    [({"a": 1}, {"a": 1, "b": 2}), ([{"a": 1}], [None, {"b": 2}]), ({"a": [{"c": 1}]}, {"a": [{"c": 1, "b": 2}]})],
)
def test_no_field_inside_of_a_field_is_lost(monkeypatch: pytest.MonkeyPatch, first: object, second: object) -> None:
    rows = [of_object(meta=first), of_object(2, meta=second)]
    assert parquet(rows, objects=True).read()["meta"].to_pylist() != [first, first]
    monkeypatch.setattr(table, "_GROUP_ROWS", 1)
    assert parquet([of_object(meta=first), of_object(2, meta=first)], objects=True).read().num_rows == 2
    with pytest.raises(InputError, match="'meta' do not fit one type: there is no place for 'b', which the objects"):
        parquet(rows, objects=True)


@pytest.mark.parametrize("value", [{}, [{}], {"a": {}}])
def test_what_parquet_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"^a.jsonl: Parquet cannot hold a field: Cannot write struct type") as caught:
        parquet([of_object(meta=value)], objects=True)
    assert caught.value.hint == "--format jsonl takes values of any types."


def test_half_a_surrogate_pair_in_the_name_of_a_field_is_written_as_an_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_GROUP_ROWS", 1)
    names: dict[str, Any] = {"\ud83d": 7}
    found = parquet([of_object(**names), of_object(2, **names)], objects=True).read()
    assert found["\\ud83d"].to_pylist() == [7, 7]


def test_half_a_surrogate_pair_is_written_as_an_escape() -> None:
    found = parquet([of_object(1, "Tom\ud83d ran", "B-PER O", id="\udc00", deep={"\ud800": ["\ud800"]})], objects=True)
    (row,) = found.read().to_pylist()
    assert (row["text"], row["id"], row["names"]) == ("Tom\\ud83d ran", "\\udc00", ["Tom\\ud83d"])
    assert row["deep"] == {"\\ud800": ["\\ud800"]}


def test_parquet_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    table.require_parquet()
    monkeypatch.setattr(table, "find_spec", lambda name: None)
    with pytest.raises(
        MissingExtraError, match=r"^--format parquet needs pyarrow: run pip install 'nertag\[parquet\]'$"
    ):
        table.require_parquet()
