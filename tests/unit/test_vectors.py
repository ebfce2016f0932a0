from __future__ import annotations

import gzip
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nertag.errors import DataError, ModelError
from nertag.model_folder import WordTable, read_config, read_vocabulary
from nertag.vectors import read_vectors
from tests.tiny import trained_folder

GLOVE = "the 0.5 -1 2e-1\nof 1 2 3\nMira 4 5 6\n, 7 8 9\n"


def write(folder: Path, content: str | bytes, name: str = "vectors.txt") -> Path:
    """Write a file of vectors."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def refuses(path: Path, line: int | None, message: str) -> Any:
    place = path if line is None else f"{path}:{line}"
    return pytest.raises(DataError, match=f"^{re.escape(f'{place}: {message}')}$")


def words_in(folder: Path, content: str, limit: int = 99, wanted: tuple[str, ...] = ()) -> list[str]:
    """Read a file and return its words; each word's vector must be as long as the others."""
    words, vectors = read_vectors(str(write(folder, content)), limit, wanted)
    assert vectors.dtype == np.float32 and len(vectors) == len(words)
    return words


def test_a_glove_file(tmp_path: Path) -> None:
    words, vectors = read_vectors(str(write(tmp_path, GLOVE)), 99, ())
    assert words == ["the", "of", "Mira", ","]
    np.testing.assert_array_equal(vectors, np.array([[0.5, -1, 0.2], [1, 2, 3], [4, 5, 6], [7, 8, 9]], np.float32))


def test_a_word2vec_file_has_counts_at_its_top_and_spaces_at_line_ends(tmp_path: Path) -> None:
    assert words_in(tmp_path, "4 3\n" + GLOVE.replace("\n", " \n")) == ["the", "of", "Mira", ","]


def test_a_number_may_be_the_first_word(tmp_path: Path) -> None:
    assert words_in(tmp_path, "7 0.5 0.25\nof 1 2\n") == ["7", "of"]


def test_a_gzipped_file(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(GLOVE.encode()), "vectors.txt.gz")
    assert read_vectors(str(path), 99, ())[0] == ["the", "of", "Mira", ","]


def test_a_last_line_without_its_end_and_lines_of_windows(tmp_path: Path) -> None:
    assert words_in(tmp_path, GLOVE.replace("\n", "\r\n").rstrip()) == ["the", "of", "Mira", ","]


def test_a_word_may_hold_spaces_and_what_other_texts_take_for_a_line_end(tmp_path: Path) -> None:
    content = "the 1 2\n. . . 3 4\n\u2028 5 6\n\x85 7 8\na\u00a0b 9 10\n"
    assert words_in(tmp_path, content) == ["the", ". . .", "\u2028", "\x85", "a\u00a0b"]


def test_of_a_word_that_is_there_twice_the_first_counts(tmp_path: Path) -> None:
    words, vectors = read_vectors(str(write(tmp_path, "a 1 2\n. . . 3 4\na 5 6\n. . . 7 8\n")), 99, ())
    assert words == ["a", ". . ."]
    assert vectors.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("limit", "wanted", "kept"),
    [
        (2, (), ["the", "of"]),
        (2, (",", "Mira", "absent"), ["the", "of", "Mira", ","]),
        (1, (",",), ["the", ","]),
        (0, ("Mira",), ["Mira"]),
        (3, ("the",), ["the", "of", "Mira"]),
    ],
)
def test_the_top_of_the_file_and_what_is_wanted_are_kept(
    tmp_path: Path, limit: int, wanted: tuple[str, ...], kept: list[str]
) -> None:
    assert words_in(tmp_path, GLOVE, limit, wanted) == kept


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("a 1 2\nb 3\n", 2, "word 'b' is not followed by 2 numbers, as the words before are"),
        ("a 1 2\nb 3 4 5\n", 2, "word 'b' is not followed by 2 numbers, as the words before are"),
        ("5 2\na 1 2\nb\n", 3, "word 'b' is not followed by numbers"),
        ("a 1 2\nb x y\n", 2, "word 'b' is not followed by numbers: 'x y'"),
        ("a 1 2\nb 3 nan\n", 2, "word 'b' is not followed by numbers"),
        ("a 1 2\nb 3 inf\n", 2, "word 'b' is not followed by numbers"),
        ("Some text, and no vectors.\n", 1, "word 'Some' is not followed by numbers: 'text, and no vectors.'"),
        ("a 1 2\n\nb 1 2\n", 2, "word '' is not followed by numbers"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, content: str, line: int, message: str) -> None:
    path = write(tmp_path, content)
    with refuses(path, line, message):
        read_vectors(str(path), 99, ())


def test_a_file_without_vectors(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    with refuses(path, None, "it holds no word vectors"):
        read_vectors(str(path), 99, ())


def test_a_binary_file(tmp_path: Path) -> None:
    path = write(tmp_path, b"2 3\nthe " + struct.pack("<3f", 0.1, -0.7, 3.3) + b"\nof " + struct.pack("<3f", 1, 2, 3))
    with pytest.raises(DataError, match=r"it is no UTF-8 text: .*\n  hint: Binary word2vec files are not read\.$"):
        read_vectors(str(path), 99, ())


def test_a_damaged_gzipped_file(tmp_path: Path) -> None:
    whole = gzip.compress((GLOVE * 500).encode())
    for content in (GLOVE.encode(), whole[:-20], whole[:30] + b"\xff\xff" + whole[32:]):
        path = write(tmp_path, content, "vectors.gz")
        with pytest.raises(DataError, match=f"^{re.escape(str(path))}: it cannot be read: "):
            read_vectors(str(path), 99, ())


@pytest.mark.parametrize("name", ["glove.txt", "vectors/glove.6B.100d.txt", "wiki.vec", "a/b.gz"])
def test_a_file_that_is_not_there_is_no_model_either(name: str) -> None:
    with refuses(Path(name), None, "there is no such file of word vectors"):
        read_vectors(name, 99, ())


def test_a_models_own_vectors(tmp_path: Path) -> None:
    folder = trained_folder()
    words, vectors = read_vectors(str(folder), 2, ())
    vocabulary = read_vocabulary(folder)
    assert words == list(vocabulary.words)
    table = WordTable(folder, vocabulary.size, read_config(folder).embedding_size)
    ids = np.array([vocabulary.word_id(word) for word in words])
    np.testing.assert_array_equal(vectors, table.vectors(ids))


def test_neither_a_file_nor_a_model() -> None:
    with pytest.raises(ModelError, match=r"^there is no model 'glove'\n"):
        read_vectors("glove", 99, ())
