"""A tiny corpus of our own sentences, tiny networks, and a tiny model trained on the one with the help of the other."""

from __future__ import annotations

import functools
import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from nertag.config import ModelConfig, TrainingConfig
from nertag.data import Sentence
from nertag.encoding import EncodedCorpus
from nertag.export import build_graph
from nertag.features import PADDING, RESERVED, FormTable, Vocabulary, count_words, known_characters
from nertag.labels import Span, tags_from
from nertag.model_folder import (
    CARD,
    CONFIG,
    GRAPH,
    VOCABULARY,
    WEIGHTS,
    FolderConfig,
    config_json,
)
from nertag.network import Network, TorchBatch
from nertag.training import Trainer
from nertag.vocabulary import vocabulary_bytes

torch.set_num_threads(1)

TRAINING = (
    "[PER Mira Olsen] walked home with [PER Tom] .",
    "The old bridge near [LOC Bergen] was closed .",
    "[PER Tom Weaver] works for [ORG Acme] in [LOC Bergen] .",
    "Nobody at [ORG Acme Tools] had seen the letter .",
    "Yesterday [PER Mira] lost her keys .",
    "We had bread , cheese and tea .",
    '" Come in , " said [PER Ada Quill] , smiling .',
    "The rain fell on [LOC Oslo] all night .",
    "[PER Ada] and [PER Mira Olsen] read the same book .",
    "A green door stood open at the end of the street .",
    "Was it [PER Tom] or [PER Ada Quill] who called ?",
    "[ORG Acme] sold three ships to [LOC Oslo] .",
)
VALIDATION = (
    "[PER Mira Olsen] called [PER Ada] .",
    "The street near [LOC Oslo] was open .",
    "[PER Tom Weaver] said nobody had seen [PER Mira] .",
    "[ORG Acme Tools] closed the bridge .",
)


@dataclass
class Lines:
    """A sentence that can be altered, so that a test sees it if it is."""

    words: list[str]
    tags: list[str]
    starts_document: bool = False


def sentence(marked: str, labels: Iterable[str] = ("PER",), *, starts_document: bool = True) -> Sentence:
    """Read `[PER Mira Olsen] waved .` with the mentions of some labels."""
    words: list[str] = []
    spans: list[Span] = []
    for label, mention, word in re.findall(r"\[([A-Z]+) ([^]]*)\]|(\S+)", marked):
        found = mention.split() or [word]
        if label in labels:
            spans.append(Span(len(words), len(words) + len(found), label))
        words += found
    return Sentence(tuple(words), tuple(tags_from(spans, len(words))), starts_document)


def sentences(marked: Iterable[str], labels: Iterable[str] = ("PER",)) -> list[Sentence]:
    """Read sentences that are a document each."""
    return [sentence(each, labels) for each in marked]


def write_jsonl(path: Path, marked: Iterable[str], labels: Sequence[str] = ("PER", "ORG", "LOC")) -> Path:
    """Write sentences as JSON Lines with tokens and tags."""
    lines = [{"tokens": each.words, "tags": each.tags} for each in sentences(marked, labels)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8", newline="\n")
    return path


def tiny_config(**changes: Any) -> ModelConfig:
    """Return the shape of a tiny network, whatever the defaults are."""
    values: dict[str, Any] = {
        "cell": "lstm",
        "direction": "bidirectional",
        "layers": 1,
        "hidden_size": 8,
        "embedding": "learned",
        "embedding_size": 8,
        "character_size": 4,
        "character_filters": 6,
        "character_width": 3,
        "shape_size": 3,
        "window": 20,
    }
    return ModelConfig(**(values | changes))


def fast_training(**changes: Any) -> TrainingConfig:
    """Return settings that let a tiny network learn a dozen sentences in a second or two, whatever the defaults are."""
    values: dict[str, Any] = {
        "epochs": 25,
        "patience": 25,
        "batch_tokens": 40,
        "learning_rate": 0.03,
        "warmup": 0.05,
        "weight_decay": 0.0,
        "clip_norm": 5.0,
        "dropout": 0.0,
        "word_dropout": 0.0,
        "lower_share": 0.0,
        "upper_share": 0.0,
        "title_share": 0.0,
        "swap_share": 0.0,
        "averaging": 0.5,
        "seed": 1,
        "device": "cpu",
    }
    return TrainingConfig(**(values | changes))


def vocabulary_of(corpus: Iterable[Sentence]) -> Vocabulary:
    """Return the vocabulary of some sentences."""
    counts = count_words(word for each in corpus for word in each.words)
    return Vocabulary(sorted(counts), known_characters(counts, least=1))


def tiny_network(config: ModelConfig, vocabulary: Vocabulary, seed: int = 1, **dropout: float) -> Network:
    """Make a network whose weights are all random and large enough to matter, biases and word vectors included."""
    torch.manual_seed(seed)
    characters = len(vocabulary.characters) + RESERVED
    network = Network(config, vocabulary.size, characters, config.embedding_size, **dropout)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
        for module in network.modules():
            if isinstance(module, nn.Embedding):
                module.weight[PADDING] = 0  # as it is made, and stays in training
        if config.embedding == "pretrained":
            network.fill_words(0.3 * torch.randn(vocabulary.size, config.embedding_size))
    return network.eval()


def batch_of(table: FormTable, windows: Sequence[Sequence[str]]) -> TorchBatch:
    """Put windows of words together."""
    return TorchBatch.of(table.batch([table.rows(words) for words in windows]))


def write_folder(folder: Path, network: Network, vocabulary: Vocabulary, temperature: float = 1.0) -> Path:
    """Write what tagging needs of a model folder."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = FolderConfig(network.config, network.word_size, temperature, "0.0")
    (folder / CONFIG).write_text(config_json(config), encoding="utf-8")
    (folder / VOCABULARY).write_bytes(vocabulary_bytes(vocabulary))
    (folder / CARD).write_text("# tiny\n", encoding="utf-8")
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, folder / WEIGHTS)
    (folder / GRAPH).write_bytes(build_graph(network).SerializeToString())
    return folder


def make_trainer(
    model: ModelConfig | None = None,
    training: TrainingConfig | None = None,
    marked: Iterable[str] = TRAINING,
    validation: Iterable[str] = VALIDATION,
) -> Trainer:
    """Set up training, as the command does: the same settings make the same trainer."""
    model = model or tiny_config()
    training = training or fast_training()
    corpus, held_out = sentences(marked, model.labels), sentences(validation, model.labels)
    vocabulary = vocabulary_of(corpus)
    table = FormTable(vocabulary, capacity=1 << 62)
    torch.manual_seed(training.seed)
    characters = len(vocabulary.characters) + RESERVED
    network = Network(model, vocabulary.size, characters, model.embedding_size, training.dropout, training.word_dropout)
    if model.embedding == "pretrained":
        network.fill_words(torch.from_numpy(np.random.default_rng(0).normal(size=(vocabulary.size, 8))).float())
    encoded = [EncodedCorpus(part, table, model.tags) for part in (corpus, held_out)]
    return Trainer(network, table, encoded[0], encoded[1], training, torch.device("cpu"))


_home = tempfile.TemporaryDirectory(prefix="nertag-tiny-")


@functools.cache
def trained_folder(*labels: str) -> Path:
    """Return a model folder, trained once per test run, that knows the names of the tiny corpus."""
    trainer = make_trainer(tiny_config(labels=labels or ("PER",)))
    for _ in trainer.epochs():
        pass
    trainer.take_best()
    return write_folder(Path(_home.name) / "-".join(("tiny", *labels)), trainer.network, trainer.table.vocabulary)
