from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load as load_tensors
from safetensors.torch import save_file

from nertag import vocabulary as vocabulary_module
from nertag.errors import ModelError
from nertag.features import PADDING, UNKNOWN, Vocabulary
from nertag.model_folder import VOCABULARY, WEIGHTS, read_vocabulary
from nertag.vocabulary import VocabularyTable, map_tensors, tensor_bytes, vocabulary_bytes
from tests.tiny import trained_folder

WORDS = ["the", "Zoë", '"', "\\", "\u2028", "\x85", "𝔸", "don't", "", "Mira", "mira", "zoe"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder of one's own to damage."""
    return shutil.copytree(trained_folder(), tmp_path / "model")


def refuses(path: Path, message: str) -> Any:
    return pytest.raises(ModelError, match=f"^{re.escape(f'{path}: {message}')}$")


# --- The vocabulary ---------------------------------------------------------------------------------------------------


def test_the_vocabulary_comes_back_as_it_was(tmp_path: Path) -> None:
    vocabulary = Vocabulary(WORDS, 'ab"\\\u2028\x00ë𝔸')
    (tmp_path / VOCABULARY).write_bytes(vocabulary_bytes(vocabulary))
    assert read_vocabulary(tmp_path) == vocabulary
    assert set(load_tensors((tmp_path / VOCABULARY).read_bytes())) == {"text", "ends", "hashes", "order", "characters"}


@pytest.mark.parametrize("hashed", [None, lambda key: 7, lambda key: len(key) % 3])
def test_words_are_found_as_the_dictionary_finds_them(hashed: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """Also if many words have the same hash."""
    if hashed:
        monkeypatch.setattr(vocabulary_module, "crc32", hashed)
    vocabulary = Vocabulary(WORDS, "abc")
    path = tmp_path / "v"
    path.write_bytes(vocabulary_bytes(vocabulary))
    table = VocabularyTable(path)
    forms = [*WORDS, "The", "MIRA", "ZOË", "ZOÉ", "nobody", "Don't", "𝔹", "\ud800"]
    ids = table.word_ids(forms)
    assert ids.tolist() == [[vocabulary.word_id(form)] for form in forms]
    assert ids[-1, 0] == ids[-2, 0] == UNKNOWN and ids[len(WORDS), 0] == 2
    assert table.size == vocabulary.size and table.characters == "abc"
    assert table.character_ids("cab\u0301") == vocabulary.character_ids("cab\u0301")
    assert table.word_ids([]).tolist() == []


@pytest.mark.parametrize("shift", range(8))
def test_tensors_may_begin_anywhere_in_the_file(shift: int, tmp_path: Path) -> None:
    """Ours begin at multiples of eight bytes, but nothing in the format says so."""
    content = vocabulary_bytes(Vocabulary(["mira", "olsen"], "abc"))
    end = 8 + int.from_bytes(content[:8], "little")
    path = tmp_path / "v"
    path.write_bytes((end - 8 + shift).to_bytes(8, "little") + content[8:end] + b" " * shift + content[end:])
    assert VocabularyTable(path, parts=True).word_ids(["Mira", "MiraOlsen", "Nobody"])[:, :2].tolist() == [
        [2, PADDING],
        [2, 3],
        [UNKNOWN, PADDING],
    ]


def test_an_empty_vocabulary_knows_nothing(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(vocabulary_bytes(Vocabulary([], "")))
    table = VocabularyTable(tmp_path / "v")
    assert (table.words(), table.size, table.word_ids(["a", ""]).tolist()) == ([], 2, [[UNKNOWN], [UNKNOWN]])


def damaged(**changes: Any) -> bytes:
    """Return a vocabulary's file with other tensors."""
    tensors = load_tensors(vocabulary_bytes(Vocabulary(["a", "bc", "d"], "ab")))
    for name, change in changes.items():
        if change is None:
            del tensors[name]
        else:
            tensors[name] = change(tensors[name])
    return tensor_bytes({name: tensors[name] for name in sorted(tensors, key=lambda name: -tensors[name].itemsize)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": None}, "it holds no vocabulary"),
        ({"ends": lambda ends: ends.astype(np.float32)}, "it holds no vocabulary"),
        ({"ends": lambda ends: ends[:-1]}, "its parts do not fit together"),
        ({"ends": lambda ends: ends[::-1]}, "its parts do not fit together"),
        ({"ends": lambda ends: ends + np.uint32(1)}, "its parts do not fit together"),
        ({"ends": lambda ends: ends[:, None]}, "its parts do not fit together"),
        ({"hashes": lambda hashes: hashes[::-1]}, "its parts do not fit together"),
        ({"order": lambda order: order + np.uint32(1)}, "its parts do not fit together"),
        ({"order": lambda order: order[:2]}, "its parts do not fit together"),
        ({"text": lambda text: text[:-1]}, "its parts do not fit together"),
        ({"characters": lambda characters: characters.reshape(1, -1)}, "its parts do not fit together"),
        (
            {"characters": lambda characters: characters + np.uint8(0x1F)},
            "its characters are damaged: 'utf-8' codec can't decode byte 0x80 in position 0: invalid start byte",
        ),
        (
            {"characters": lambda characters: np.repeat(characters, 2)},
            "its characters are damaged: a vocabulary's words and characters must be different from one another",
        ),
    ],
)
def test_a_vocabulary_that_makes_no_sense(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / VOCABULARY
    path.write_bytes(damaged(**changes))
    with refuses(path, message):
        VocabularyTable(path)


@pytest.mark.parametrize("change", [lambda text: text * 0 + np.uint8(97), lambda text: text * 0 + np.uint8(0xFF)])
def test_a_vocabulary_with_doubles_or_without_letters(change: Any, tmp_path: Path) -> None:
    (tmp_path / VOCABULARY).write_bytes(damaged(text=change))
    with pytest.raises(ModelError, match=f"^{re.escape(str(tmp_path / VOCABULARY))}: "):
        read_vocabulary(tmp_path)
    assert VocabularyTable(tmp_path / VOCABULARY).word_ids(["a", "x"]).tolist()[1] == [UNKNOWN]


# --- Safetensors ------------------------------------------------------------------------------------------------------


def test_tensors_that_we_write_are_those_that_others_read() -> None:
    tensors = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(0, np.uint32), "c": np.ones(3, np.int8)}
    found = load_tensors(tensor_bytes(tensors))
    assert set(found) == set(tensors)
    for name, array in tensors.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array)


def test_tensors_come_back_bit_for_bit(tmp_path: Path) -> None:
    tensors = {
        "a": torch.randn(7, 3),
        "b.half": torch.randn(5).half(),
        "c": torch.arange(-8, 8, dtype=torch.int8).reshape(4, 4),
        "scalar": torch.tensor(1e-42),
        "nothing": torch.zeros(0, 4),
        "odd": torch.tensor([float("nan"), float("inf"), -0.0]),
    }
    path = tmp_path / "x.safetensors"
    save_file(tensors, path, metadata={"who": "we"})
    found = map_tensors(path)
    assert set(found) == set(tensors)
    for name, tensor in tensors.items():
        assert found[name].shape == tuple(tensor.shape)
        assert found[name].tobytes() == tensor.numpy().tobytes()
        assert not found[name].flags.writeable


def header_of(path: Path) -> tuple[dict[str, Any], bytes]:
    """Take a safetensors file apart."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def put(path: Path, header: bytes, data: bytes, length: int | None = None) -> None:
    """Write a safetensors file, with a header length that may lie."""
    path.write_bytes((len(header) if length is None else length).to_bytes(8, "little") + header + data)


@pytest.mark.parametrize(
    "entry",
    [
        {"shape": [10**9, 8]},
        {"shape": [10**30, 8]},
        {"shape": [-1, 8]},
        {"shape": [1.5, 8]},
        {"shape": 8},
        {"shape": None},
        {"dtype": "F64"},
        {"dtype": ["F32"]},
        {"dtype": "I8"},
        {"data_offsets": [0, 10**12]},
        {"data_offsets": [-8, 0]},
        {"data_offsets": [64, 0]},
        {"data_offsets": [0]},
        {"data_offsets": [0, 1e999]},
        {"data_offsets": "ab"},
        {"data_offsets": [0, 3]},
    ],
)
def test_a_tensor_that_makes_no_sense(folder: Path, entry: dict[str, Any]) -> None:
    path = folder / WEIGHTS
    header, data = header_of(path)
    header["words.weight"].update(entry)
    put(path, json.dumps(header).encode(), data)
    with refuses(path, "its tensor 'words.weight' is damaged"):
        map_tensors(path)


@pytest.mark.parametrize("entry", [None, 3, "F32", [], {}])
def test_an_entry_that_is_no_tensor(folder: Path, entry: object) -> None:
    path = folder / WEIGHTS
    put(path, json.dumps({"words.weight": entry}).encode(), b"12345678")
    with refuses(path, "its tensor 'words.weight' is damaged"):
        map_tensors(path)


@pytest.mark.parametrize("kept", [0, 5, 8, 100])
def test_weights_that_end_in_the_header(folder: Path, kept: int) -> None:
    path = folder / WEIGHTS
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match=f"^{re.escape(str(path))}: it is no safetensors file"):
        map_tensors(path)


def test_weights_that_end_in_a_tensor(folder: Path) -> None:
    path = folder / WEIGHTS
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match=f"^{re.escape(str(path))}: its tensor '[^']+' is damaged$"):
        map_tensors(path)


@pytest.mark.parametrize("length", [0, 1, 17, 1 << 20, (1 << 20) + 1, 1 << 62, (1 << 64) - 1])
def test_a_header_length_that_lies(folder: Path, length: int) -> None:
    path = folder / WEIGHTS
    header, data = header_of(path)
    put(path, json.dumps(header).encode(), data, length)
    with pytest.raises(ModelError, match=f"^{re.escape(str(path))}: it is no safetensors file"):
        map_tensors(path)


def test_a_header_that_is_no_object(folder: Path) -> None:
    path = folder / WEIGHTS
    put(path, b"[1, 2]", b"12345678")
    with refuses(path, "it is no safetensors file"):
        map_tensors(path)
