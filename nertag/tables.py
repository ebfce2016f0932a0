"""One data file in; a table of raw rows out, each with its place in the file.

JSON, JSON Lines, CSV, Parquet and column files go through the loaders of `datasets`. They are streamed: nothing is
copied into a cache, so a changed file is never served stale. Where a loader refuses a JSON Lines file as a whole, the
file is read line by line, which tells the broken lines from the good ones.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import importlib
import json
import lzma
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from nertag.errors import DataError
from nertag.text import DOCSTART

# The kind of every file name ending that is read; `.tsv` is either kind, which its first line decides.
KINDS: Mapping[str, str] = {
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".conll": "columns",
    ".conllu": "columns",
    ".iob2": "columns",
    ".iob": "columns",
    ".bio": "columns",
    ".txt": "columns",
}
_OPENERS: Mapping[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_LOADERS = {"json": "Json", "csv": "Csv", "parquet": "Parquet", "conll": "Conll"}
# One batch for the whole file: a loader infers the types of a batch, and two batches might not agree.
_WHOLE_FILE = 1 << 31
# Nested this deep, JSON still does no harm to the loader.
_MANY_BRACKETS = 500


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file to read.

    Attributes:
        path: Where it lies.
        shown: What messages call it.
        class_names: Names behind the integers of a column, from the card of the dataset it belongs to.
    """

    path: Path
    shown: str
    class_names: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unread:
    """Stands in every column of a row that could not be read, and says why.

    Attributes:
        message: What is wrong with the row.
        token: The token it is wrong at, counted from 0.
    """

    message: str
    token: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one file, column by column.

    Attributes:
        shown: What messages call the file.
        names: The columns; "1", "2", ... in a column file.
        column: Returns the cells of the named column.
        class_names: Names behind the integers of a column.
        line: Returns the line, from 1, of a row and a token in it, both from 0; None where rows have no lines.
        headless: Whether the columns have no names and must be told by what stands in them.
    """

    shown: str
    names: Sequence[str]
    column: Callable[[str], list[Any]]
    class_names: Mapping[str, Sequence[str]]
    line: Callable[[int, int], int] | None = None
    headless: bool = False

    def error(self, message: str, row: int, token: int = 0, *, hint: str | None = None) -> DataError:
        """Return the error to raise about a row (from 0) and a token in it (from 0)."""
        if self.line is None:
            return DataError(message, hint=hint, path=f"{self.shown} row {row + 1}")
        return DataError(message, hint=hint, path=self.shown, line=self.line(row, token))


def kind_of(name: str) -> str | None:
    """Return the kind of file that a name stands for, whether or not it is compressed; None for others."""
    path = Path(name.lower())
    return KINDS.get((path.with_suffix("") if path.suffix in _OPENERS else path).suffix)


def read_table(file: DataFile) -> Table:
    """Return the rows of one file.

    Raises:
        DataError: If its kind is unknown or it cannot be read.
    """
    kind = kind_of(file.path.name)
    if kind is None:
        endings = ", ".join(KINDS)
        raise DataError(
            "its name says no format that is read", hint=f"Name it {endings}, or with .gz.", path=file.shown
        )
    try:
        if kind == "tsv":
            kind = "csv" if _has_header(file.path) else "columns"
        return _READERS[kind](file)
    except UnicodeDecodeError:
        raise DataError("not valid UTF-8", path=file.shown, line=_first_undecodable(file.path)) from None
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"cannot be read: {error}", path=file.shown) from error


def _has_header(path: Path) -> bool:
    """Whether the first line of a `.tsv` names its columns: one of them holds tokens or text."""
    with open_text(path) as lines:
        names = {name.strip().strip('"').lower() for name in lines.readline().split("\t")}
    return bool(names & {"tokens", "words", "text"})


def open_text(path: Path) -> IO[str]:
    """Open a text file, compressed or not; a byte order mark is dropped."""
    opener = _OPENERS.get(path.suffix.lower(), open)
    text: IO[str] = opener(path, mode="rt", encoding="utf-8-sig")
    return text


def _first_undecodable(path: Path) -> int | None:
    """Return the first line that is not valid UTF-8."""
    with _OPENERS.get(path.suffix.lower(), open)(path, mode="rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return None


# --- The loaders of datasets ------------------------------------------------------------------------------------------


@contextmanager
def quiet_datasets() -> Iterator[None]:
    """Keep the loaders from logging what our own errors say better, and from warning of files they leave open."""
    from datasets.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            # Before datasets 5.2 the CSV loader leaves its file to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            yield
    finally:
        logging.set_verbosity(level)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What a loader made of a file.

    Attributes:
        names: The columns.
        batches: Arrow tables, or one dict of lists where cells had to be decoded one by one.
        class_names: Names behind the integers of a column, as stored in the file.
        types: The Arrow type of each column as text.
    """

    names: Sequence[str]
    batches: Sequence[Any]
    class_names: Mapping[str, Sequence[str]]
    types: Mapping[str, str]

    def column(self, name: str) -> list[Any]:
        """Return the cells of a column."""
        return [cell for batch in self.batches for cell in _plain(batch[name])]


def _plain(cells: Sequence[Any]) -> list[Any]:
    """Return Arrow cells as Python values."""
    return cells if isinstance(cells, list) else list(cells.to_pylist())  # type: ignore[attr-defined]


def _load(loader: str, path: Path, **options: object) -> _Loaded:
    """Return what a loader of `datasets` makes of one file.

    Raises:
        ValueError: If the loader refuses the file; pyarrow's and pandas' errors are of this kind.
    """
    module = importlib.import_module(f"datasets.packaged_modules.{loader}.{loader}")
    with quiet_datasets(), tempfile.TemporaryDirectory(prefix="nertag-", ignore_cleanup_errors=True) as folder:
        build = getattr(module, _LOADERS[loader])
        builder = build(cache_dir=folder, data_files={"rows": [_literally(path)]}, **options)
        try:
            rows = builder.as_streaming_dataset("rows")
        except StopIteration:
            return _Loaded((), (), {}, {})
        try:
            batches = list(rows.with_format("arrow").iter(batch_size=_WHOLE_FILE))
        except ValueError as error:
            error.__traceback__ = None  # Its frames would hold the file open.
            raise
        if not batches:
            return _Loaded((), (), {}, {})
        fields = {field.name: str(field.type) for field in batches[0].schema}
        if any("arrow.json" in kind for kind in fields.values()):
            # Cells of mixed types come as JSON text; the rows one by one come decoded.
            decoded = list(rows)
            batches = [{name: [row[name] for row in decoded] for name in fields}]
    return _Loaded(tuple(fields), batches, class_names_of(rows.features), fields)


def _literally(path: Path) -> str:
    """Return a path as a pattern that matches only itself."""
    return "".join(f"[{sign}]" if sign in "[*?" else sign for sign in str(path.absolute()))


def class_names_of(features: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """Return the names behind integers for every column whose feature, or whose items' feature, is a ClassLabel."""
    names = {}
    for column, feature in (features or {}).items():
        found = getattr(getattr(feature, "feature", feature), "names", None)
        if found:
            names[column] = list(found)
    return names


def _table(file: DataFile, loaded: _Loaded, line: Callable[[int, int], int] | None = None) -> Table:
    """Return a loaded file as a table; names in the file win over those on the card."""
    return Table(file.shown, loaded.names, loaded.column, {**file.class_names, **loaded.class_names}, line)


# --- One function per kind --------------------------------------------------------------------------------------------


def _read_parquet(file: DataFile) -> Table:
    """Read a Parquet file."""
    try:
        return _table(file, _load("parquet", file.path))
    except ValueError as error:
        raise DataError(f"not a Parquet file that can be read: {_one_line(error)}", path=file.shown) from error


def _read_csv(file: DataFile) -> Table:
    """Read a CSV file, or a TSV file with a header, every cell as text."""
    import datasets

    separator = "\t" if ".tsv" in file.path.name.lower() else ","
    with open_text(file.path) as lines:
        try:
            header = next((row for row in csv.reader(lines, delimiter=separator) if row), [])
        except csv.Error as error:
            raise DataError(f"not a CSV file that can be read: {error}", path=file.shown) from None
    if not header:
        return _table(file, _Loaded((), (), {}, {}))
    # A column without a name is mostly the row numbers that pandas writes.
    names = [name or f"column {number}" for number, name in enumerate(header, start=1)]
    if len(set(names)) < len(names):
        raise DataError(f"two columns have the same name: {', '.join(names)}", path=file.shown, line=1)
    features = datasets.Features({name: datasets.Value("string") for name in names})
    # Too many fields in the first row would become an index, and "NA" is a word like any other.
    options = {"names": names, "header": 0, "index_col": False, "on_bad_lines": "error", "keep_default_na": False}
    options["encoding"] = "utf-8-sig"
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Length of header or names")
            loaded = _load("csv", file.path, features=features, sep=separator, **options)
    except Warning:
        raise DataError(f"a row has more fields than the {len(names)} of the first line", path=file.shown) from None
    except ValueError as error:
        raise DataError(f"not a CSV file that can be read: {_one_line(error)}", path=file.shown) from error
    return _table(file, loaded)


def _read_json(file: DataFile) -> Table:
    """Read JSON Lines or a JSON array of objects."""
    with open_text(file.path) as lines:
        is_array = _first_sign(lines) == "["
    read_again = _read_array if is_array else _read_lines
    if not is_array and _may_be_deep(file.path):
        return read_again(file)
    try:
        loaded = _load("json", file.path, chunksize=_WHOLE_FILE)
    except UnicodeDecodeError:
        raise
    except (ValueError, TypeError, AttributeError, NotImplementedError, RecursionError):
        return read_again(file)
    if any("timestamp" in kind or "date" in kind or "time" in kind for kind in loaded.types.values()):
        return read_again(file)  # The loader took text that looks like a date for one.
    return _table(file, loaded, None if is_array else _LineNumbers(file.path))


def _may_be_deep(path: Path) -> bool:
    """Whether a line opens so many brackets that the loader, which has no limit, might crash on their nesting."""
    with open_text(path) as lines:
        return any(line.count("[") + line.count("{") > _MANY_BRACKETS for line in lines)


def _first_sign(lines: IO[str]) -> str:
    """Return the first character that is not white space."""
    while chunk := lines.read(4096):
        if chunk.strip():
            return chunk.strip()[0]
    return ""


def _read_array(file: DataFile) -> Table:
    """Read a JSON array of objects with Python's own parser, which says where a mistake is."""
    with open_text(file.path) as lines:
        try:
            rows = json.load(lines)
        except UnicodeDecodeError:
            raise
        except (ValueError, RecursionError) as error:
            line = error.lineno if isinstance(error, json.JSONDecodeError) else None
            raise DataError(f"not valid JSON: {_json_fault(error)}", path=file.shown, line=line) from None
    return _from_rows(file, [row if isinstance(row, dict) else _not_an_object(row) for row in rows], None)


def _read_lines(file: DataFile) -> Table:
    """Read JSON Lines one by one, so that each broken line is known."""
    rows: list[Mapping[str, Any] | Unread] = []
    numbers = []
    with open_text(file.path) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                rows.append(_parse_line(line))
                numbers.append(number)
    return _from_rows(file, rows, lambda row, token: numbers[row])


def _parse_line(line: str) -> Mapping[str, Any] | Unread:
    """Parse one JSON line."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Unread(f"not valid JSON: {_json_fault(error)}: {shortened(line.strip())}")
    return row if isinstance(row, dict) else _not_an_object(row)


def _json_fault(error: Exception) -> str:
    """Say why Python's parser refused some JSON."""
    if isinstance(error, RecursionError):
        return "nested too deep"
    return error.msg if isinstance(error, json.JSONDecodeError) else _one_line(error)


def _not_an_object(row: object) -> Unread:
    """Say that a JSON value is no object."""
    return Unread(f"not a JSON object: {shortened(json.dumps(row, ensure_ascii=False))}")


def _from_rows(file: DataFile, rows: Sequence[Any], line: Callable[[int, int], int] | None) -> Table:
    """Return rows as a table whose columns are all keys that occur.

    Returns:
        The table.

    Raises:
        DataError: If no row can be read.
    """
    names = list(dict.fromkeys(name for row in rows if not isinstance(row, Unread) for name in row))

    def column(name: str) -> list[Any]:
        return [row if isinstance(row, Unread) else row.get(name) for row in rows]

    table = Table(file.shown, names, column, file.class_names, line)
    broken = next(((index, row) for index, row in enumerate(rows) if isinstance(row, Unread)), None)
    if broken and not names:
        raise table.error(broken[1].message, broken[0])
    return table


class _LineNumbers:
    """Finds the line of a row in a file with one row per line; blank lines hold none. The file is read when asked."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, row: int, token: int) -> int:
        """Return the line, counted from 1, of a row, counted from 0."""
        with open_text(self.path) as lines:
            filled = (number for number, line in enumerate(lines, start=1) if line.strip())
            return next(number for index, number in enumerate(filled) if index == row)


# --- Column files -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a first look at a column file shows.

    Attributes:
        width: Columns of its first token line.
        delimiter: A tab where that line has one, else None: any white space.
        lines: The number of every line that is not blank.
        after_gap: Which of those lines, by index, follow two or more blank ones.
    """

    width: int
    delimiter: str | None
    lines: Sequence[int]
    after_gap: frozenset[int]


def _look_at(path: Path) -> _Layout:
    """Read a column file for its layout."""
    width, delimiter = 0, None
    filled: list[int] = []
    gaps = set()
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            if filled and number - filled[-1] > 2:
                gaps.add(len(filled))
            filled.append(number)
            if not width and not line.startswith(DOCSTART) and not (line.startswith("#") and "\t" not in line):
                delimiter = "\t" if "\t" in line.rstrip() else None
                width = len(line.rstrip().split(delimiter))
    return _Layout(width, delimiter, filled, frozenset(gaps))


def _read_columns(file: DataFile) -> Table:
    """Return the sentences of a column file: one token a line, a blank line between sentences.

    A column "document" is added that counts documents: a new one starts at `-DOCSTART-`, at a `# newdoc` comment and
    after two blank lines. Comments are known in tab-separated files only; elsewhere `#` is a token.
    """
    layout = _look_at(file.path)
    # One column more than there are, so that a line with too many shows.
    names = [str(number) for number in range(1, layout.width + 2)]
    options = {"column_names": names, "delimiter": layout.delimiter, "skip_docstart": False, "encoding": "utf-8-sig"}
    loaded = _load("conll", file.path, **options) if layout.width else _Loaded((), (), {}, {})
    sentences = _cut_sentences([loaded.column(name) for name in loaded.names], layout)
    columns: dict[str, list[Any]] = {name: [] for name in names[:-1]}
    columns["document"] = [sentence.document for sentence in sentences]
    for sentence in sentences:
        problem = _width_problem(sentence, layout)
        for name, cells in zip(names[:-1], sentence.columns, strict=False):
            columns[name].append(problem or cells)
    starts = [sentence.start for sentence in sentences]
    return Table(
        file.shown,
        names[:-1],
        columns.__getitem__,
        {},
        lambda row, token: layout.lines[starts[row] + token],
        headless=True,
    )


@dataclass(frozen=True, slots=True)
class _ColumnSentence:
    """A sentence of a column file: its cells by column, the index of its first line, and the number of its document."""

    columns: Sequence[Sequence[str]]
    start: int
    document: int


def _cut_sentences(columns: Sequence[Sequence[Sequence[str]]], layout: _Layout) -> list[_ColumnSentence]:
    """Take `-DOCSTART-` and comment lines out of the loaded sentences and count documents."""
    sentences = []
    start, document = 0, 0
    for cells in zip(*columns, strict=True):
        length = len(cells[0])
        document += start in layout.after_gap
        first = 0
        for token in range(length):
            marker = cells[0][token] == DOCSTART
            comment = (
                layout.delimiter is not None
                and cells[0][token].startswith("#")
                and not any(c[token] for c in cells[1:])
            )
            if marker or comment:
                if first < token:
                    sentences.append(_ColumnSentence([c[first:token] for c in cells], start + first, document))
                document += marker or cells[0][token].lstrip("# ").startswith("newdoc")
                first = token + 1
        if first < length:
            sentences.append(_ColumnSentence([c[first:] for c in cells], start + first, document))
        start += length
    return sentences


def _width_problem(sentence: _ColumnSentence, layout: _Layout) -> Unread | None:
    """Say where a sentence has a line with too few or too many columns."""
    *_, last, beyond = sentence.columns
    if all(last) and not any(beyond):
        return None
    for token, (cell, extra) in enumerate(zip(last, beyond, strict=True)):
        if extra or not cell:
            words = [column[token] for column in sentence.columns if column[token]]
            found = f"{len(words)}" if not extra else f"more than {layout.width}"
            return Unread(
                f"{found} columns where the file's first line has {layout.width}: {shortened(' '.join(words))}", token
            )
    return None


_READERS: Mapping[str, Callable[[DataFile], Table]] = {
    "json": _read_json,
    "csv": _read_csv,
    "parquet": _read_parquet,
    "columns": _read_columns,
}


def shortened(text: str, length: int = 60) -> str:
    """Return text in quotes on one line, cut to `length` characters."""
    return repr(text if len(text) <= length else text[: length - 1] + "…")


def _one_line(error: Exception) -> str:
    """Return an error's message on one line."""
    return " ".join(str(error).split())
