from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from nertag.config import ModelConfig
from nertag.encoder import FormEncoder
from nertag.engine import Engine
from nertag.errors import ModelError
from nertag.export import build_graph
from nertag.model_folder import GRAPH, read_config
from nertag.model_folder import VOCABULARY as VOCABULARY_FILE
from nertag.vocabulary import VocabularyTable
from tests.tiny import TRAINING, sentences, tiny_config, tiny_network, trained_folder, vocabulary_of

VOCABULARY = vocabulary_of(sentences(TRAINING))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder of one's own to damage."""
    return shutil.copytree(trained_folder(), tmp_path / "model")


def engine_of(folder: Path, config: ModelConfig | None = None) -> Engine:
    """Start the engine of a folder, for another network's shape if that is given."""
    return Engine(folder, config or read_config(folder).model, encoder_of(folder).size)


def encoder_of(folder: Path) -> FormEncoder:
    """Return the encoder of a folder."""
    stored = read_config(folder)
    return FormEncoder(folder, stored.model, stored.embedding_size, VocabularyTable(folder / VOCABULARY_FILE))


def run(folder: Path, windows: list[list[str]]) -> np.ndarray:
    """Return the logits of windows of different words."""
    numbers = iter(range(1000))
    forms = np.zeros((max(map(len, windows)), len(windows)), np.int32)
    for column, words in enumerate(windows):
        forms[: len(words), column] = [next(numbers) for _ in words]
    vectors = encoder_of(folder).vectors([word for words in windows for word in words])
    return engine_of(folder).logits(vectors, forms, np.array(list(map(len, windows)), np.int32))


def put_graph(folder: Path, **changes: Any) -> None:
    """Put another network's graph into a folder."""
    network = tiny_network(tiny_config(**changes), VOCABULARY)
    (folder / GRAPH).write_bytes(build_graph(network).SerializeToString())


def test_logits_come_by_window_and_time(folder: Path) -> None:
    windows = [["Mira", "Olsen", "waved"], ["Rain"]]
    logits = run(folder, windows)
    assert logits.shape == (2, 3, 3)
    alone = run(folder, windows[1:])
    np.testing.assert_allclose(logits[1, :1], alone[0], atol=1e-5)
    assert logits[0].argmax(axis=1).tolist() == [1, 2, 0]


@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x08\x12"])
def test_a_file_that_is_no_graph(folder: Path, content: bytes) -> None:
    (folder / GRAPH).write_bytes(content)
    place = re.escape(str(folder / GRAPH))
    with pytest.raises(ModelError, match=f"^{place}: ONNX Runtime does not accept it: [^\n]+$"):
        engine_of(folder)


def test_a_truncated_graph(folder: Path) -> None:
    path = folder / GRAPH
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="ONNX Runtime does not accept it"):
        engine_of(folder)


def test_a_graph_with_other_inputs(folder: Path) -> None:
    graph = onnx.load(folder / GRAPH)
    graph.graph.input[0].name = "words"
    graph.graph.node[0].input[0] = "words"
    onnx.save(graph, folder / GRAPH)
    message = f"{folder / GRAPH}: its inputs are ['forms', 'lengths', 'words'], not ['forms', 'lengths', 'vectors']"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        engine_of(folder)


@pytest.mark.parametrize("changes", [{"labels": ("PER", "ORG")}, {"output": "binary"}, {"embedding_size": 12}])
def test_a_graph_of_other_tags_or_vectors(folder: Path, changes: dict[str, Any]) -> None:
    put_graph(folder, **changes)
    message = f"{folder / GRAPH}: it does not lead from vectors of 17 dimensions to 3 logits"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        engine_of(folder)


def test_a_graph_that_fails_does_so_with_a_sentence(folder: Path) -> None:
    graph = onnx.load(folder / GRAPH)
    (last,) = [node for node in graph.graph.node if "logits" in node.output]
    last.input[1] = "bias_of_another"
    graph.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros((7, 1, 3), np.float32), "bias_of_another"))
    last.input[0], last.input[1] = last.input[1], last.input[0]
    graph.graph.node[0].attribute.append(onnx.helper.make_attribute("axis", 1))
    onnx.save(graph, folder / GRAPH)
    place = re.escape(str(folder / GRAPH))
    with pytest.raises(ModelError, match=f"^{place}: ONNX Runtime cannot run it: [^\n]+$"):
        run(folder, [["Mira", "Olsen"]])


def test_a_graph_with_weights_in_other_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = onnx.load(folder / GRAPH)
    onnx.save(graph, folder / GRAPH, save_as_external_data=True, location="secret.bin", size_threshold=0)
    monkeypatch.chdir(folder)
    with pytest.raises(ModelError, match="model.onnx: it refers to other files for its weights$"):
        engine_of(folder)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_graph_that_gives_no_numbers(folder: Path, value: float) -> None:
    graph = onnx.load(folder / GRAPH)
    (bias,) = [tensor for tensor in graph.graph.initializer if tensor.name == "output_bias"]
    bias.CopyFrom(onnx.numpy_helper.from_array(np.full(3, value, np.float32), bias.name))
    onnx.save(graph, folder / GRAPH)
    with pytest.raises(ModelError, match="model.onnx: it gives no logits, but something else$"):
        run(folder, [["Mira"]])


def test_a_graph_that_forgets_a_token(folder: Path) -> None:
    graph = onnx.load(folder / GRAPH)
    (last,) = [node for node in graph.graph.node if "logits" in node.output]
    last.output[0] = "all_logits"
    for name, value in (("first", [1]), ("last", [99]), ("axis", [0])):
        graph.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value), name))
    graph.graph.node.append(onnx.helper.make_node("Slice", ["all_logits", "first", "last", "axis"], ["logits"]))
    onnx.save(graph, folder / GRAPH)
    with pytest.raises(ModelError, match="model.onnx: it gives no logits, but something else$"):
        run(folder, [["Mira", "Olsen"]])
