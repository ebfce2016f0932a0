"""Sections of JSON Lines and of tables in; passages with fields of their own out."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nertag.errors import ConfigError, InputError
from nertag.json_text import Number, Unfit, decode, members
from nertag.sections import DOCUMENT, Section, numbered
from nertag.text import Passage, split_words

_Passages = Iterator[Passage]
_Report = Callable[[InputError], None]


def parse(section: Section, report: _Report) -> _Passages:
    """Read the passages of a section.

    Args:
        section: Lines of JSON, or rows of a table.
        report: Is told of a line or row with a fault, and raises that or has it left out.

    Returns:
        The passages, in order.
    """
    return _read_jsonl(section, report) if section.kind == "jsonl" else _read_rows(section, report)


# --- JSON Lines -------------------------------------------------------------------------------------------------------


_OWN_FIELDS = frozenset({"text", "tokens", "labels", "tags", "mentions"})
_WRITTEN_FIELDS = _OWN_FIELDS - {"text"}
_WRITTEN_COLUMNS = _WRITTEN_FIELDS | {"names"}
_EXAMPLE = 'Every line must be an object such as {"text": "Harry waved."} or {"tokens": ["Harry", "waved", "."]}.'


def _read_jsonl(section: Section, report: _Report) -> _Passages:
    """Read JSON Lines; consecutive objects with the same `doc` are one document, and blank lines are passed over."""
    alone, source = section.document == "line", section.source
    document = _document_of(section.before)
    for number, line in numbered(section):
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


def check_text_field(name: str) -> None:
    """Check the name of the field with the text.

    Raises:
        ConfigError: If results have a field of this name themselves.
    """
    if not name or name.split(".")[0] in _WRITTEN_COLUMNS:
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
