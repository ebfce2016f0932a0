"""Files and standard input in; sections of whole lines out, as a stream.

Compressed files are decompressed, and bytes decoded, as they come. Among the sections, `None` says that nothing more
came for a while: what has been read should be answered now.
"""

from __future__ import annotations

import io
import os
import queue
import stat
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from nertag.charset import UTF8, Decoder, UndecodableError
from nertag.config import InputFormat
from nertag.errors import InputError
from nertag.sections import Cutter, ReadSettings, SectionMaker, Sections
from nertag.sections import Section as Section

if TYPE_CHECKING:
    from nertag.compression import Method

STDIN = "-"
LITERAL = "--text"

_PIECE = 1 << 16  # Bytes read at once.
_AHEAD = 8  # Pieces that the reading thread may be ahead of the tagger.
_PAUSE = 0.1  # Seconds without input after which what came before is answered.
_PATIENCE = 1.0  # Seconds of waiting at a stretch; Windows sees Ctrl-C only between two of them.

_Stream = io.RawIOBase | io.BufferedIOBase
_Chunks = Iterator["bytes | None"]
_Texts = Iterator["str | None"]

OBJECTS = frozenset({"jsonl", "csv", "parquet"})
"""The kinds of input that have fields of their own."""

_KINDS: dict[str, InputFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".conll": "conll",
    ".iob": "conll",
    ".iob2": "conll",
    ".bio": "conll",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
_METHODS: dict[str, Method] = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
_FIRST_OF_COMPRESSED = (b"\x1f", b"\xfd", b"(", b"B")


# --- Sources ----------------------------------------------------------------------------------------------------------


def kind_of(path: str, settings: ReadSettings) -> InputFormat:
    """Return what a file is: what the settings say, else what the ending of its name says, under `.gz` and the like."""
    return settings.kind or _KINDS.get(_endings(path)[0], "text")


def _endings(path: str) -> tuple[str, str]:
    """Return the ending of a file's name that says what it is, and the one that says how it is compressed."""
    stem, ending = os.path.splitext(path.lower())
    return (os.path.splitext(stem)[1], ending) if ending in _METHODS else (ending, "")


def have_fields(paths: Sequence[str], settings: ReadSettings) -> bool:
    """Whether all inputs have fields of their own, so that results can keep them; without any paths, a literal text."""
    return all(kind_of(path, settings) in OBJECTS for path in paths or [LITERAL])


def read(paths: Sequence[str], settings: ReadSettings) -> Sections:
    """Read files one after another; each starts a new document.

    Args:
        paths: Paths; `-` is standard input.
        settings: How to read them.

    Yields:
        The sections, and None where the input pauses.

    Raises:
        InputError: If a file cannot be read, after the sections before the fault.
        MissingExtraError: If a package is missing that a file needs.
    """
    for path in paths:
        if kind_of(path, settings) == "parquet":
            yield from _read_parquet(path, settings)
        else:
            yield from _sections(_chunks(path), path, settings)


def read_literal(text: str, settings: ReadSettings) -> Sections:
    """Read a text from the command line as if it were the content of a file; its last line need not be ended.

    Args:
        text: The text.
        settings: How to read it; an argument has an encoding of its own.

    Yields:
        The sections.

    Raises:
        InputError: If it is not UTF-8, or is to be Parquet.
    """
    if settings.kind == "parquet":
        raise InputError("a Parquet file cannot be given as a text", path=LITERAL)
    ended = text if text.endswith("\n") else text + "\n"
    try:
        # Bytes of an argument that are not UTF-8 reach us as halves of surrogate pairs, and become those bytes again.
        content = ended.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # On Windows an argument can hold any half.
        content = ended.encode("utf-8", "surrogatepass")
    yield from _sections(iter([content]), LITERAL, settings._replace(encoding=UTF8), plain=True)


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
        except ValueError:  # Nobody listens any more, and the file has been closed.
            return
        if piece is None:  # Somebody made the descriptor non-blocking, and nothing is there.
            time.sleep(_PAUSE)
        else:
            arrived.put(piece)


# --- Sections ---------------------------------------------------------------------------------------------------------


def _sections(chunks: _Chunks, source: str, settings: ReadSettings, *, plain: bool = False) -> Sections:
    """Cut one source, which is no Parquet file, into sections; `plain`: it is not compressed."""
    decoder = Decoder(source, settings.encoding, replace=settings.errors == "replace")
    maker = SectionMaker(source, kind_of(source, settings), settings, decoder)
    chunks = maker.counted(chunks)
    texts = _texts(chunks if plain else _decompressed(chunks, source), decoder)
    if maker.kind == "csv":
        from nertag import rows

        yield from rows.csv_sections(texts, maker, tabs=_endings(source)[0] == ".tsv")
    else:
        yield from _line_sections(texts, maker)


def _line_sections(texts: _Texts, maker: SectionMaker) -> Sections:
    """Cut a text into sections of lines.

    Yields:
        The sections, and None where the text pauses.

    Raises:
        InputError: If it has a fault, after all lines before it.
    """
    cutter = Cutter(maker)
    try:
        for text in texts:
            if text is None:
                yield from cutter.pause()
                yield None
            else:
                yield from cutter.add(text)
    except InputError as fault:
        yield from cutter.break_off()
        if isinstance(fault, UndecodableError):
            fault.line = cutter.line
        raise
    yield from cutter.finish()


def _texts(chunks: _Chunks, decoder: Decoder) -> _Texts:
    """Decode pieces.

    Yields:
        Text, at least a character; None where the input pauses.

    Raises:
        InputError: If they cannot be read or decoded, after the text before the fault.
    """
    for chunk in chunks:
        if chunk is None:
            yield None
            continue
        if text := decoder.decode(chunk):
            yield text
        if decoder.fault:
            raise decoder.fault
    if text := decoder.decode(b"", final=True):
        yield text
    if decoder.fault:
        raise decoder.fault


def _decompressed(chunks: _Chunks, source: str) -> _Chunks:
    """Decompress a source if the ending of its name or its first bytes say that it is compressed."""
    method = _METHODS.get(_endings(source)[1])
    if method:
        from nertag import compression

        yield from compression.decompressed(chunks, method, source)
        return
    head = b""
    for chunk in chunks:
        if chunk is None:
            yield None
            continue
        head += chunk
        if head.startswith(_FIRST_OF_COMPRESSED):
            from nertag import compression

            if compression.may_become(head):
                continue
            if method := compression.recognized(head):
                yield from compression.decompressed(chain([head], chunks), method, source)
                return
        yield head
        yield from chunks
        return
    if head:
        yield head


def _read_parquet(path: str, settings: ReadSettings) -> Sections:
    """Cut a Parquet file into sections.

    Yields:
        The sections.

    Raises:
        InputError: If it cannot be read, after the sections before the fault.
    """
    from nertag import rows

    rows.require_parquet()
    try:
        file = _seekable(path)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path=path) from None
    with file:
        yield from rows.parquet_sections(file, SectionMaker(path, "parquet", settings))


def _seekable(path: str) -> IO[bytes]:
    """Open a file in which one can go back and forth: a copy of what is a stream."""
    if path != STDIN and not _endings(path)[1] and stat.S_ISREG(os.stat(path).st_mode):
        return open(path, "rb")
    from tempfile import TemporaryFile

    with ExitStack() as stack:
        copy = stack.enter_context(TemporaryFile())
        for chunk in _decompressed(_chunks(path), path):
            copy.write(chunk or b"")
        copy.seek(0)
        stack.pop_all()
        return copy
