"""Tagged passages in; tables out: a row for every mention of a text, or for every object that came with fields."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from nertag.errors import InputError, MissingExtraError
from nertag.text import Mention, TaggedPassage
from nertag.writers.base import Sink, is_marker, lines_of

if TYPE_CHECKING:
    import pyarrow as pa

MENTION_COLUMNS = ("file", "line", "start", "end", "text", "label", "score")

_OWN = ("text", "names", "mentions")
_GROUP_ROWS = 10_000  # Rows of a Parquet file that are held until they are written together.
_GROUP_CHARACTERS = 1 << 24  # The same for their text.
_ANY_TYPES = "--format jsonl takes values of any types."
_QUOTED = re.compile(r'[",\r\n]')


class Row(NamedTuple):
    """An object with its fields, as `Passage` has them, and the mentions in its text, None if that is a field."""

    fields: Mapping[str, str]
    text: str | None
    mentions: list[dict[str, Any]]
    source: str
    line: int


def mention_rows(tagged: TaggedPassage) -> list[tuple[Any, ...]]:
    """Return a row for each mention of a passage, as `MENTION_COLUMNS` names them.

    Of lines that were joined, a mention stands in the line where it begins.
    """
    mentions = tagged.mentions()
    places = zip(mentions, lines_of(tagged.passage, mentions), strict=True)
    return [_mention_row(tagged.passage.source, line, begin, mention) for mention, (line, begin) in places]


def _mention_row(source: str, line: int, begin: int, mention: Mention) -> tuple[Any, ...]:
    """Return the row of a mention, given its line and where that begins."""
    details = _details(mention) | {"start": mention.start - begin, "end": mention.end - begin}
    return (source, line, *details.values())


def object_row(tagged: TaggedPassage) -> Row | None:
    """Return the row of a passage; None for a marker."""
    passage = tagged.passage
    if is_marker(passage):
        return None
    text = None if passage.place else passage.text
    own = _own_columns(text)
    fields = {name: value for name, value in (passage.fields or {}).items() if name not in own}
    mentions = [_details(mention) for mention in tagged.mentions()]
    return Row(fields, text, mentions, passage.source, passage.line)


def _own_columns(text: str | None) -> tuple[str, ...]:
    """Return the columns that follow the fields: with the text, unless that is among them."""
    return _OWN if text is not None else _OWN[1:]


def _details(mention: Mention) -> dict[str, Any]:
    """Return a mention without its tokens."""
    return {
        "start": mention.start,
        "end": mention.end,
        "text": mention.text,
        "label": mention.label,
        "score": round(mention.score, 4),
    }


# --- CSV --------------------------------------------------------------------------------------------------------------


def csv_lines(tagged: TaggedPassage) -> str:
    """Return the lines of a passage's mentions."""
    return "".join(_csv_line(row) for row in mention_rows(tagged))


class CsvHead(Sink):
    """Writes the names of the columns and then lines as they come."""

    def begin(self) -> str:
        """Return the names of the columns."""
        return _csv_line(MENTION_COLUMNS)


class CsvSink(Sink):
    """Writes a line for every object; the fields of the first are the columns."""

    def __init__(self) -> None:
        self._columns: list[str] | None = None

    def write(self, piece: Row | None) -> str:
        """Return one line, and before the first one that of the column names.

        Raises:
            InputError: If an object has a field that the first one lacks.
        """
        if piece is None:
            return ""
        head = ""
        if self._columns is None:
            self._columns = list(piece.fields)
            head = _csv_line([*self._columns, *_own_columns(piece.text)])
        _check_fields(piece, self._columns)
        cells = [_cell_of(piece.fields.get(name, "null")) for name in self._columns]
        names = [mention["text"] for mention in piece.mentions]
        text = [] if piece.text is None else [piece.text]
        return head + _csv_line([*cells, *text, _json(names), _json(piece.mentions)])


_json = json.JSONEncoder(ensure_ascii=False).encode


def _csv_line(cells: Sequence[object]) -> str:
    """Return a line of cells (RFC 4180, but with a plain line feed)."""
    return ",".join(map(_quoted, map(str, cells))) + "\n"


def _quoted(cell: str) -> str:
    """Return a cell, in quotation marks where it needs them."""
    return '"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell


def _cell_of(value: str) -> str:
    """Return the cell for a JSON value: a string's content, nothing for null, and others as they are written."""
    if value.startswith('"'):
        text: str = json.loads(value)
        return text
    return "" if value == "null" else value


def _check_fields(row: Row, columns: Sequence[str]) -> None:
    """Check that there is a column for every field.

    Raises:
        InputError: If there is none.
    """
    for name in row.fields:
        if name not in columns:
            raise InputError(
                f"the object has a field {name!r}, for which there is no column: the first object lacks it",
                hint="--format jsonl takes objects of any fields.",
                path=row.source,
                line=row.line,
            )


# --- Parquet ----------------------------------------------------------------------------------------------------------


def require_parquet() -> None:
    """Check that what writes Parquet is installed, without importing it.

    Raises:
        MissingExtraError: If it is not.
    """
    if find_spec("pyarrow") is None:
        raise MissingExtraError("--format parquet needs pyarrow: run pip install 'nertag[parquet]'")


class _Buffer:
    """A file that hands over what has been written to it."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, content: Any) -> int:  # noqa: ANN401 - whatever Arrow passes: bytes or its own buffers
        self._parts.append(bytes(content))
        return len(self._parts[-1])

    def flush(self) -> None:
        """Do nothing: everything is at hand."""

    def close(self) -> None:
        """Do nothing: the content is still to be taken."""

    def take(self) -> bytes:
        """Return what has been written since the last time."""
        content = b"".join(self._parts)
        self._parts.clear()
        return content


class ParquetSink(Sink):
    """Writes rows in groups, so that a long table is never held as a whole.

    Args:
        objects: Whether a row is an object with fields; the types of the first group's fields are the columns'.
    """

    def __init__(self, objects: bool) -> None:
        import pyarrow.parquet as pq

        self._new_writer = pq.ParquetWriter
        self._buffer = _Buffer()
        self._writer: Any = None
        self._objects = objects
        self._rows: list[Any] = []
        self._columns: list[str] = []
        self._size = 0

    def write(self, piece: Any) -> bytes:  # noqa: ANN401 - a Row, or a list of rows of mentions
        """Take rows in.

        Returns:
            What can be written now.

        Raises:
            InputError: If an object does not fit the columns.
        """
        if self._objects:
            self._add_object(piece)
        else:
            self._rows += piece
        full = len(self._rows) >= _GROUP_ROWS or self._size >= _GROUP_CHARACTERS
        return self._write_group() if full else b""

    def finish(self) -> Iterator[bytes]:
        """Yield the last group and the end of the file."""
        yield self._write_group()
        self._writer.close()
        yield self._buffer.take()

    def _add_object(self, row: Row | None) -> None:
        """Take an object in.

        Raises:
            InputError: If it has a field that the first one lacks.
        """
        if row is None:
            return
        if not self._columns:
            self._columns = [*row.fields, *_own_columns(row.text)]
        _check_fields(row, self._columns)
        self._size += len(row.text or "") + sum(map(len, row.fields.values()))
        self._rows.append(row)

    def _write_group(self) -> bytes:
        """Write the rows that are there as a group."""
        rows, self._rows, self._size = self._rows, [], 0
        schema = None if self._writer is None else self._writer.schema
        table = _objects_table(rows, self._columns or _OWN, schema) if self._objects else _mentions_table(rows)
        if self._writer is None:
            self._writer = self._open(table.schema, rows)
        if rows:
            self._writer.write_table(table)
        return self._buffer.take()

    def _open(self, schema: pa.Schema, rows: Sequence[Any]) -> Any:  # noqa: ANN401 - a writer of Arrow's
        """Return what writes tables of these types.

        Raises:
            InputError: If Parquet cannot hold one of them, such as that of an object without fields.
        """
        import pyarrow as pa

        try:
            return self._new_writer(self._buffer, schema)
        except pa.ArrowNotImplementedError as error:
            message = f"Parquet cannot hold a field: {str(error).splitlines()[0]}"
            raise InputError(message, hint=_ANY_TYPES, path=rows[0].source) from None


def _mentions_table(rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Return rows of mentions as a table."""
    import pyarrow as pa

    types = (pa.string(), pa.int64(), pa.int64(), pa.int64(), pa.string(), pa.string(), pa.float64())
    schema = pa.schema(list(zip(MENTION_COLUMNS, types, strict=True)))
    columns = zip(*rows, strict=True) if rows else [()] * len(types)
    return pa.table(
        [pa.array(_encodable(list(column)), kind) for column, kind in zip(columns, types, strict=True)], schema=schema
    )


def _objects_table(rows: Sequence[Row], columns: Sequence[str], schema: pa.Schema | None) -> pa.Table:
    """Return objects as a table.

    Args:
        rows: The objects.
        columns: Their fields and ours.
        schema: The types of the columns; None to find them.

    Raises:
        InputError: If the values of a field are not of one type.
    """
    import pyarrow as pa

    mention = pa.struct(
        [
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("text", pa.string()),
            ("label", pa.string()),
            ("score", pa.float64()),
        ]
    )
    known = {"names": pa.list_(pa.string()), "mentions": pa.list_(mention)}
    if not rows or rows[0].text is not None:
        known["text"] = pa.string()
    arrays = []
    for index, name in enumerate(columns):
        kind = known.get(name) or (schema.field(index).type if schema is not None else None)
        values = [_encodable(_value(row, name)) for row in rows]
        try:
            array = pa.array(values, kind)
            if kind is not None and name not in known:
                _check_inner_fields(values, pa.list_(kind))
        except (pa.ArrowException, OverflowError) as error:
            raise InputError(
                f"the values of field {name!r} do not fit one type: {str(error).splitlines()[0]}",
                hint=_ANY_TYPES,
                path=rows[0].source,
            ) from None
        arrays.append(array.cast(pa.string()) if pa.types.is_null(array.type) else array)
    return pa.table(arrays, names=_encodable(list(columns)))


def _check_inner_fields(value: Any, kind: pa.DataType) -> None:  # noqa: ANN401 - any JSON value
    """Check that a type has a place for all fields of the objects in a value: Arrow leaves out others.

    Raises:
        ArrowInvalid: If there is none for one.
    """
    import pyarrow as pa

    if isinstance(value, list):
        if pa.types.is_nested(kind.value_type):
            for item in value:
                _check_inner_fields(item, kind.value_type)
    elif isinstance(value, dict):
        for name, item in value.items():
            index = kind.get_field_index(name)
            if index < 0:
                raise pa.ArrowInvalid(f"there is no place for {name!r}, which the objects before lack")
            _check_inner_fields(item, kind.field(index).type)


def _value(row: Row, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return what an object has in a column."""
    if name == "names":
        return [mention["text"] for mention in row.mentions]
    if name in _own_columns(row.text):
        return getattr(row, name)
    return json.loads(row.fields.get(name, "null"))


def _encodable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    r"""Return a value whose strings are valid Unicode: half of a surrogate pair becomes an escape such as `\ud83d`."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(name): _encodable(item) for name, item in value.items()}
    return value
