"""Files and standard input in; passages out, as a stream.

Nothing here holds more than one line and one piece of a file. A line ends at a line feed, with or without a carriage
return before it, and neither is part of the passage; every other separator is white space inside the line. Text is
UTF-8, a byte order mark at the start of a file is dropped, and offsets count code points of what remains.

Among the passages, `None` says that nothing more came for a while: what has been read should be answered now.
"""

from __future__ import annotations

import io
import json
import os
import queue
import re
import shlex
import stat
import sys
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from nertag.config import DocumentUnit, InputFormat
from nertag.errors import InputError
from nertag.text import DOCSTART, Passage, split_words

STDIN = "-"
LITERAL = "--text"

_PIECE = 1 << 16  # Bytes read at once.
_AHEAD = 8  # Pieces that the reading thread may be ahead of the tagger.
_PAUSE = 0.1  # Seconds without input after which what came before is answered.
_PATIENCE = 1.0  # Seconds of waiting at a stretch; Windows sees Ctrl-C only between two of them.

_Stream = io.RawIOBase | io.BufferedIOBase
_Chunks = Iterator["bytes | None"]
_Lines = Iterator["tuple[int, str] | None"]
_Passages = Iterator["Passage | None"]


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


def read(paths: Sequence[str], kind: InputFormat, document: DocumentUnit = "file") -> _Passages:
    """Read files one after another; each starts a new document.

    Args:
        paths: Paths; `-` is standard input.
        kind: What their lines are.
        document: `file`: windows may join lines, as far as the input says nothing else; `line`: every passage is alone.

    Yields:
        The passages, and None where the input pauses.

    Raises:
        InputError: If a file cannot be read, is not UTF-8 or does not hold what `kind` says.
    """
    for path in paths:
        yield from _passages(_chunks(path), path, kind, document)


def read_literal(text: str, kind: InputFormat, document: DocumentUnit = "file") -> _Passages:
    """Read a text from the command line as if it were the content of a file; its last line need not be ended.

    Yields:
        The passages.

    Raises:
        InputError: If it does not hold what `kind` says.
    """
    ended = text if text.endswith("\n") else text + "\n"
    try:
        # Bytes of an argument that are not UTF-8 reach us as halves of surrogate pairs, and become those bytes again.
        content = ended.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # On Windows an argument can hold any half.
        content = ended.encode("utf-8", "surrogatepass")
    yield from _passages(iter([content]), LITERAL, kind, document)


def _passages(chunks: _Chunks, source: str, kind: InputFormat, document: DocumentUnit) -> _Passages:
    """Read one source."""
    return _PARSERS[kind](_lines(chunks, source), source, document == "line")


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


# --- Lines ------------------------------------------------------------------------------------------------------------


def _split_lines(chunks: _Chunks) -> _Chunks:
    """Cut pieces at line feeds, in time proportional to their length however long a line is.

    Yields:
        Lines without the line feed, the last one also if none ends it; None as it comes.
    """
    begun: list[bytes] = []
    for chunk in chunks:
        if chunk is None:
            yield None
            continue
        lines = chunk.split(b"\n")
        begun.append(lines[0])
        if len(lines) > 1:
            yield b"".join(begun)
            yield from lines[1:-1]
            begun = [lines[-1]]
    last = b"".join(begun)
    if last:
        yield last


def _lines(chunks: _Chunks, source: str) -> _Lines:
    """Decode the lines of one source.

    Yields:
        The number of each line, counted from 1, and its text; None as it comes.

    Raises:
        InputError: If a line is not UTF-8.
    """
    number = offset = 0
    for raw in _split_lines(chunks):
        if raw is None:
            yield None
            continue
        number += 1
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"byte 0x{raw[error.start]:02x} at offset {offset + error.start} is not UTF-8",
                hint="Convert the text first, for example: iconv -f WINDOWS-1252 -t UTF-8",
                path=source,
                line=number,
            ) from None
        offset += len(raw) + 1
        if number == 1:
            line = line.removeprefix("\ufeff")
        yield number, line.removesuffix("\r")


# --- Passages ---------------------------------------------------------------------------------------------------------


def _read_text(lines: _Lines, source: str, alone: bool) -> _Passages:
    """Read running text: every line is a passage."""
    starts = True
    for item in lines:
        if item is None:
            yield None
            continue
        number, line = item
        yield Passage(line, split_words(line), starts, ends_sentence=False, source=source, line=number)
        starts = alone


def _read_tokens(lines: _Lines, source: str, alone: bool) -> _Passages:
    """Read sentences of tokens, one a line; an empty line or `-DOCSTART-` parts documents and is an empty passage."""
    starts = True
    for item in lines:
        if item is None:
            yield None
            continue
        number, line = item
        words = line.split()
        if words[:1] == [DOCSTART]:
            words = []
        yield _sentence(words, starts or not words, source, number)
        starts = alone or not words


def _read_conll(lines: _Lines, source: str, alone: bool) -> _Passages:
    """Read sentences, one token a line in the first column; two empty lines or `-DOCSTART-` part documents."""
    words: list[str] = []
    starts, empty = True, 0
    number = 0
    for item in lines:
        if item is None:
            yield None
            continue
        number, line = item
        word = _first_column(line, source, number)
        if word and word != DOCSTART:
            words.append(word)
            empty = 0
            continue
        if words:
            yield _sentence(words, starts, source, number - len(words))
            words, starts = [], alone
        empty += 1
        starts = starts or empty > 1
        if word:
            yield Passage(DOCSTART, (), True, ends_sentence=True, source=source, line=number)
            starts, empty = True, 0
    if words:
        yield _sentence(words, starts, source, number + 1 - len(words))


def _first_column(line: str, source: str, number: int) -> str:
    """Return a line's token; nothing for an empty line.

    Raises:
        InputError: If the line has columns, but no token.
    """
    if not line.strip():
        return ""
    if "\t" not in line:
        return line.split(None, 1)[0]
    word = line.partition("\t")[0]
    if not word:
        raise InputError("the first column, which holds the token, is empty", path=source, line=number)
    return word


def _sentence(words: list[str], starts: bool, source: str, line: int) -> Passage:
    """Return a passage for a sentence of tokens, its text being the tokens with single spaces between them."""
    return Passage(" ".join(words), words, starts, ends_sentence=True, source=source, line=line)


# --- JSON Lines -------------------------------------------------------------------------------------------------------


class _Number(NamedTuple):
    """A number in JSON as it is written; nertag never computes with one."""

    literal: str


_DECODER = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_Number)
_SPACE = re.compile(r"[ \t\r\n]*")
_COLON = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")
_COMMA = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*")
_OWN_FIELDS = frozenset({"text", "tokens", "labels", "tags", "mentions"})
_EXAMPLE = 'Every line must be an object such as {"text": "Harry waved."} or {"tokens": ["Harry", "waved", "."]}.'


def _read_jsonl(lines: _Lines, source: str, alone: bool) -> _Passages:
    """Read JSON Lines; consecutive objects with the same `doc` are one document, and blank lines are passed over."""
    document: Any = None
    for item in lines:
        if item is None:
            yield None
            continue
        number, line = item
        if not line.strip():
            continue
        found = _parse_object(line, source, number)
        before, document = document, found.get("doc")
        starts = alone or document is None or document != before
        text, words = _text_and_words(found, line, source, number)
        fields = _members(line, _OWN_FIELDS) if found.keys() - _OWN_FIELDS else {}
        yield Passage(text, words, starts, "tokens" in found, fields, source, number)


def _parse_object(line: str, source: str, number: int) -> dict[str, Any]:
    """Parse one line.

    Returns:
        The object, its numbers unread.

    Raises:
        InputError: If it is no JSON object.
    """
    try:
        found = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        place = f"{error.msg.removesuffix(' at')} at character {error.pos + 1}"
        message = f"not JSON: {place}: {_clip(line[error.pos :])}"
        raise InputError(message, hint=_EXAMPLE, path=source, line=number) from None
    except RecursionError:
        raise InputError("JSON nested too deeply to be read", path=source, line=number) from None
    if not isinstance(found, dict):
        raise InputError(f"a JSON object was expected, not {_clip(line)}", hint=_EXAMPLE, path=source, line=number)
    return found


def _text_and_words(found: dict[str, Any], line: str, source: str, number: int) -> tuple[str, Sequence[str]]:
    """Return an object's text and tokens: those it has, and what follows from them.

    Raises:
        InputError: If it has neither, if they are of the wrong type, or if they contradict each other.
    """
    text: Any = found.get("text")
    words: Any = found.get("tokens")
    if "text" not in found and "tokens" not in found:
        names = ", ".join(repr(name) for name in found) or "no field at all"
        message = f"the object has neither 'text' nor 'tokens', but {names}"
        raise InputError(message, hint=_EXAMPLE, path=source, line=number)
    if "text" in found and not isinstance(text, str):
        raise InputError(f"'text' must be a string, not {_clip(_members(line)['text'])}", path=source, line=number)
    if "tokens" not in found:
        return text, split_words(text)
    if not isinstance(words, list):
        message = f"'tokens' must be a list of strings, not {_clip(_members(line)['tokens'])}"
        raise InputError(message, path=source, line=number)
    for index, word in enumerate(words):
        if not isinstance(word, str) or not word:
            message = f"'tokens'[{index}] must be a string of at least one character, not {_show(word)}"
            raise InputError(message, path=source, line=number)
    if "text" in found:
        _check_order(text, words, source, number)
        return text, words
    return " ".join(words), words


def _check_order(text: str, words: list[str], source: str, number: int) -> None:
    """Check that every token stands in the text, in order.

    Raises:
        InputError: If one does not.
    """
    position = 0
    for index, word in enumerate(words):
        position = text.find(word, position)
        if position < 0:
            shown = _clip(json.dumps(word, ensure_ascii=False))
            raise InputError(
                f"'tokens'[{index}], {shown}, is not in 'text' after the token before it",
                hint="Leave one of them out: tokens alone are joined with spaces, text alone is split into tokens.",
                path=source,
                line=number,
            )
        position += len(word)


def _members(line: str, without: Container[str] = ()) -> dict[str, str]:
    """Return the fields of a valid JSON object, each value as it is written.

    Reading numbers and writing them again would alter them: 1.10, 1e400 or a number of a thousand digits.
    """
    members: dict[str, str] = {}
    position = _after(_SPACE, line, line.index("{") + 1)
    while line[position] != "}":
        name, position = _DECODER.raw_decode(line, position)
        start = _after(_COLON, line, position)
        _, end = _DECODER.raw_decode(line, start)
        if name not in without:
            members[name] = line[start:end]
        position = _after(_COMMA, line, end)
    return members


def _after(pattern: re.Pattern[str], line: str, position: int) -> int:
    """Return where what the pattern matches here ends; every pattern above matches somewhere in valid JSON."""
    match = pattern.match(line, position)
    return match.end() if match else position


def _show(item: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return an item of a JSON list for a message."""
    if isinstance(item, _Number):
        return item.literal
    return "an object or a list" if isinstance(item, dict | list) else json.dumps(item)


def _clip(text: str) -> str:
    """Shorten what is shown in a message."""
    return text if len(text) <= 60 else f"{text[:60]}…"


_PARSERS: dict[InputFormat, Callable[[_Lines, str, bool], _Passages]] = {
    "text": _read_text,
    "tokens": _read_tokens,
    "jsonl": _read_jsonl,
    "conll": _read_conll,
}
