"""Train every cell × direction × embedding through the command line, and hold ONNX against torch."""

from __future__ import annotations

import argparse
import itertools
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from shell import mention_scores, nertag

from nertag.export import build_graph
from nertag.features import RESERVED, FormTable
from nertag.model_folder import GRAPH, read_config, read_vocabulary
from nertag.network import Network, TorchBatch
from nertag.tagger import load
from nertag.text import split_words

SENTENCES = (
    "Harry Potter and Hermione Granger invented a new spell",
    "He said, Teddy Roosevelt was USA president",
    "He said, Teddy Bears were his favourite soft toy",
    "the keys are with Zoë, who left at 10:30!",
)


def onnx_difference(folder: Path) -> float:
    """Return the greatest difference of a logit between the torch network and the ONNX graph of a model folder."""
    config, vocabulary = read_config(folder), read_vocabulary(folder)
    network = Network(config.model, vocabulary.size, len(vocabulary.characters) + RESERVED, config.embedding_size)
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    network.eval()
    (folder / GRAPH).write_bytes(build_graph(network).SerializeToString())  # not quantised, as the stored one is
    tagger = load(folder)
    table = FormTable(vocabulary)
    batch = table.batch([table.rows(split_words(sentence)) for sentence in SENTENCES])
    rows = tagger.forms.rows(table.forms)
    with torch.inference_mode():
        expected = network(TorchBatch.of(batch)).numpy()
    real = np.arange(expected.shape[1]) < batch.lengths[:, None]
    forms, lengths = rows[batch.forms.T], batch.lengths.astype(np.int32)
    found = tagger.engine.logits(tagger.forms.vectors, np.ascontiguousarray(forms), lengths)
    return float(np.abs(expected - found)[real].max())


def main() -> None:
    """Train, evaluate, tag and compare, and print one row per combination."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train")
    parser.add_argument("validation")
    parser.add_argument("test")
    parser.add_argument("--vectors", required=True)
    parser.add_argument("--epochs", default="5")
    options = parser.parse_args()
    print("cell direction embedding f1 onnx-torch tags", flush=True)
    cells, directions = ("rnn", "gru", "lstm"), ("forward", "bidirectional")
    for cell, direction, embedding in itertools.product(cells, directions, ("one-hot", "pretrained")):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "model"
            vectors = ["--vectors", options.vectors, "--vectors-limit", "20000"] if embedding == "pretrained" else []
            shape = ["--cell", cell, "--direction", direction, "--embedding", embedding, *vectors]
            data = [options.train, "--validation", options.validation]
            nertag("train", *data, "--output", folder, "--epochs", options.epochs, "--quiet", *shape)
            f1 = mention_scores(folder, options.test)["f1"]
            difference = onnx_difference(folder)
            labels = nertag("tag", "--model", folder, "--text", SENTENCES[0]).strip()
            print(f"{cell} {direction} {embedding} {f1:.4f} {difference:.1e} [{labels}]", flush=True)
            if difference > 1e-4:
                raise SystemExit("ONNX and torch differ by more than 1e-4")


if __name__ == "__main__":
    main()
