from __future__ import annotations

import itertools
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import pytest
import torch

from nertag.config import Direction, Embedding, ModelConfig, Output
from nertag.engine import Engine
from nertag.export import IR_VERSION, OPSET, build_graph
from nertag.features import FormTable
from nertag.model_folder import WordTable
from nertag.network import TorchBatch
from tests.tiny import TRAINING, sentences, tiny_config, tiny_network, vocabulary_of, write_folder

CORPUS = sentences(TRAINING)
VOCABULARY = vocabulary_of(CORPUS)
CELLS = (("lstm", "tanh"), ("gru", "tanh"), ("rnn", "tanh"), ("rnn", "relu"), ("rnn", "sigmoid"))
# Layers, characters, shapes: each value with each of the other two.
PARTS = ((1, True, True), (2, True, False), (2, False, True), (1, False, False))
GRID = tuple(itertools.product(CELLS, get_args(Direction), get_args(Embedding), get_args(Output)))


@pytest.mark.parametrize(("layers", "characters", "shapes"), PARTS)
@pytest.mark.parametrize(("cell", "direction", "embedding", "output"), GRID)
def test_the_graph_gives_the_logits_of_the_network(
    cell: tuple[str, str],
    direction: str,
    embedding: str,
    output: str,
    layers: int,
    characters: bool,
    shapes: bool,
    tmp_path: Path,
) -> None:
    config = tiny_config(
        cell=cell[0],
        activation=cell[1],
        direction=direction,
        embedding=embedding,
        output=output,
        layers=layers,
        characters=characters,
        shapes=shapes,
        hidden_size=5,
    )
    network = tiny_network(config, VOCABULARY)
    write_folder(tmp_path, network, VOCABULARY)
    engine = Engine(tmp_path, config, WordTable(tmp_path, VOCABULARY.size, network.word_size))
    table = FormTable(VOCABULARY)
    windows = [["Never-seen"], *([*sentence.words] for sentence in CORPUS[:4]), ["Zoë", "internationalisation's"]]
    batch = table.batch([table.rows(words) for words in windows])
    with torch.inference_mode():
        expected = network(TorchBatch.of(batch)).numpy()
    found = engine.logits(batch)
    assert found.dtype == np.float32 and found.shape == expected.shape
    for row, words in enumerate(windows):
        np.testing.assert_allclose(found[row, : len(words)], expected[row, : len(words)], atol=1e-4, rtol=0)


def shapes_of(entries: object) -> dict[str, tuple[str, list[str | int]]]:
    """Return type and dimensions of a graph's inputs or outputs by name."""
    result = {}
    for entry in entries:  # type: ignore[attr-defined]
        kind = entry.type.tensor_type
        name = onnx.TensorProto.DataType.Name(kind.elem_type)
        result[entry.name] = (name, [dim.dim_param or dim.dim_value for dim in kind.shape.dim])
    return result


@pytest.mark.parametrize(
    ("changes", "left_out", "outputs"),
    [
        ({}, set(), 3),
        ({"output": "binary"}, set(), 1),
        ({"labels": ("PER", "ORG"), "characters": False}, {"characters"}, 5),
        ({"shapes": False}, {"shapes"}, 3),
        ({"characters": False, "shapes": False, "embedding": "one-hot"}, {"characters", "shapes"}, 3),
    ],
)
def test_inputs_and_outputs_are_as_documented(changes: dict[str, object], left_out: set[str], outputs: int) -> None:
    config = tiny_config(**changes)
    graph = build_graph(tiny_network(config, VOCABULARY)).graph
    size = 2 * 4 * 8 if config.embedding == "one-hot" else 8
    inputs = {
        "vectors": ("FLOAT", ["form", size]),
        "characters": ("INT64", ["form", "character"]),
        "shapes": ("INT64", ["form"]),
        "forms": ("INT64", ["time", "batch"]),
        "lengths": ("INT32", ["batch"]),
    }
    assert shapes_of(graph.input) == {name: shape for name, shape in inputs.items() if name not in left_out}
    assert shapes_of(graph.output) == {"logits": ("FLOAT", ["time", "batch", outputs])}


def test_the_graph_is_self_contained_and_leaves_the_word_vectors_out() -> None:
    config = ModelConfig(hidden_size=4, embedding_size=8)
    model = build_graph(tiny_network(config, VOCABULARY))
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    assert model.ir_version == IR_VERSION
    for tensor in model.graph.initializer:
        assert tensor.data_location == onnx.TensorProto.DEFAULT and not tensor.external_data
        assert VOCABULARY.size not in tensor.dims
