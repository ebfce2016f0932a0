from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from nertag.encoder import FormEncoder
from nertag.errors import ModelError
from nertag.features import FormTable, Vocabulary
from nertag.model_folder import VOCABULARY, WEIGHTS
from nertag.network import Network, TorchBatch
from nertag.vocabulary import VocabularyTable
from tests.tiny import tiny_config, tiny_network, write_folder

KNOWN = Vocabulary(["a", "bo", "c.d.", "'", "zoe"], "abcdefinotz.'1")
KNOWN_BY_PARTS = Vocabulary(KNOWN.words, KNOWN.characters, parts=True)
FORMS = [
    "a",
    "Bo",
    "C.D.",
    "e-f",
    "1980",
    "''",
    "Zoë",
    "internationalisation's",
    "\u200b",
    "",
    "中文",
    "x" * 20,
    "\x00",
    "Bo-Zoe",
    "#ZoeBo",
    "BoBoZoeBo",
    "Zoeeee",
    "#bozoe",
]


def encoder_of(folder: Path, network: Network) -> FormEncoder:
    """Return the encoder of a network that has been written to a folder."""
    return FormEncoder(
        folder, network.config, network.word_size, VocabularyTable(folder / VOCABULARY, network.config.word_parts)
    )


def expected_of(network: Network, forms: list[str]) -> np.ndarray:
    """Return what the network gives to its first recurrent layer for each form."""
    table = FormTable(KNOWN_BY_PARTS if network.config.word_parts else KNOWN)
    batch = TorchBatch.of(table.batch([table.rows([form]) for form in forms]))
    with torch.inference_mode():
        return network._inputs(batch)[:, 0].numpy()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"character_width": 1},
        {"character_width": 5},
        {"characters": False},
        {"shapes": False},
        {"embedding": "pretrained"},
        {"embedding": "one-hot"},
        {"embedding": "pretrained", "word_parts": True},
        {"embedding": "one-hot", "word_parts": True},
        {"embedding": "one-hot", "characters": False, "shapes": False},
    ],
)
def test_vectors_are_those_of_the_network(changes: dict[str, Any], tmp_path: Path) -> None:
    network = tiny_network(tiny_config(**changes), KNOWN)
    encoder = encoder_of(write_folder(tmp_path, network, KNOWN), network)
    found = encoder.vectors(FORMS)
    assert found.dtype == np.float32 and found.shape == (len(FORMS), encoder.size)
    np.testing.assert_allclose(found, expected_of(network, FORMS), atol=1e-6)
    for index, form in enumerate(FORMS):
        np.testing.assert_allclose(encoder.vectors([form])[0], found[index], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shapes.weight", "it holds, with the shape (2, 2), not (19, 3), tensor 'shapes.weight'"),
        (
            "characters.embedding.weight",
            "it holds, with the shape (2, 2), not (16, 4), tensor 'characters.embedding.weight'",
        ),
    ],
)
def test_weights_of_another_network(name: str, message: str, tmp_path: Path) -> None:
    network = tiny_network(tiny_config(), KNOWN)
    path = write_folder(tmp_path, network, KNOWN) / WEIGHTS
    tensors = load_file(path)
    for change, words in (({name: torch.zeros(2, 2)}, message), ({}, f"it holds no tensor {name!r}")):
        save_file({key: value for key, value in tensors.items() if key != name} | change, path)
        with pytest.raises(ModelError, match=f"^{re.escape(f'{path}: {words}')}$"):
            encoder_of(tmp_path, network)
