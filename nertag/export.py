"""A trained network in; its ONNX graph out, built node by node.

A form's vector is computed once per distinct form of a batch and gathered into windows from there:

    vectors, characters, shapes (forms, ...) → Concat → Gather(forms) → LSTM/GRU/RNN per direction → MatMul → logits

The word vectors are an input: they stay in `weights.safetensors` (see `nertag.model_folder`). torch's own exporter
traces a network for one direction of control flow and pulls in further packages; the graph has some twenty nodes,
written below.
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
IR_VERSION = 8

# ONNX orders gates i, o, f, c and z, r, h; torch i, f, g, o and r, z, n.
_GATE_ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}


class _Graph:
    """Nodes and initializers in the making."""

    def __init__(self) -> None:
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


def build_graph(network: Network) -> onnx.ModelProto:
    """Build the ONNX graph of a network.

    Returns:
        A model with the inputs `vectors`, float32, (forms, embedding); `characters`, int64, (forms, characters), and
        `shapes`, int64, (forms,), as far as the network has them; `forms`, int64, (time, batch); `lengths`, int32,
        (batch,); and the output `logits`, float32, (time, batch, outputs).
    """
    graph = _Graph()
    config = network.config
    inputs = [
        helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["form", network.word_size]),
        helper.make_tensor_value_info("forms", TensorProto.INT64, ["time", "batch"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]),
    ]
    parts = []
    if network.characters is not None:
        inputs.append(helper.make_tensor_value_info("characters", TensorProto.INT64, ["form", "character"]))
        parts.append(_characters(graph, network.characters))
    if network.shapes is not None:
        inputs.append(helper.make_tensor_value_info("shapes", TensorProto.INT64, ["form"]))
        table = graph.constant("shape_table", network.shapes.weight)
        parts.append(graph.add("Gather", [table, "shapes"], "shape_vectors"))
    hidden = graph.add("Gather", [_join(graph, network, parts), "forms"], "tokens")
    for number, layer in enumerate(network.layers):
        assert isinstance(layer, RecurrentLayer)
        hidden = _recurrent(graph, network, layer, hidden, number)
    weight = graph.constant("output_weight", network.output.weight.T)
    scores = graph.add("MatMul", [hidden, weight], "scores")
    graph.add("Add", [scores, graph.constant("output_bias", network.output.bias)], "logits")
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["time", "batch", config.outputs])
    proto = helper.make_graph(graph.nodes, "nertag", inputs, [output], graph.initializers)
    model = helper.make_model(
        proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="nertag"
    )
    onnx.checker.check_model(model)
    return model


def _characters(graph: _Graph, module: nn.Module) -> str:
    """Add `CharacterConvolution`: characters, (forms, characters), to (forms, filters)."""
    table = graph.constant("character_table", module.embedding.weight)  # type: ignore[arg-type, union-attr]
    convolution = module.convolution
    assert isinstance(convolution, nn.Conv1d) and convolution.bias is not None
    embedded = graph.add("Gather", [table, "characters"], "character_vectors")
    channels = graph.add("Transpose", [embedded], "character_channels", perm=[0, 2, 1])
    weight = graph.constant("character_weight", convolution.weight)
    bias = graph.constant("character_bias", convolution.bias)
    pad = convolution.kernel_size[0] // 2
    convolved = graph.add("Conv", [channels, weight, bias], "character_convolution", pads=[pad, pad])
    positive = graph.add("Relu", [convolved], "character_relu")
    padding = graph.add("Equal", ["characters", graph.constant("padding", np.array(0, np.int64))], "character_padding")
    real = graph.add("Cast", [graph.add("Not", [padding], "character_real")], "character_mask", to=TensorProto.FLOAT)
    mask = graph.add("Unsqueeze", [real, graph.constant("axis_1", np.array([1], np.int64))], "character_channel_mask")
    masked = graph.add("Mul", [positive, mask], "character_masked")
    return graph.add("ReduceMax", [masked], "character_maximum", axes=[2], keepdims=0)


def _join(graph: _Graph, network: Network, parts: list[str]) -> str:
    """Add what joins a form's vectors: (forms, features); for one-hot words W·x of every direction."""
    if not network.one_hot:
        return graph.add("Concat", ["vectors", *parts], "form_vectors", axis=1)
    if network.mixer is None:
        return "vectors"
    rest = graph.add("Concat", parts, "features", axis=1)
    projected = graph.add("MatMul", [rest, graph.constant("mixer", network.mixer.weight.T)], "mixed")
    return graph.add("Add", ["vectors", projected], "form_vectors")


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
    constants = [
        graph.constant(f"{name}_W", _to_onnx(weight, config.cell)[None]),
        graph.constant(f"{name}_R", _to_onnx(values["weight_hh_l0"], config.cell)[None]),
        graph.constant(f"{name}_B", bias[None]),
    ]
    attributes: dict[str, Any] = {"hidden_size": config.hidden_size, "direction": direction}
    if config.cell == "rnn":
        attributes["activations"] = [config.activation.capitalize()]
    elif config.cell == "gru":
        attributes["linear_before_reset"] = 1
    graph.add(config.cell.upper(), [inputs, *constants, "lengths"], f"{name}_states", **attributes)
    axis = graph.constant(f"{name}_direction_axis", np.array([1], np.int64))
    return graph.add("Squeeze", [f"{name}_states", axis], name)


def _to_onnx(values: npt.NDArray[np.float32], cell: str) -> npt.NDArray[np.float32]:
    """Put the gates, stacked along the first axis, into ONNX's order."""
    gates = np.split(values, len(_GATE_ORDER[cell]))
    return np.concatenate([gates[gate] for gate in _GATE_ORDER[cell]])
