"""The two files that pseudonyms come from: a mapping of names, which is written and read again, or a secret key."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

from nertag.errors import ConfigError
from nertag.outputs import NewFile

LEAST_KEY = 16
"""The fewest bytes that a key may have."""

_MOST_KEY = 4096
_FOREIGN = "this is no mapping of names"
_HINT = "Name a new file, or one that --mapping has written."
_HEAD = {"nertag": "mapping", "version": 1}


class Entry(NamedTuple):
    """A name in a mapping file: which label it has and what is written instead."""

    label: str
    name: str
    pseudonym: str


def read_key(path: str) -> bytes:
    """Read a secret key.

    Returns:
        The file's bytes as they are.

    Raises:
        ConfigError: If it cannot be read, or is too short or too long to be a key.
    """
    try:
        with open(path, "rb") as stream:
            key = stream.read(_MOST_KEY + 1)
    except OSError as error:
        raise ConfigError(f"the key cannot be read: {error.strerror}", path=path) from None
    if len(key) < LEAST_KEY:
        hint = "Make one with: head -c 32 /dev/urandom > FILE"
        raise ConfigError(f"a key needs at least {LEAST_KEY} bytes, but this file has {len(key)}", hint=hint, path=path)
    if len(key) > _MOST_KEY:
        raise ConfigError(f"this file has more than {_MOST_KEY} bytes, so it is hardly a key", path=path)
    return key


def read_mapping(path: str) -> list[Entry]:
    """Read a mapping, and check that it can be written where it is.

    Returns:
        Its names in the order in which they were met; none if there is no file yet.

    Raises:
        ConfigError: If it cannot be read or written, or is no mapping.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
    except FileNotFoundError:
        _check_folder(path)
        return []
    except OSError as error:
        raise ConfigError(f"the mapping cannot be read: {error.strerror}", path=path) from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{_FOREIGN}: it is not JSON", hint=_HINT, path=path) from None
    _check_folder(path)
    return _entries(content, path)


def _check_folder(path: str) -> None:
    """Raise a ConfigError if no file can be made beside the mapping, before anything has been tagged."""
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise ConfigError(f"there is no folder {folder} for the mapping", path=path)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"the mapping cannot be written: no permission in {folder}", path=path)


def _entries(content: Any, path: str) -> list[Entry]:  # noqa: ANN401 - whatever the JSON holds
    """Return the names of a parsed mapping.

    Raises:
        ConfigError: If it is not what `write_mapping` writes.
    """
    if not isinstance(content, dict) or content.get("nertag") != "mapping":
        raise ConfigError(f'{_FOREIGN}: it lacks "nertag": "mapping"', hint=_HINT, path=path)
    if content.keys() != {*_HEAD, "names"} or content["version"] != _HEAD["version"]:
        raise ConfigError(f"{_FOREIGN} of version {_HEAD['version']}", hint=_HINT, path=path)
    entries: list[Entry] = []
    names = content["names"]
    for number, item in enumerate(names if isinstance(names, list) else [names], start=1):
        if (
            not isinstance(item, dict)
            or item.keys() != set(Entry._fields)
            or not all(isinstance(text, str) and text.strip() for text in item.values())
        ):
            why = f"name {number} is not an object with label, name and pseudonym"
            raise ConfigError(f"{_FOREIGN}: {why}", hint=_HINT, path=path)
        entries.append(Entry(**item))
    return entries


def write_mapping(path: str, entries: Iterable[Entry]) -> None:
    """Write a mapping that only its owner can read; its name always stands for a whole file.

    Raises:
        OutputError: If it cannot be written.
    """
    lines = ",\n".join(json.dumps(entry._asdict(), ensure_ascii=False) for entry in entries)
    head = json.dumps(_HEAD)[:-1]
    # Half of a surrogate pair, which UTF-8 cannot encode, becomes the escape that JSON has for it.
    content = f'{head}, "names": [\n{lines}\n]}}\n'.encode("utf-8", "backslashreplace")
    file = NewFile(path, mode=0o600)
    try:
        file.write(content)
        file.finish()
    finally:
        file.discard()
