from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from nertag.config import ModelConfig
from nertag.engine import Engine
from nertag.errors import ModelError
from nertag.export import build_graph
from nertag.features import FormTable
from nertag.model_folder import GRAPH, WordTable, read_config, read_vocabulary
from tests.tiny import TRAINING, sentences, tiny_config, tiny_network, trained_folder, vocabulary_of

VOCABULARY = vocabulary_of(sentences(TRAINING))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder of one's own to damage."""
    return shutil.copytree(trained_folder(), tmp_path / "model")


def engine_of(folder: Path, config: ModelConfig | None = None) -> Engine:
    """Start the engine of a folder, for another network's shape if that is given."""
    stored = read_config(folder)
    words = WordTable(folder, read_vocabulary(folder).size, stored.embedding_size)
    return Engine(folder, config or stored.model, words)


def put_graph(folder: Path, **changes: Any) -> None:
    """Put another network's graph into a folder."""
    network = tiny_network(tiny_config(**changes), VOCABULARY)
    (folder / GRAPH).write_bytes(build_graph(network).SerializeToString())


def test_logits_come_by_window_and_time(folder: Path) -> None:
    table = FormTable(read_vocabulary(folder))
    windows = [["Mira", "Olsen", "waved"], ["Rain"]]
    engine = engine_of(folder)
    logits = engine.logits(table.batch([table.rows(words) for words in windows]))
    assert logits.shape == (2, 3, 3)
    alone = engine.logits(table.batch([table.rows(windows[1])]))
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
    put_graph(folder, characters=False)
    message = (
        f"{folder / GRAPH}: its inputs are ['forms', 'lengths', 'shapes', 'vectors'], "
        "not ['characters', 'forms', 'lengths', 'shapes', 'vectors']"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        engine_of(folder)


@pytest.mark.parametrize("changes", [{"labels": ("PER", "ORG")}, {"output": "binary"}, {"embedding_size": 12}])
def test_a_graph_of_other_tags_or_vectors(folder: Path, changes: dict[str, Any]) -> None:
    put_graph(folder, **changes)
    message = f"{folder / GRAPH}: it does not lead from word vectors of 8 dimensions to 3 logits"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        engine_of(folder)


def test_a_graph_of_a_smaller_vocabulary_fails_with_a_sentence(folder: Path) -> None:
    graph = onnx.load(folder / GRAPH)
    (table,) = [tensor for tensor in graph.graph.initializer if tensor.name == "character_table"]
    rows = onnx.numpy_helper.to_array(table)[:3]
    table.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(rows), table.name))
    onnx.save(graph, folder / GRAPH)
    engine, forms = engine_of(folder), FormTable(read_vocabulary(folder))
    place = re.escape(str(folder / GRAPH))
    with pytest.raises(ModelError, match=f"^{place}: ONNX Runtime cannot run it: [^\n]+character_vectors[^\n]+$"):
        engine.logits(forms.batch([forms.rows(["Mira", "Olsen"])]))


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
    engine, forms = engine_of(folder), FormTable(read_vocabulary(folder))
    with pytest.raises(ModelError, match="model.onnx: it gives no logits, but something else$"):
        engine.logits(forms.batch([forms.rows(["Mira"])]))


def test_a_graph_that_forgets_a_token(folder: Path) -> None:
    graph = onnx.load(folder / GRAPH)
    (last,) = [node for node in graph.graph.node if "logits" in node.output]
    last.output[0] = "all_logits"
    for name, value in (("first", [1]), ("last", [99]), ("axis", [0])):
        graph.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value), name))
    graph.graph.node.append(onnx.helper.make_node("Slice", ["all_logits", "first", "last", "axis"], ["logits"]))
    onnx.save(graph, folder / GRAPH)
    engine, forms = engine_of(folder), FormTable(read_vocabulary(folder))
    with pytest.raises(ModelError, match="model.onnx: it gives no logits, but something else$"):
        engine.logits(forms.batch([forms.rows(["Mira", "Olsen"])]))
