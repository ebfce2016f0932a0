"""A trained network in; the ONNX graph of its recurrent layers out, built node by node.

    vectors (forms, size) → Gather(forms) → LSTM/GRU/RNN per direction → MatMul → logits

The vectors of forms come from `nertag.encoder`, once per distinct form. torch's own exporter traces a network for one
direction of control flow and pulls in further packages; the graph has a dozen nodes, written below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from nertag.network import Network, RecurrentLayer

OPSET = 17
_RUNTIME = "com.microsoft"
_OPSETS = {"": OPSET, _RUNTIME: 1}
IR_VERSION = 8

# ONNX orders gates i, o, f, c and z, r, h; torch i, f, g, o and r, z, n.
_GATE_ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}


# The greatest absolute value of a quantised weight. Seven bits and not eight: processors without instructions for 8-bit
# products add two of them in 16 bits, which would overflow; so results are the same on all of them.
_LARGEST = 63


class _Graph:
    """Nodes and initializers in the making.

    Args:
        quantized: Whether LSTMs compute with integers.
    """

    def __init__(self, quantized: bool) -> None:
        self.quantized = quantized
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []

    def add(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:  # noqa: ANN401 - ONNX's own
        """Append a node with one output and return the output's name."""
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, values: npt.NDArray[np.generic] | Tensor) -> str:
        """Store a tensor and return its name."""
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name


def build_graph(network: Network, *, quantized: bool = False) -> onnx.ModelProto:
    """Build the ONNX graph of a network.

    Args:
        network: What to build.
        quantized: Whether LSTMs compute with 8-bit integers, inputs and states being rounded as they come: twice as
            fast, and probabilities move in the fourth place. Other cells, and inputs of one-hot words, stay as they
            are.

    Returns:
        A model with the inputs `vectors`, float32, (forms, size); `forms`, int32, (time, batch); `lengths`, int32,
        (batch,); and the output `logits`, float32, (time, batch, outputs).
    """
    graph = _Graph(quantized)
    config = network.config
    inputs = [
        helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["form", network.form_size]),
        helper.make_tensor_value_info("forms", TensorProto.INT32, ["time", "batch"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]),
    ]
    hidden = graph.add("Gather", ["vectors", "forms"], "tokens")
    for number, layer in enumerate(network.layers):
        assert isinstance(layer, RecurrentLayer)
        hidden = _recurrent(graph, network, layer, hidden, number)
    weight = graph.constant("output_weight", network.output.weight.T)
    scores = graph.add("MatMul", [hidden, weight], "scores")
    graph.add("Add", [scores, graph.constant("output_bias", network.output.bias)], "logits")
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["time", "batch", config.outputs])
    proto = helper.make_graph(graph.nodes, "nertag", inputs, [output], graph.initializers)
    kinds = {node.domain for node in graph.nodes}
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items() if domain in kinds]
    model = helper.make_model(proto, opset_imports=opsets, ir_version=IR_VERSION, producer_name="nertag")
    onnx.checker.check_model(model)
    return model


def _recurrent(graph: _Graph, network: Network, layer: RecurrentLayer, inputs: str, number: int) -> str:
    """Add one recurrent layer: (time, batch, features) to (time, batch, directions * hidden)."""
    config = network.config
    width = config.gates * config.hidden_size
    outputs = []
    for direction, reader in zip(("forward", "reverse"), layer.readers, strict=False):
        name = f"layer_{number}_{direction}"
        read = inputs
        if layer.projected and len(layer.readers) == 2:
            first = 0 if direction == "forward" else width
            bounds = [graph.constant(f"{name}_{key}", np.array([n], np.int64)) for key, n in _slice(first, width)]
            read = graph.add("Slice", [inputs, *bounds], f"{name}_input")
        outputs.append(_reader(graph, network, reader, read, name, direction, projected=layer.projected))
    return outputs[0] if len(outputs) == 1 else graph.add("Concat", outputs, f"layer_{number}", axis=2)


def _slice(first: int, width: int) -> list[tuple[str, int]]:
    """Return the arguments of a Slice along the last axis of three."""
    return [("start", first), ("end", first + width), ("axis", 2)]


def _reader(
    graph: _Graph, network: Network, reader: nn.Module, inputs: str, name: str, direction: str, *, projected: bool
) -> str:
    """Add one direction of a layer: (time, batch, features) to (time, batch, hidden)."""
    config = network.config
    values = {key: value.detach().cpu().numpy() for key, value in reader.named_parameters()}
    width = config.gates * config.hidden_size
    weight = np.eye(width, dtype=np.float32) if projected else values["weight_ih_l0"]
    bias = np.concatenate([_to_onnx(values["bias_ih_l0"], config.cell), _to_onnx(values["bias_hh_l0"], config.cell)])
    weights = [_to_onnx(matrix, config.cell)[None] for matrix in (weight, values["weight_hh_l0"])]
    attributes: dict[str, Any] = {"hidden_size": config.hidden_size, "direction": direction}
    if config.cell == "rnn":
        attributes["activations"] = [config.activation.capitalize()]
    elif config.cell == "gru":
        attributes["linear_before_reset"] = 1
    added = [graph.constant(f"{name}_B", bias[None]), "lengths"]
    if graph.quantized and config.cell == "lstm" and not projected:
        matrices, ranges = _quantize(graph, name, weights)
        attributes["domain"] = _RUNTIME
        graph.add(
            "DynamicQuantizeLSTM", [inputs, *matrices, *added, "", "", "", *ranges], f"{name}_states", **attributes
        )
    else:
        matrices = [graph.constant(f"{name}_{letter}", matrix) for letter, matrix in zip("WR", weights, strict=True)]
        graph.add(config.cell.upper(), [inputs, *matrices, *added], f"{name}_states", **attributes)
    axis = graph.constant(f"{name}_direction_axis", np.array([1], np.int64))
    return graph.add("Squeeze", [f"{name}_states", axis], name)


def _quantize(graph: _Graph, name: str, weights: Sequence[npt.NDArray[np.float32]]) -> tuple[list[str], list[str]]:
    """Store matrices, (1, gates, inputs), as integers with one scale per row.

    Returns:
        The names of the matrices, which ONNX Runtime wants transposed, and those of their scales and zero points.
    """
    matrices, ranges = [], []
    for letter, weight in zip("WR", weights, strict=True):
        scale = np.maximum(np.abs(weight).max(axis=2) / _LARGEST, 1e-12).astype(np.float32)
        rounded = np.round(weight / scale[:, :, None]).astype(np.int8)
        matrices.append(graph.constant(f"{name}_{letter}", rounded.transpose(0, 2, 1)))
        ranges.append(graph.constant(f"{name}_{letter}_scale", scale))
        ranges.append(graph.constant(f"{name}_{letter}_zero", np.zeros(scale.shape, np.int8)))
    return matrices, ranges


def _to_onnx(values: npt.NDArray[np.float32], cell: str) -> npt.NDArray[np.float32]:
    """Put the gates, stacked along the first axis, into ONNX's order."""
    gates = np.split(values, len(_GATE_ORDER[cell]))
    return np.concatenate([gates[gate] for gate in _GATE_ORDER[cell]])
