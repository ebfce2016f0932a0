"""Tables in, CSV as it comes or Parquet files; sections of their rows out."""

from __future__ import annotations

import csv
import io
import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from nertag import sections
from nertag.errors import InputError, MissingExtraError
from nertag.sections import DOCUMENT, Row, Section, SectionMaker, Sections

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 1 << 10  # Rows of a Parquet file that are in hand together.
_LONGEST_CELL = (1 << 31) - 1


class _Collector:
    """Collects rows until they are a section.

    Args:
        maker: Makes the sections.
        columns: The table's columns.
        line: The line that names them, if there is one.

    Raises:
        InputError: If two columns have the same name, or there is none with the text.
    """

    def __init__(self, maker: SectionMaker, columns: Sequence[str], line: int | None = None) -> None:
        self.width = len(columns)
        self._maker = maker
        self._columns = tuple(columns)
        self._rows: list[Row] = []
        self._size = 0
        self._before = ""
        self._check(line)
        self._document = self._columns.index(DOCUMENT) if DOCUMENT in self._columns else None

    def _check(self, line: int | None) -> None:
        """Check the columns.

        Raises:
            InputError: If two have the same name, or there is none with the text.
        """
        path, columns, wanted = self._maker.source, self._columns, self._maker.settings.text_field or "text"
        twice = next((name for index, name in enumerate(columns) if name in columns[:index]), None)
        if twice is not None:
            raise InputError(f"two columns are called {twice!r}", path=path, line=line)
        nested = wanted.split(".")[0] if self._maker.kind == "parquet" else wanted
        if wanted not in columns and nested not in columns:
            names = ", ".join(map(repr, columns))
            hint = "Say which column has the text: --text-field NAME."
            raise InputError(f"there is no column {wanted!r}, but {names}", hint=hint, path=path, line=line)

    def add(self, row: Row) -> Iterator[Section]:
        """Take a row in and give the section that it completes."""
        self._rows.append(row)
        self._size += sum(map(len, row.cells or ()))
        if self._size >= sections.SECTION:
            yield from self.give()

    def give(self) -> Iterator[Section]:
        """Give the rows that wait."""
        if self._rows:
            yield self._maker.of_rows(self._columns, self._rows, self._size, self._before)
            last = self._rows[-1].cells
            self._before = "" if last is None or self._document is None else last[self._document]
            self._rows, self._size = [], 0


# --- CSV --------------------------------------------------------------------------------------------------------------


class _Pause(Exception):  # noqa: N818 - no error
    """Nothing more came for a while, and no row is in the middle."""


class _Lines:
    """The lines of text as it comes, for `csv.reader`: with their ends, which are line feeds, carriage returns or both.

    Raises:
        _Pause: Where the text pauses, if no row is in the middle then.
    """

    def __init__(self, texts: Iterator[str | None]) -> None:
        self._texts = texts
        self._begun: list[str] = []
        self._ready: Iterator[str] = iter(())
        self._starts = True
        self._ended = False
        self.between_rows = True

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        """Return the next line."""
        while (line := next(self._ready, None)) is None:
            self._fetch()
        self.between_rows = False
        return line

    def _fetch(self) -> None:
        """Take the next piece of text in.

        Raises:
            StopIteration: If there is none.
            _Pause: If there is none for now.
        """
        if self._ended:
            raise StopIteration
        text = next(self._texts, "")
        if text is None:
            if self.between_rows:
                raise _Pause
            return
        self._ended = not text
        if self._starts:
            text, self._starts = text.removeprefix("\ufeff"), False
        self._begun.append(text)
        if self._ended or "\n" in text or "\r" in text:
            lines = list(io.StringIO("".join(self._begun), newline=""))
            # A carriage return at the end may be the first half of a line's end.
            self._begun = [] if self._ended or lines[-1].endswith("\n") else [lines.pop()]
            self._ready = iter(lines)


def csv_sections(texts: Iterator[str | None], maker: SectionMaker, *, tabs: bool) -> Sections:
    """Cut a CSV file; its first row names the columns.

    Args:
        texts: Its text in pieces, none of them empty; None where it pauses.
        maker: Makes its sections.
        tabs: Whether cells are parted by tabs instead of commas.

    Yields:
        The sections, and None where the input pauses.

    Raises:
        InputError: If the columns do not do, or the text has a fault, after the rows before it.
    """
    collector: _Collector | None = None
    try:
        for record in _records(texts, "\t" if tabs else ","):
            if record is None:
                yield from collector.give() if collector else ()
                yield None
            elif collector:
                yield from collector.add(_row(record, collector.width))
            elif record.fault:
                raise InputError(record.fault, path=maker.source, line=record.line)
            else:
                collector = _Collector(maker, record.cells, record.line)
    except InputError:
        yield from collector.give() if collector else ()
        raise
    yield from collector.give() if collector else ()


class _Record(NamedTuple):
    """A row of CSV as it is read: the line where it begins, its cells, and what is wrong with it."""

    line: int
    cells: list[str]
    fault: str = ""


def _records(texts: Iterator[str | None], delimiter: str) -> Iterator[_Record | None]:
    """Read CSV.

    Yields:
        Rows that are not empty; None where the text pauses between two.

    Raises:
        InputError: If the text has a fault.
    """
    lines = _Lines(texts)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    limit = csv.field_size_limit(_LONGEST_CELL)  # Of all readers of this process: 128 K otherwise.
    try:
        while True:
            lines.between_rows = True
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except _Pause:
                yield None
            except csv.Error as error:
                yield _Record(line, [], f"not CSV: {error}")
            else:
                if cells:
                    yield _Record(line, cells)
    finally:
        csv.field_size_limit(limit)


def _row(record: _Record, width: int) -> Row:
    """Return a row of a table of so many columns."""
    if not record.fault and len(record.cells) != width:
        return Row(record.line, None, f"the row has {len(record.cells)} cells, and the table {width} columns")
    return Row(record.line, None, record.fault) if record.fault else Row(record.line, list(map(_json, record.cells)))


# --- Parquet ----------------------------------------------------------------------------------------------------------


def require_parquet() -> None:
    """Check that what reads Parquet is installed, without importing it.

    Raises:
        MissingExtraError: If it is not.
    """
    if find_spec("pyarrow") is None:
        raise MissingExtraError("--input parquet needs pyarrow: run pip install 'nertag[parquet]'")


def parquet_sections(file: IO[bytes], maker: SectionMaker) -> Sections:
    """Cut a Parquet file; a row's number stands for its line.

    Args:
        file: The file, in which one can go back and forth.
        maker: Makes its sections.

    Yields:
        The sections.

    Raises:
        InputError: If it is no Parquet file or damaged, after the rows before the damage; if the columns do not do.
        MissingExtraError: If pyarrow is not installed.
    """
    require_parquet()
    import pyarrow as pa
    import pyarrow.parquet as pq

    collector: _Collector | None = None
    line = 1
    try:
        table = pq.ParquetFile(file)
        collector = _Collector(maker, table.schema_arrow.names)
        _check_text(table.schema_arrow, maker)
        for batch in table.iter_batches(_BATCH, use_threads=False):
            for cells in zip(*map(_cells, batch.columns), strict=True):
                yield from collector.add(Row(line, list(cells)))
                line += 1
    except (pa.ArrowException, OSError, ValueError) as error:
        yield from collector.give() if collector else ()
        message = f"cannot be read as Parquet: {(str(error) or type(error).__name__).splitlines()[0]}"
        raise InputError(message, path=maker.source) from None
    yield from collector.give()


def _check_text(schema: pa.Schema, maker: SectionMaker) -> None:
    """Check that what holds the text is not made of bytes: in base64, as other bytes come, it would be tagged as if.

    Raises:
        InputError: If it is.
    """
    import pyarrow as pa

    wanted = maker.settings.text_field or "text"
    kind: pa.DataType = pa.struct(list(schema))
    for name in [wanted] if wanted in schema.names else wanted.split("."):
        if not pa.types.is_struct(kind) or kind.get_field_index(name) < 0:
            return
        kind = kind.field(kind.get_field_index(name)).type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        hint = "Store it with the type string."
        raise InputError(f"column {wanted!r} holds bytes, not text", hint=hint, path=maker.source)


def _cells(column: Any) -> list[str]:  # noqa: ANN401 - an array of Arrow's
    """Return the values of a column as JSON: times as text, bytes in base64."""
    import pyarrow as pa

    if pa.types.is_temporal(column.type) and not pa.types.is_duration(column.type):
        column = column.cast(pa.string())
    return [_json(value) for value in column.to_pylist()]


_json = json.JSONEncoder(
    ensure_ascii=False,
    default=lambda value: b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value),
).encode
