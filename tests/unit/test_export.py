from __future__ import annotations

import itertools
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import pytest
import torch

from nertag.config import Direction, Embedding, ModelConfig, Output
from nertag.encoder import FormEncoder
from nertag.engine import Engine
from nertag.export import IR_VERSION, OPSET, build_graph
from nertag.features import FormTable, fold
from nertag.model_folder import GRAPH
from nertag.model_folder import VOCABULARY as VOCABULARY_FILE
from nertag.network import TorchBatch
from nertag.tagger import load
from nertag.text import Passage
from nertag.vocabulary import VocabularyTable
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
    encoder = FormEncoder(tmp_path, config, network.word_size, VocabularyTable(tmp_path / VOCABULARY_FILE))
    engine = Engine(tmp_path, config, encoder.size)
    table = FormTable(VOCABULARY)
    windows = [["Never-seen"], *([*sentence.words] for sentence in CORPUS[:4]), ["Zoë", "internationalisation's"]]
    batch = table.batch([table.rows(words) for words in windows])
    with torch.inference_mode():
        expected = network(TorchBatch.of(batch)).numpy()
    vectors = encoder.vectors(table.forms)
    assert batch.word_ids[:, 0].tolist() == encoder_ids(tmp_path, table.forms)
    found = engine.logits(vectors, batch.forms.T.astype(np.int32), batch.lengths.astype(np.int32))
    assert found.dtype == np.float32 and found.shape == expected.shape
    for row, words in enumerate(windows):
        np.testing.assert_allclose(found[row, : len(words)], expected[row, : len(words)], atol=1e-4, rtol=0)


def encoder_ids(folder: Path, forms: list[str]) -> list[int]:
    """Return word ids as the table on disk gives them."""
    return VocabularyTable(folder / VOCABULARY_FILE).word_ids(list(map(fold, forms)))[:, 0].tolist()


@pytest.mark.parametrize(
    "changes", [{}, {"layers": 2}, {"direction": "forward"}, {"embedding": "one-hot"}, {"cell": "gru"}]
)
def test_the_quantised_graph_gives_nearly_the_same_probabilities(changes: dict[str, object], tmp_path: Path) -> None:
    config = tiny_config(**changes)
    network = tiny_network(config, VOCABULARY)
    found = []
    for quantized in (False, True):
        write_folder(tmp_path, network, VOCABULARY)
        graph = build_graph(network, quantized=quantized)
        (tmp_path / GRAPH).write_bytes(graph.SerializeToString())
        kinds = {node.op_type for node in graph.graph.node}
        integers = quantized and config.cell == "lstm" and (config.embedding != "one-hot" or config.layers > 1)
        assert ("DynamicQuantizeLSTM" in kinds) is integers
        tagged = load(tmp_path).tag_passages(
            Passage(" ".join(sentence.words), sentence.words, starts_document=True) for sentence in CORPUS
        )
        outside = [
            score if tag == "O" else 1 - score
            for each in tagged
            for tag, score in zip(each.tags, each.scores, strict=True)
        ]
        found.append(np.array(outside))
    np.testing.assert_allclose(found[1], found[0], atol=0.02)
    assert (found[1] != found[0]).any() == integers


def shapes_of(entries: object) -> dict[str, tuple[str, list[str | int]]]:
    """Return type and dimensions of a graph's inputs or outputs by name."""
    result = {}
    for entry in entries:  # type: ignore[attr-defined]
        kind = entry.type.tensor_type
        name = onnx.TensorProto.DataType.Name(kind.elem_type)
        result[entry.name] = (name, [dim.dim_param or dim.dim_value for dim in kind.shape.dim])
    return result


@pytest.mark.parametrize(
    ("changes", "size", "outputs"),
    [
        ({}, 8 + 6 + 3, 3),
        ({"output": "binary"}, 8 + 6 + 3, 1),
        ({"labels": ("PER", "ORG"), "characters": False}, 8 + 3, 5),
        ({"shapes": False}, 8 + 6, 3),
        ({"embedding": "one-hot"}, 2 * 4 * 8, 3),
    ],
)
def test_inputs_and_outputs_are_as_documented(changes: dict[str, object], size: int, outputs: int) -> None:
    config = tiny_config(**changes)
    graph = build_graph(tiny_network(config, VOCABULARY)).graph
    inputs = {
        "vectors": ("FLOAT", ["form", size]),
        "forms": ("INT32", ["time", "batch"]),
        "lengths": ("INT32", ["batch"]),
    }
    assert shapes_of(graph.input) == inputs
    assert shapes_of(graph.output) == {"logits": ("FLOAT", ["time", "batch", outputs])}


def test_the_graph_is_self_contained_and_leaves_the_word_vectors_out() -> None:
    config = ModelConfig(hidden_size=4, embedding_size=8)
    model = build_graph(tiny_network(config, VOCABULARY))
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    assert model.ir_version == IR_VERSION
    for tensor in model.graph.initializer:
        assert tensor.data_location == onnx.TensorProto.DEFAULT and not tensor.external_data
        assert VOCABULARY.size not in tensor.dims
