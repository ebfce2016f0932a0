"""Sections of lines in; passages out.

A line ends at a line feed, with or without a carriage return before it, and neither is part of the passage; every other
separator is white space inside the line. A byte order mark at the start of a file is dropped, and offsets count code
points of what remains.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, NamedTuple

from nertag.config import InputFormat
from nertag.errors import InputError
from nertag.sources import Section
from nertag.text import DOCSTART, Passage, split_words

_Passages = Iterator[Passage]


def parse(section: Section) -> _Passages:
    """Read the passages of a section.

    Returns:
        The passages, in order.

    Raises:
        InputError: If a line does not hold what the section's kind says, after the passages before it.
    """
    return _PARSERS[section.kind](section)


def lines_of(section: Section) -> list[str]:
    """Return the lines of a section without their line feeds."""
    text = section.text.removeprefix("\ufeff") if section.line == 1 else section.text
    lines = text.split("\n")
    if section.text.endswith("\n"):
        lines.pop()
    return lines


def _numbered(section: Section) -> Iterator[tuple[int, str]]:
    """Yield the lines of a section without their ends and with their numbers in the source."""
    for number, line in enumerate(lines_of(section), section.line):
        yield number, line.removesuffix("\r")


def _blank_lines(section: Section) -> int:
    """Return how many blank lines directly precede a section, at most two."""
    return max(section.before.count("\n") - 1, 0)


# --- Passages ---------------------------------------------------------------------------------------------------------


def _read_text(section: Section) -> _Passages:
    """Read running text: every line is a passage."""
    alone = section.document == "line"
    starts = section.line == 1 or alone
    lines = lines_of(section)
    unended = 0 if section.text.endswith("\n") else section.line + len(lines) - 1
    for number, line in enumerate(lines, section.line):
        text = line.removesuffix("\r")
        ending = line[len(text) :] + ("" if number == unended else "\n")
        yield Passage(text, split_words(text), starts, source=section.source, line=number, ending=ending)
        starts = alone


def _read_tokens(section: Section) -> _Passages:
    """Read sentences of tokens, one a line; an empty line or `-DOCSTART-` parts documents and is an empty passage."""
    alone = section.document == "line"
    starts = alone or section.line == 1 or _blank_lines(section) > 0 or not _words_of(section.before)
    for number, line in _numbered(section):
        words = _words_of(line)
        yield _sentence(words, starts or not words, section.source, number)
        starts = alone or not words


def _words_of(line: str) -> list[str]:
    """Return the tokens of a line; `-DOCSTART-` has none."""
    words = line.split()
    return [] if words[:1] == [DOCSTART] else words


def _read_conll(section: Section) -> _Passages:
    """Read sentences, one token a line in the first column; two empty lines or `-DOCSTART-` part documents."""
    alone, source = section.document == "line", section.source
    words: list[str] = []
    empty = _blank_lines(section)
    starts = alone or section.line == 1 or empty > 1 or not _words_of(section.before)
    number = section.line
    for number, line in _numbered(section):
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


def _read_jsonl(section: Section) -> _Passages:
    """Read JSON Lines; consecutive objects with the same `doc` are one document, and blank lines are passed over."""
    alone, source = section.document == "line", section.source
    document = _document_of(section.before)
    for number, line in _numbered(section):
        if not line.strip():
            continue
        found = _parse_object(line, source, number)
        before, document = document, found.get("doc")
        starts = alone or document is None or document != before
        text, words = _text_and_words(found, line, source, number)
        fields = _members(line, _OWN_FIELDS) if found.keys() - _OWN_FIELDS else {}
        yield Passage(text, words, starts, "tokens" in found, fields, source, number)


def _document_of(line: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return what the object on the line before a section has as `doc`; that line has been read and checked before."""
    return _DECODER.decode(line).get("doc") if line.strip() else None


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


_PARSERS: dict[InputFormat, Callable[[Section], _Passages]] = {
    "text": _read_text,
    "tokens": _read_tokens,
    "jsonl": _read_jsonl,
    "conll": _read_conll,
}
