"""Sections of lines in; passages out.

A line ends at a line feed, with or without a carriage return before it, and neither is part of the passage; every other
separator is white space inside the line. A byte order mark at the start of a file is dropped, and offsets count code
points of what remains.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nertag.config import InputFormat
from nertag.errors import ConfigError, InputError, NertagError
from nertag.json_text import Number, Unfit, decode, members
from nertag.sections import DOCUMENT, Section
from nertag.text import DOCSTART, Passage, split_words

_Passages = Iterator[Passage]


def parse(section: Section, skipped: list[NertagError] | None = None) -> _Passages:
    """Read the passages of a section.

    Args:
        section: The section.
        skipped: Takes what is wrong with lines and rows that are left out; None to stop at the first of them.

    Returns:
        The passages, in order.

    Raises:
        InputError: If a line does not hold what the section's kind says, after the passages before it.
    """
    return _PARSERS[section.kind](section, _refuse if skipped is None else skipped.append)


def _refuse(error: InputError) -> None:
    """Stop at a fault.

    Raises:
        InputError: Always.
    """
    raise error


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


def _read_text(section: Section, _: _Report) -> _Passages:
    """Read running text: every line is a passage."""
    alone, by_paragraphs = section.document == "line", section.document == "paragraph"
    starts = section.line == 1 or alone or _blank_lines(section) > 0
    lines = lines_of(section)
    unended = 0 if section.text.endswith("\n") else section.line + len(lines) - 1
    for number, line in enumerate(lines, section.line):
        text = line.removesuffix("\r")
        ending = line[len(text) :] + ("" if number == unended else "\n")
        words = split_words(text)
        yield Passage(text, words, starts, source=section.source, line=number, ending=ending)
        starts = alone or (by_paragraphs and not words)


def _read_tokens(section: Section, _: _Report) -> _Passages:
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


def _read_conll(section: Section, report: _Report) -> _Passages:
    """Read sentences, one token a line in the first column; two empty lines or `-DOCSTART-` part documents."""
    alone, source = section.document == "line", section.source
    words: list[str] = []
    empty = _blank_lines(section)
    starts = alone or section.line == 1 or empty > 1 or not _words_of(section.before)
    first = section.line
    for number, line in _numbered(section):
        try:
            word = _first_column(line, source, number)
        except InputError as error:
            report(error)
            continue
        if word and word != DOCSTART:
            first = first if words else number
            words.append(word)
            empty = 0
            continue
        if words:
            yield _sentence(words, starts, source, first)
            words, starts = [], alone
        empty += 1
        starts = starts or empty > 1
        if word:
            yield Passage(DOCSTART, (), True, ends_sentence=True, source=source, line=number)
            starts, empty = True, 0
    if words:
        yield _sentence(words, starts, source, first)


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


_OWN_FIELDS = frozenset({"text", "tokens", "labels", "tags", "mentions"})
_WRITTEN_FIELDS = _OWN_FIELDS - {"text"}
_WRITTEN_COLUMNS = _WRITTEN_FIELDS | {"names"}
_EXAMPLE = 'Every line must be an object such as {"text": "Harry waved."} or {"tokens": ["Harry", "waved", "."]}.'


def _read_jsonl(section: Section, report: _Report) -> _Passages:
    """Read JSON Lines; consecutive objects with the same `doc` are one document, and blank lines are passed over."""
    alone, source = section.document == "line", section.source
    document = _document_of(section.before)
    for number, line in _numbered(section):
        if not line.strip():
            continue
        before, document = document, None
        try:
            found = _parse_object(line, source, number)
            read = _read_object if section.text_field is None else _read_field
            passage = read(section, found, line, number)
        except InputError as error:
            report(error)
            continue
        document = found.get(DOCUMENT)
        starts = alone or document is None or document != before
        yield replace(passage, starts_document=starts) if starts else passage


def _read_object(section: Section, found: dict[str, Any], line: str, number: int) -> Passage:
    """Return the passage of an object with `text` or `tokens`.

    Raises:
        InputError: If there is none in it.
    """
    text, words = _text_and_words(found, line, section.source, number)
    fields = members(line, _OWN_FIELDS) if found.keys() - _OWN_FIELDS else {}
    return Passage(text, words, False, "tokens" in found, fields, section.source, number)


def _read_field(section: Section, found: dict[str, Any], line: str, number: int) -> Passage:
    """Return the passage of an object with its text in the field that was named, which stays where it is.

    Raises:
        InputError: If there is none in it.
    """
    assert section.text_field is not None
    place = _place_of(section.text_field, found)
    text = _text_at(place, found, section.source, number)
    fields = members(line, _WRITTEN_FIELDS - {place[0]})
    return Passage(text, split_words(text), False, False, fields, section.source, number, place=place)


def check_text_field(name: str | None) -> None:
    """Check the name of the field with the text.

    Raises:
        ConfigError: If results have a field of this name themselves.
    """
    first = "" if name is None else name.split(".")[0]
    if name == "" or first in _WRITTEN_COLUMNS:
        raise ConfigError(
            f"the text cannot be in the field {name!r}", hint="nertag writes a field of this name itself."
        )


def _place_of(text_field: str, fields: Container[str]) -> tuple[str, ...]:
    """Return the names that lead to the text: a field of this very name, or else those between the dots."""
    return (text_field,) if text_field in fields else tuple(text_field.split("."))


def _text_at(place: Sequence[str], found: Mapping[str, Any], source: str, number: int) -> str:
    """Return the text at its place.

    Raises:
        InputError: If it is not there, or is no string.
    """
    value: Any = found
    for name in place:
        if not isinstance(value, Mapping) or name not in value:
            names = ", ".join(map(repr, value)) if isinstance(value, Mapping) else ""
            there = f"there is {names or 'no field at all'}" if isinstance(value, Mapping) else "it is in no object"
            raise InputError(f"there is no field {'.'.join(place)!r}: {there}", path=source, line=number)
        value = value[name]
    if not isinstance(value, str):
        raise InputError(f"{'.'.join(place)!r} must be a string, not {_show(value)}", path=source, line=number)
    return value


def _document_of(line: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return what the object on the line before a section has as `doc`; None if it has none, or was left out."""
    try:
        return _parse_object(line, "", 0).get(DOCUMENT) if line.strip() else None
    except InputError:
        return None


def _parse_object(line: str, source: str, number: int) -> dict[str, Any]:
    """Parse one line.

    Returns:
        The object, its numbers unread.

    Raises:
        InputError: If it is no JSON object.
    """
    try:
        found = decode(line)
    except json.JSONDecodeError as error:
        place = f"{error.msg.removesuffix(' at')} at character {error.pos + 1}"
        message = f"not JSON: {place}: {_clip(line[error.pos :])}"
        raise InputError(message, hint=_EXAMPLE, path=source, line=number) from None
    except Unfit as error:
        raise InputError(str(error), path=source, line=number) from None
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
        raise InputError(f"'text' must be a string, not {_clip(members(line)['text'])}", path=source, line=number)
    if "tokens" not in found:
        return text, split_words(text)
    if not isinstance(words, list):
        message = f"'tokens' must be a list of strings, not {_clip(members(line)['tokens'])}"
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


def _show(item: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return an item of a JSON list for a message."""
    if isinstance(item, Number):
        return item.literal
    return "an object or a list" if isinstance(item, dict | list) else json.dumps(item)


def _clip(text: str) -> str:
    """Shorten what is shown in a message."""
    return text if len(text) <= 60 else f"{text[:60]}…"


# --- Tables -----------------------------------------------------------------------------------------------------------

_NO_DOCUMENT = ("", '""', "null")


def _read_rows(section: Section, report: _Report) -> _Passages:
    """Read the rows of a table; consecutive ones with the same `doc` are one document. No text, a null, is empty."""
    alone, source, columns = section.document == "line", section.source, section.columns
    place = _place_of(section.text_field or "text", columns)
    without = _WRITTEN_COLUMNS - {place[0]}
    document = section.before
    for row in section.rows:
        before, document = document, ""
        try:
            if row.cells is None:
                raise InputError(row.fault, path=source, line=row.line)
            cells = dict(zip(columns, row.cells, strict=True))
            text = "" if cells[place[0]] == "null" else _text_at(place, _lead(cells, place), source, row.line)
        except InputError as error:
            report(error)
            continue
        document = cells.get(DOCUMENT, "")
        starts = alone or document in _NO_DOCUMENT or document != before
        fields = {name: cell for name, cell in cells.items() if name not in without}
        yield Passage(text, split_words(text), starts, False, fields, source, row.line, place=place)


def _lead(cells: Mapping[str, str], place: Sequence[str]) -> dict[str, Any]:
    """Return the cell where the text is, read."""
    return {place[0]: decode(cells[place[0]])}


_Report = Callable[[InputError], None]
_PARSERS: dict[InputFormat, Callable[[Section, _Report], _Passages]] = {
    "text": _read_text,
    "tokens": _read_tokens,
    "jsonl": _read_jsonl,
    "conll": _read_conll,
    "csv": _read_rows,
    "parquet": _read_rows,
}
