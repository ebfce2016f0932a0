"""Files and standard input in; sections of whole lines out, as a stream.

A section is what one worker tags at a time. It holds whole lines of one source, for CoNLL input whole sentences, and
where it is cut depends on the content alone: the same input gives the same sections however it arrives, unless it
pauses. Nothing here holds more than one section, or one line if that is longer.

Text is UTF-8. Among the sections, `None` says that nothing more came for a while: what has been read should be answered
now.
"""

from __future__ import annotations

import io
import os
import queue
import re
import shlex
import stat
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nertag.config import DocumentUnit, InputFormat
from nertag.errors import InputError

STDIN = "-"
LITERAL = "--text"

SECTION = 1 << 16
"""Code points after which a section ends with the line, or the CoNLL sentence, that reaches them."""

_PIECE = 1 << 16  # Bytes read at once.
_AHEAD = 8  # Pieces that the reading thread may be ahead of the tagger.
_PAUSE = 0.1  # Seconds without input after which what came before is answered.
_PATIENCE = 1.0  # Seconds of waiting at a stretch; Windows sees Ctrl-C only between two of them.
_BLANK_LINE = re.compile(r"^[^\S\n]*\n", re.MULTILINE)

_Stream = io.RawIOBase | io.BufferedIOBase
_Chunks = Iterator["bytes | None"]
_Sections = Iterator["Section | None"]


@dataclass(frozen=True, slots=True)
class Section:
    r"""Whole lines of one source.

    Attributes:
        source: The file they come from as the user named it, `-` for standard input.
        line: The number of the first, counted from 1.
        text: The lines with their ends; the source's last line may have none. A byte order mark is still there.
        kind: What the lines are.
        document: What one document is.
        before: The last line before the section that is not blank, followed by one line feed for itself and one for
            each blank line after it, at most two; empty at the start of a source and where nobody asks for it.
    """

    source: str
    line: int
    text: str
    kind: InputFormat
    document: DocumentUnit
    before: str = ""


# --- Sources ----------------------------------------------------------------------------------------------------------


def check(paths: Iterable[str]) -> None:
    """Check that every path is a file or `-`, before any model is loaded.

    Raises:
        InputError: If one is not.
    """
    for path in paths:
        if path == STDIN:
            continue
        if os.path.isdir(path):
            hint = f"Name its files: {os.path.join(path, '*.txt')}"
            raise InputError("this is a folder, not a file", hint=hint, path=path)
        if not os.path.exists(path):
            raise InputError(
                "there is no such file",
                hint=f"To tag these words themselves: nertag tag --text {shlex.quote(path)}",
                path=path,
            )


def size_of(paths: Iterable[str]) -> int:
    """Return how many bytes the files among some paths have together; pipes and standard input count nothing."""
    size = 0
    for path in paths:
        try:
            found = os.fstat(0) if path == STDIN else os.stat(path)
        except OSError:  # What cannot be read is told when it is its turn.
            continue
        size += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return size


def read(paths: Sequence[str], kind: InputFormat, document: DocumentUnit = "file") -> _Sections:
    """Read files one after another; each starts a new document.

    Args:
        paths: Paths; `-` is standard input.
        kind: What their lines are.
        document: `file`: windows may join lines, as far as the input says nothing else; `line`: every passage is alone.

    Yields:
        The sections, and None where the input pauses.

    Raises:
        InputError: If a file cannot be read or is not UTF-8, after the sections before the fault.
    """
    for path in paths:
        yield from _sections(_chunks(path), path, kind, document)


def read_literal(text: str, kind: InputFormat, document: DocumentUnit = "file") -> _Sections:
    """Read a text from the command line as if it were the content of a file; its last line need not be ended.

    Yields:
        The sections.

    Raises:
        InputError: If it is not UTF-8.
    """
    ended = text if text.endswith("\n") else text + "\n"
    try:
        # Bytes of an argument that are not UTF-8 reach us as halves of surrogate pairs, and become those bytes again.
        content = ended.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # On Windows an argument can hold any half.
        content = ended.encode("utf-8", "surrogatepass")
    yield from _sections(iter([content]), LITERAL, kind, document)


def _chunks(path: str) -> _Chunks:
    """Read a file, a pipe or standard input in pieces.

    Yields:
        Pieces of at least one byte; None where a pipe or terminal pauses.

    Raises:
        InputError: If it cannot be opened or read.
    """
    try:
        if path == STDIN:
            yield from _read_pieces(_stdin())
        else:
            with open(path, "rb", buffering=0) as stream:
                yield from _read_pieces(stream)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path=path) from None


def _stdin() -> _Stream:
    """Return standard input as bytes, without the buffer whose lock a waiting thread would hold when the program ends.

    Raises:
        InputError: If it is closed.
    """
    if sys.stdin is None:
        raise InputError("standard input is closed", hint="Name a file, or give the text with --text.", path=STDIN)
    buffer: Any = sys.stdin.buffer
    stream: _Stream = getattr(buffer, "raw", buffer)
    return stream


def _read_pieces(stream: _Stream) -> _Chunks:
    """Read a file straight on, and anything that can keep us waiting in a thread."""
    try:
        waits = not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except io.UnsupportedOperation:
        waits = False
    if waits:
        yield from _read_in_thread(stream)
        return
    while piece := stream.read(_PIECE):
        yield piece


def _read_in_thread(stream: _Stream) -> _Chunks:
    """Read in a thread: pieces, and one None for every pause. An error in the thread is raised here."""
    arrived: queue.Queue[bytes | OSError] = queue.Queue(_AHEAD)
    threading.Thread(target=_fill, args=(stream, arrived), daemon=True, name="nertag-reader").start()
    told = False
    while True:
        try:
            piece = arrived.get(timeout=_PATIENCE if told else _PAUSE)
        except queue.Empty:
            if not told:
                yield None
            told = True
            continue
        if isinstance(piece, OSError):
            raise piece
        if not piece:
            return
        yield piece
        told = False


def _fill(stream: _Stream, arrived: queue.Queue[bytes | OSError]) -> None:
    """Pass on what a stream gives until its end, which is an empty piece, or an error."""
    piece: bytes | None = None
    while piece != b"":
        try:
            piece = stream.read(_PIECE)
        except OSError as error:
            arrived.put(error)
            return
        if piece is None:  # Somebody made the descriptor non-blocking, and nothing is there.
            time.sleep(_PAUSE)
        else:
            arrived.put(piece)


# --- Sections ---------------------------------------------------------------------------------------------------------


def _sections(chunks: _Chunks, source: str, kind: InputFormat, document: DocumentUnit) -> _Sections:
    """Cut one source into sections."""
    cutter = _Cutter(source, kind, document)
    for chunk in chunks:
        if chunk is None:
            yield from cutter.pause()
            yield None
        else:
            yield from cutter.add(chunk)
    yield from cutter.finish()


class _Cutter:
    """Pieces of a source on their way to sections, in time proportional to their length however long a line is.

    `_begun` holds the bytes of a line that has not ended yet, `_lines` the text of whole lines, from line `_line` on,
    that no section has taken yet.
    """

    def __init__(self, source: str, kind: InputFormat, document: DocumentUnit) -> None:
        self._source = source
        self._kind: InputFormat = kind
        self._document: DocumentUnit = document
        self._begun: list[bytes] = []
        self._lines: list[str] = []
        self._size = 0
        self._line = 1
        self._offset = 0
        self._before = ""

    def add(self, chunk: bytes) -> Iterator[Section]:
        """Take a piece in and give the sections that it completes."""
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._begun.append(chunk)
            return
        lines = self._begun
        lines.append(chunk[:end])
        self._begun = [chunk[end:]] if end < len(chunk) else []
        yield from self._decode(lines)

    def pause(self) -> Iterator[Section]:
        """Give what is complete: whole lines, and for CoNLL whole sentences."""
        text = self._take()
        end = len(text)
        if self._kind == "conll":
            end = max((blank.end() for blank in _BLANK_LINE.finditer(text)), default=0)
        if end:
            yield self._section(text[:end])
        self._keep(text[end:])

    def finish(self) -> Iterator[Section]:
        """Give everything that is left at the end of the source."""
        yield from self._decode(self._begun)
        yield from self._rest()

    def _rest(self) -> Iterator[Section]:
        """Give all lines that no section has taken yet."""
        text = self._take()
        if text:
            yield self._section(text)

    def _decode(self, pieces: list[bytes]) -> Iterator[Section]:
        """Take whole lines in; the pieces they come in are let go of.

        Yields:
            The sections that they complete.

        Raises:
            InputError: If they are not UTF-8, after all lines before the first that is not.
        """
        raw = b"".join(pieces)
        pieces.clear()
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            yield from self._cut(raw[: raw.rfind(b"\n", 0, error.start) + 1].decode("utf-8"))
            yield from self._rest()
            raise InputError(
                f"byte 0x{raw[error.start]:02x} at offset {self._offset + error.start} is not UTF-8",
                hint="Convert the text first, for example: iconv -f WINDOWS-1252 -t UTF-8",
                path=self._source,
                line=self._line,
            ) from None
        self._offset += len(raw)
        del raw  # The line may be a huge one.
        yield from self._cut(text)

    def _cut(self, text: str) -> Iterator[Section]:
        """Put lines to those that wait, and give every section that is complete then."""
        start = 0
        while end := self._border(text, start, start + max(SECTION - self._size, 1)):
            yield self._section(self._take() + text[start:end])
            start = end
        self._keep(text[start:] if start else text)

    def _border(self, text: str, start: int, least: int) -> int:
        """Return the end of the first line after `start`, for CoNLL the first blank one, that ends at `least` or later.

        It is 0 if there is none.
        """
        if self._kind != "conll":
            return text.find("\n", least - 1) + 1
        position = max(start, least - 1)
        while (blank := _BLANK_LINE.search(text, position)) and blank.end() < least:
            position = blank.end()
        return blank.end() if blank else 0

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
        section = Section(self._source, self._line, text, self._kind, self._document, self._before)
        self._line += text.count("\n")
        if self._kind != "text" and self._document != "line":
            self._before = _last_line(self._before, text)
        return section


def _last_line(before: str, text: str) -> str:
    """Return the last line that is not blank, and line feeds, as `Section.before` wants it."""
    shown = text.rstrip()
    last = shown[shown.rfind("\n") + 1 :] if shown else before.rstrip("\n")
    ends = text.count("\n", len(shown)) + (0 if shown else before.count("\n"))
    return last + "\n" * min(ends, 3)
