"""Vectors of forms in, logits out: the model folder's ONNX graph, run by ONNX Runtime."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nertag.config import ModelConfig
from nertag.errors import ModelError
from nertag.model_folder import GRAPH

# Its wheels otherwise leave an id and a record of what they do in the home folder, to be sent to their maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime  # noqa: E402 - it looks at the variable when it is imported

Floats = npt.NDArray[np.float32]

_LARGEST_GRAPH = (1 << 31) - 1  # What the format itself can hold.


class Engine:
    """The graph of a model folder, ready to run in one thread.

    Args:
        folder: The model folder.
        config: Its network's shape.
        size: Dimensions of a form's vector.

    Raises:
        ModelError: If ONNX Runtime does not accept the graph, or the graph is another network's.
    """

    def __init__(self, folder: Path, config: ModelConfig, size: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4
        path = folder / GRAPH
        graph = _read_graph(path)
        try:
            # Falling back, to the same provider, would first print to standard output.
            self._session = onnxruntime.InferenceSession(
                graph, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
        except Exception as error:  # ONNX Runtime raises classes of its own that share no base but Exception
            raise ModelError(f"ONNX Runtime does not accept it: {_first_line(error)}", path=path) from None
        wanted = {"vectors", "forms", "lengths"}
        found = {entry.name: entry.shape for entry in self._session.get_inputs()}
        if set(found) != wanted:
            raise ModelError(f"its inputs are {sorted(found)}, not {sorted(wanted)}", path=path)
        outputs = {entry.name: entry.shape for entry in self._session.get_outputs()}
        ends = [found["vectors"][1:], outputs.get("logits", [])[2:]]
        if ends != [[size], [config.outputs]]:
            raise ModelError(
                f"it does not lead from vectors of {size} dimensions to {config.outputs} logits", path=path
            )
        self._path = path
        self._outputs = config.outputs

    def logits(self, vectors: Floats, forms: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32]) -> Floats:
        """Score every tag at every token.

        Args:
            vectors: Those of all forms that there are, float32, (forms, size).
            forms: The form of every token, int32, (time, batch); any of them past the lengths.
            lengths: Tokens of each window, int32, (batch,), each at least 1.

        Returns:
            Logits, float32, (batch, time, outputs); arbitrary past the lengths.

        Raises:
            ModelError: If the graph fails or gives no logits for these windows.
        """
        try:
            (logits,) = self._session.run(["logits"], {"vectors": vectors, "forms": forms, "lengths": lengths})
        except Exception as error:  # as above
            raise ModelError(f"ONNX Runtime cannot run it: {_first_line(error)}", path=self._path) from None
        if logits.shape != (*forms.shape, self._outputs) or not np.isfinite(logits).all():
            raise ModelError("it gives no logits, but something else", path=self._path)
        result: Floats = logits.transpose(1, 0, 2)
        return result


def _read_graph(path: Path) -> bytes:
    """Read a graph that has all its weights in it.

    Returns:
        The file's content.

    Raises:
        ModelError: If it cannot be read, or ONNX Runtime would look for weights in other files, wherever they are.
    """
    try:
        if path.stat().st_size > _LARGEST_GRAPH:
            raise ModelError(f"it is larger than {_LARGEST_GRAPH:,} bytes", path=path)
        graph = path.read_bytes()
    except OSError as error:
        raise ModelError(f"it cannot be read: {error}", path=path) from None
    if graph[4:8] == b"ORTM":  # Taken by ONNX Runtime as well, but neither checked as well nor made by us.
        raise ModelError("it is no ONNX file, but one of ONNX Runtime's own format", path=path)
    if b"location" in graph:  # The key that a reference to another file cannot do without.
        raise ModelError("it refers to other files for its weights", path=path)
    return graph


def _first_line(error: Exception) -> str:
    """Return the first line of an error's message."""
    return str(error).partition("\n")[0]
