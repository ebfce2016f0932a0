from __future__ import annotations

import json
import tempfile
from itertools import product
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nertag.errors import ModelError
from nertag.features import Vocabulary, fold
from nertag.model_folder import VOCABULARY, read_vocabulary
from nertag.vocabulary import VocabularyTable, map_tensors, vocabulary_bytes

text = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
entries = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "F16", "I8", "U8", ""]) | values,
        "shape": st.lists(st.integers(-2, 5) | values, max_size=3) | values,
        "data_offsets": st.lists(st.integers(-2, 40) | values, max_size=3) | values,
    }
)


@given(
    st.lists(text, unique=True), text.map(lambda found: "".join(dict.fromkeys(found))), st.lists(text), st.booleans()
)
def test_any_vocabulary_comes_back_as_it_was(words: list[str], characters: str, forms: list[str], parts: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / VOCABULARY
        path.write_bytes(vocabulary_bytes(Vocabulary(words, characters)))
        found = read_vocabulary(Path(name), parts)
        looked_up = [
            *words,
            *map(str.upper, words),
            *map(str.title, forms),
            *("".join(pair) for pair in product(words, words)),
        ]
        folded = list(map(fold, looked_up))
        ids = VocabularyTable(path, parts).word_ids(folded)
    assert list(found.words) == words and found.characters == characters
    assert [[part for part in row if part] for row in ids.tolist()] == [found.word_ids(form) for form in folded]


@given(st.dictionaries(st.text(max_size=3), entries | values, max_size=3), st.binary(max_size=40))
def test_a_hostile_header_is_refused_or_stays_within_the_file(header: dict[str, object], data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x.safetensors"
        encoded = json.dumps(header).encode()
        path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + data)
        try:
            tensors = map_tensors(path)
        except ModelError as error:
            assert "safetensors" in error.message or "damaged" in error.message
            return
        assert all(tensor.nbytes <= len(data) and tensor.tobytes() in data for tensor in tensors.values())
        del tensors


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_are_a_file_without_tensors(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x.safetensors"
        path.write_bytes(content)
        try:
            assert map_tensors(path) == {}
        except ModelError as error:
            assert "safetensors" in error.message or "damaged" in error.message
