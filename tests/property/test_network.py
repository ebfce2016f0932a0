from __future__ import annotations

import functools
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nertag.config import Direction, Embedding, Output
from nertag.features import FormTable, Vocabulary
from nertag.network import Network
from tests.tiny import batch_of, tiny_config, tiny_network

WORDS = ("a", "Bo", "C.D.", "e-f", "1980", "''", "Zoë", "internationalisation's", "\u200b", "unknown", "中文")
VOCABULARY = Vocabulary(["a", "bo", "c.d.", "'", "zoe"], "abcdefinot.'1")
CELLS = (("lstm", "tanh"), ("gru", "tanh"), ("rnn", "tanh"), ("rnn", "relu"), ("rnn", "sigmoid"))


@functools.cache
def network_of(cell: str, activation: str, direction: str, embedding: str, output: str) -> Network:
    """Make a network once."""
    config = tiny_config(
        cell=cell,
        activation=activation,
        direction=direction,
        embedding=embedding,
        output=output,
        layers=2,
        hidden_size=5,
    )
    network = tiny_network(config, VOCABULARY)
    if activation == "relu":
        # Its states have no bound, and where they grow at every step so does what one bit is worth: let them not grow.
        with torch.no_grad():
            for name, weight in network.layers.named_parameters():
                if "weight_hh" in name:
                    weight.mul_(0.5)
    return network


@pytest.mark.parametrize("output", get_args(Output))
@pytest.mark.parametrize("embedding", get_args(Embedding))
@pytest.mark.parametrize("direction", get_args(Direction))
@pytest.mark.parametrize(("cell", "activation"), CELLS)
@settings(max_examples=12)
@given(windows=st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), min_size=2, max_size=5))
def test_padding_changes_nothing(
    cell: str, activation: str, direction: str, embedding: str, output: str, windows: list[list[str]]
) -> None:
    network = network_of(cell, activation, direction, embedding, output)
    table = FormTable(VOCABULARY)
    with torch.inference_mode():
        together = network(batch_of(table, windows))
        for row, words in enumerate(windows):
            alone = network(batch_of(table, [words]))[0]
            torch.testing.assert_close(together[row, : len(words)], alone, atol=1e-5, rtol=0)
