from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from nertag.errors import ConfigError, NertagError
from nertag.writers.mapping import Entry, read_key, read_mapping, write_mapping

ENTRIES = [Entry("PER", 'Zoë \ud83d "Z"', "PERSON_1"), Entry("PER", "Tom", "PERSON_2"), Entry("ORG", "Acme", "ORG_1")]


def test_a_mapping_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    write_mapping(str(path), ENTRIES)
    assert read_mapping(str(path)) == ENTRIES
    assert path.read_bytes().splitlines()[1].decode() == (
        '{"label": "PER", "name": "Zoë \\ud83d \\"Z\\"", "pseudonym": "PERSON_1"},'
    )
    write_mapping(str(path), [])
    assert read_mapping(str(path)) == []
    assert read_mapping(str(tmp_path / "new.json")) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_only_its_owner_can_read_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.touch(0o644)
    before = os.umask(0)
    try:
        write_mapping(str(path), ENTRIES)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_mapping_is_replaced_as_a_whole_and_a_link_stays_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, link = tmp_path / "key.json", tmp_path / "link.json"
    link.symlink_to(path)
    write_mapping(str(link), ENTRIES[:1])
    assert link.is_symlink()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NertagError, match=r"link.json: it cannot be written: No space left on device"):
        write_mapping(str(link), ENTRIES)
    assert read_mapping(str(path)) == ENTRIES[:1]
    assert sorted(item.name for item in tmp_path.iterdir()) == ["key.json", "link.json"]


ITEM = {"label": "PER", "name": "Tom", "pseudonym": "PERSON_1"}
FOREIGN = [
    ("", "it is not JSON"),
    ("Tom waved.\n", "it is not JSON"),
    ('"\udcff"', "it is not JSON"),
    ("[" * 100_000, "it is not JSON"),
    ("[]", 'it lacks "nertag": "mapping"'),
    ('{"name": "package", "version": 1}', 'it lacks "nertag": "mapping"'),
    (json.dumps({"nertag": "mapping", "version": 2, "names": []}), "of version 1"),
    (json.dumps({"nertag": "mapping", "version": 1}), "of version 1"),
    (json.dumps({"nertag": "mapping", "version": 1, "names": {}}), "name 1 is not an object"),
    (json.dumps({"nertag": "mapping", "version": 1, "names": [ITEM, {**ITEM, "x": ""}]}), "name 2 is not an object"),
    (json.dumps({"nertag": "mapping", "version": 1, "names": [{**ITEM, "name": " "}]}), "name 1 is not an object"),
    (json.dumps({"nertag": "mapping", "version": 1, "names": [{**ITEM, "pseudonym": 7}]}), "name 1 is not an object"),
]


@pytest.mark.parametrize(("content", "why"), FOREIGN)
def test_another_file_is_refused_and_stays(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=f"^[^\n]*notes.txt: this is no mapping of names:? {why}") as caught:
        read_mapping(str(path))
    assert caught.value.hint == "Name a new file, or one that --mapping has written."
    assert path.read_bytes() == content.encode("utf-8", "surrogateescape")


def test_a_mapping_that_could_not_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder .*nowhere for the mapping"):
        read_mapping(str(tmp_path / "nowhere" / "key.json"))
    with pytest.raises(ConfigError, match="the mapping cannot be read: Is a directory"):
        read_mapping(str(tmp_path))


def test_a_key_is_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"0123456789abcde\n")
    assert read_key(str(path)) == b"0123456789abcde\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"0123456789abcde", "a key needs at least 16 bytes, but this file has 15"),
        (b"", "a key needs at least 16 bytes, but this file has 0"),
        (b"x" * 4097, "this file has more than 4096 bytes, so it is hardly a key"),
        (None, "the key cannot be read: No such file or directory"),
    ],
)
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_key(str(path))
