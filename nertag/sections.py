"""The text of one source in, as it comes; sections of whole lines out.

A section is what one worker tags at a time. It holds whole lines of one source, for CoNLL input whole sentences, for
tables whole rows, and where it is cut depends on the content alone: the same input gives the same sections however it
arrives, unless it pauses. Nothing here holds more than one section, or one line if that is longer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from nertag.charset import Decoder
from nertag.config import DecodingErrors, DocumentUnit, InputFormat

SECTION = 1 << 16
"""Code points after which a section ends with the line, the sentence or the row that reaches them."""

DOCUMENT = "doc"
"""The field by which consecutive objects and rows are one document."""

_LONG_PARAGRAPHS = 16  # Sections' sizes after which a paragraph is cut at the end of a line.
_BLANK_LINE = re.compile(r"^[^\S\n]*\n", re.MULTILINE)

Sections = Iterator["Section | None"]


class ReadSettings(NamedTuple):
    """How inputs are read. All of it decides what comes out.

    Attributes:
        kind: What they are; None to tell by the ending of each file's name, and running text without one.
        document: What one document is.
        text_field: The field or column with the text, nested ones with dots; None for `text`.
        encoding: Their encoding, as `charset.check_encoding` returned it.
        errors: `strict`: what cannot be decoded is a fault; `replace`: it is replaced by U+FFFD and counted.
        skip_bad_rows: Whether to leave out lines and rows with a fault, and count them.
    """

    kind: InputFormat | None = None
    document: DocumentUnit = "file"
    text_field: str | None = None
    encoding: str = "utf-8"
    errors: DecodingErrors = "strict"
    skip_bad_rows: bool = False


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        line: The line where it begins, or its number where there are no lines; counted from 1.
        cells: The JSON of each cell; None if the row cannot be read.
        fault: What is wrong then.
    """

    line: int
    cells: list[str] | None
    fault: str = ""


class Section(NamedTuple):
    r"""Whole lines, or rows, of one source.

    Attributes:
        source: The file they come from as the user named it, `-` for standard input.
        line: The number of the first, counted from 1.
        text: The lines with their ends; the source's last line may have none. A byte order mark is still there.
        kind: What the lines are.
        document: What one document is.
        before: The last line before the section that is not blank, followed by one line feed for itself and one for
            each blank line after it, at most two; empty at the start of a source and where nobody asks for it. In
            tables, the JSON of the last row's `doc`; empty if it has none.
        text_field: As in `ReadSettings`.
        skip_bad_rows: As in `ReadSettings`.
        columns: The names of a table's columns.
        rows: The rows of a table, which has no lines.
        row_size: Code points in the rows.
        taken: Bytes that were read since the section before; None if nobody counts them.
        replaced: Places in it, or before it, that could not be decoded and have been replaced.
        encoding: The encoding that was guessed; empty if none was.
    """

    source: str
    line: int
    text: str
    kind: InputFormat
    document: DocumentUnit
    before: str = ""
    text_field: str | None = None
    skip_bad_rows: bool = False
    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    row_size: int = 0
    taken: int | None = None
    replaced: int = 0
    encoding: str = ""

    @property
    def size(self) -> int:
        """Code points in it."""
        return len(self.text) + self.row_size

    @property
    def share(self) -> int:
        """How much of its file it is: bytes as far as they are counted, else code points."""
        return self.size if self.taken is None else self.taken


def text_of(section: Section) -> str:
    """Return the text of a section without a byte order mark."""
    return section.text.removeprefix("\ufeff") if section.line == 1 else section.text


def lines_of(section: Section) -> list[str]:
    """Return the lines of a section without their line feeds."""
    lines = text_of(section).split("\n")
    if section.text.endswith("\n"):
        lines.pop()
    return lines


def numbered(section: Section) -> Iterator[tuple[int, str]]:
    """Yield the lines of a section without their ends and with their numbers in the source."""
    for number, line in enumerate(lines_of(section), section.line):
        yield number, line.removesuffix("\r")


class SectionMaker:
    """Makes the sections of one source.

    Args:
        source: Its name.
        kind: What it is.
        settings: How it is read.
        decoder: What decodes it; None if that is no text.
    """

    def __init__(self, source: str, kind: InputFormat, settings: ReadSettings, decoder: Decoder | None = None) -> None:
        self.source = source
        self.kind = kind
        self.settings = settings
        self._decoder = decoder
        self._told = 0
        self._taken: int | None = None

    def counted(self, chunks: Iterator[bytes | None]) -> Iterator[bytes | None]:
        """Hand on the source's bytes as they are in its file, and count them."""
        self._taken = 0
        for chunk in chunks:
            self._taken += len(chunk or b"")
            yield chunk

    def of_lines(self, line: int, text: str, before: str) -> Section:
        """Make a section of lines, of which the first is number `line`."""
        return self._make(line=line, text=text, before=before)

    def of_rows(self, columns: tuple[str, ...], rows: Sequence[Row], size: int, before: str) -> Section:
        """Make a section of rows that have `size` code points together."""
        return self._make(line=rows[0].line, text="", before=before, columns=columns, rows=tuple(rows), row_size=size)

    def _make(self, **content: Any) -> Section:  # noqa: ANN401 - a section's attributes
        """Make a section."""
        replaced, encoding = self._decoding()
        taken = self._taken
        if taken is not None:
            self._taken = 0
        return Section(
            source=self.source,
            kind=self.kind,
            document=self.settings.document,
            text_field=self.settings.text_field,
            skip_bad_rows=self.settings.skip_bad_rows,
            taken=taken,
            replaced=replaced,
            encoding=encoding,
            **content,
        )

    def _decoding(self) -> tuple[int, str]:
        """Return what has been replaced since the last section, and the encoding if it was guessed."""
        if self._decoder is None:
            return 0, ""
        told, self._told = self._told, self._decoder.replaced
        return self._told - told, self._decoder.guessed


class Cutter:
    """Pieces of a source's text on their way to sections, in time proportional to their length however long a line is.

    `_begun` holds the start of a line that has not ended yet, `_lines` the text of whole lines, from `_line` on, that
    no section has taken yet.

    Args:
        maker: Makes the sections.
    """

    def __init__(self, maker: SectionMaker) -> None:
        self._maker = maker
        document = maker.settings.document
        self._at_paragraphs = maker.kind == "text" and document == "paragraph"
        self._at_blank_lines = maker.kind == "conll" or self._at_paragraphs
        self._looks_back = document != "line" and (maker.kind != "text" or self._at_paragraphs)
        self._begun: list[str] = []
        self._lines: list[str] = []
        self._size = 0
        self._line = 1
        self._before = ""

    def add(self, text: str) -> Iterator[Section]:
        """Take a piece in and give the sections that it completes."""
        end = text.rfind("\n") + 1
        if not end:
            if text:
                self._begun.append(text)
            return
        lines = "".join([*self._begun, text[:end]])
        self._begun = [text[end:]] if end < len(text) else []
        yield from self._cut(lines)

    def pause(self) -> Iterator[Section]:
        """Give what is complete: whole lines, or whole sentences or paragraphs."""
        text = self._take()
        end = len(text)
        if self._at_blank_lines:
            end = max((blank.end() for blank in _BLANK_LINE.finditer(text)), default=0)
        if end:
            yield self._section(text[:end])
        self._keep(text[end:])

    def finish(self) -> Iterator[Section]:
        """Give everything that is left at the end of the source."""
        yield from self._cut("".join(self._begun))
        yield from self.break_off()

    def break_off(self) -> Iterator[Section]:
        """Give all whole lines that no section has taken yet."""
        text = self._take()
        if text:
            yield self._section(text)

    @property
    def line(self) -> int:
        """The number of the line after all sections."""
        return self._line

    def _cut(self, text: str) -> Iterator[Section]:
        """Put lines to those that wait, and give every section that is complete then."""
        start = 0
        while end := self._border(text, start):
            yield self._section(self._take() + text[start:end])
            start = end
        self._keep(text[start:] if start else text)

    def _border(self, text: str, start: int) -> int:
        """Return where the section ends that begins with what waits and goes on at `start`: after its last line.

        It is 0 if that has not come yet.
        """
        least = start + max(SECTION - self._size, 1)
        if not self._at_blank_lines:
            return text.find("\n", least - 1) + 1
        position = max(start, least - 1)
        while (blank := _BLANK_LINE.search(text, position)) and blank.end() < least:
            position = blank.end()
        end = blank.end() if blank else 0
        if self._at_paragraphs:
            most = text.find("\n", start + max(_LONG_PARAGRAPHS * SECTION - self._size, 1) - 1) + 1
            return min(end, most) if end and most else end or most
        return end

    def _keep(self, text: str) -> None:
        """Let lines wait."""
        if text:
            self._lines.append(text)
            self._size += len(text)

    def _take(self) -> str:
        """Return the lines that wait, which wait no longer."""
        text = "".join(self._lines)
        self._lines, self._size = [], 0
        return text

    def _section(self, text: str) -> Section:
        """Make the next section."""
        section = self._maker.of_lines(self._line, text, self._before)
        self._line += text.count("\n")
        if self._looks_back:
            self._before = _last_line(self._before, text)
        return section


def _last_line(before: str, text: str) -> str:
    """Return the last line that is not blank, and line feeds, as `Section.before` wants it."""
    shown = text.rstrip()
    last = shown[shown.rfind("\n") + 1 :] if shown else before.rstrip("\n")
    ends = text.count("\n", len(shown)) + (0 if shown else before.count("\n"))
    return last + "\n" * min(ends, 3)
