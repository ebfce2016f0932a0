"""JSON as it is written: numbers unread, the text of every field kept.

Reading numbers and writing them again would alter them: 1.10, 1e400 or a number of a thousand digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Sequence
from typing import Any, NamedTuple

DEEPEST = 500
"""Objects and lists inside one another that are read: far more than anybody writes, and far less than Python bears."""


class Number(NamedTuple):
    """A number as it is written; nertag never computes with one."""

    literal: str


class Unfit(ValueError):  # noqa: N818 - what a text is
    """JSON that Python could read, but nertag must not."""


def _checked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of an object.

    Raises:
        Unfit: If two have the same name, so that one of them would be lost.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise Unfit(f"the field {json.dumps(twice, ensure_ascii=False)} is there twice")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_checked, parse_int=Number, parse_float=Number, parse_constant=Number)
_SPACE = re.compile(r"[ \t\r\n]*")
_COLON = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")
_COMMA = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*")
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])')


def decode(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Read a JSON value.

    Returns:
        The value, its numbers as `Number`.

    Raises:
        JSONDecodeError: If it is none.
        Unfit: If a field occurs twice in an object, or if it is nested too deeply.
    """
    if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
        raise Unfit(f"JSON nested too deeply to be read: more than {DEEPEST} objects or lists inside one another")
    return _DECODER.decode(text)


def _depth(text: str) -> int:
    """Return how many objects and lists are open at most."""
    deepest = depth = 0
    for bracket in _BRACKET.finditer(text):
        if bracket[1]:
            depth += 1
            deepest = max(deepest, depth)
        elif bracket[2]:
            depth -= 1
    return deepest


def members(text: str, without: Container[str] = ()) -> dict[str, str]:
    """Return the fields of a valid JSON object, in their order, each value as it is written."""
    return {name: text[start:end] for name, start, end in _spans(text) if name not in without}


def put(text: str, path: Sequence[str], value: str) -> str:
    """Return a valid JSON value with another one inside, and everything else as it is written.

    Args:
        text: The value.
        path: The names of the fields that lead to the place, outermost first; all are there.
        value: The JSON of what stands there then.
    """
    if not path:
        return value
    start, end = next((start, end) for name, start, end in _spans(text) if name == path[0])
    return text[:start] + put(text[start:end], path[1:], value) + text[end:]


def _spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the fields of a valid JSON object, and from where to where the value of each stands."""
    position = _after(_SPACE, text, text.index("{") + 1)
    while text[position] != "}":
        name, position = _DECODER.raw_decode(text, position)
        start = _after(_COLON, text, position)
        _, end = _DECODER.raw_decode(text, start)
        yield name, start, end
        position = _after(_COMMA, text, end)


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Return where what the pattern matches here ends; every pattern above matches somewhere in valid JSON."""
    match = pattern.match(text, position)
    return match.end() if match else position
