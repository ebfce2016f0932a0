"""Measure how fast nertag is, as ratios of things measured in turn on the same machine, and print them as a table.

Takes plain text in UTF-8, at best some megabytes of the kind that is to be tagged; less than `--tokens` is repeated.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as `nertag tag` does

import numpy as np
import numpy.typing as npt
import onnxruntime
from shell import nertag
from timing import NERTAG, Figure, alternate, most_memory, run, run_together, spend

from nertag.tagger import COLLECTED, Runner, load
from nertag.text import split_words
from nertag.writers.labels import labels_text

Array = npt.NDArray[Any]

SENTENCE = "Harry Potter and Hermione Granger invented a new spell"


def main() -> None:
    """Measure, print the table, and write all figures as JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--model", default="en-person")
    parser.add_argument("--tokens", type=int, default=10_000_000, help="of the text for one thread; others get a fifth")
    parser.add_argument("--runs", type=int, default=3, help="of everything but starting, which is measured 20 times")
    parser.add_argument(
        "--peers", metavar="PYTHON", help="interpreter that has spaCy and python-crfsuite: see peers.py"
    )
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    gc.set_threshold(100_000, 20, 20)  # as `nertag tag` does
    print("| ratio | goal | median | least | most | runs | details |\n| --- | --- | --- | --- | --- | --- | --- |")
    figures = []
    with tempfile.TemporaryDirectory() as scratch:
        for figure in measure(options, Path(scratch)):
            figures.append(figure)
            print(figure.row(), flush=True)
    if options.json:
        machine = {"python": platform.python_version(), "onnxruntime": onnxruntime.__version__}
        machine |= {"numpy": np.__version__, "machine": platform.machine(), "cores": len(os.sched_getaffinity(0))}
        result = {"machine": machine, "figures": [vars(figure) for figure in figures]}
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def measure(options: argparse.Namespace, scratch: Path) -> Iterator[Figure]:
    """Measure one ratio after the other."""
    text = "".join(path.read_text(encoding="utf-8") for path in options.texts)
    path, long_path = scratch / "text.txt", scratch / "long.txt"
    tokens = write_text(path, text, options.tokens // 5)
    yield cold_start(options.model)
    yield one_thread(options.model, long_path, write_text(long_path, text, options.tokens), options.runs)
    yield two_workers(options.model, path, tokens, options.runs, scratch)
    if options.peers:
        yield from against_peers(options.model, text, options.peers, options.runs, scratch)
    yield memory(options.model, text, scratch)
    yield long_inputs(options.model, text, scratch)
    yield training(text, options.runs)


def write_text(path: Path, text: str, tokens: int) -> int:
    """Write text of about so many tokens, repeated if it is too short, and return how many they are."""
    if not text.endswith("\n"):
        text += "\n"
    there = len(split_words(text))
    if there >= tokens:
        text = text[: text.index("\n", len(text) * tokens // there) + 1]
    else:
        text *= -(-tokens // there)
    path.write_text(text, encoding="utf-8", newline="\n")
    return len(split_words(text))


def cold_start(model: str) -> Figure:
    """One sentence as a whole process, against importing what it is built on."""
    tag = [*NERTAG, "tag", "--model", model, "--text", SENTENCE]
    floor = [sys.executable, "-c", "import typer, onnxruntime"]
    ours, theirs = alternate(20, lambda: run(tag), lambda: run(floor))
    details = {"nertag s": statistics.median(ours), "imports s": statistics.median(theirs)}
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return Figure("cold start: `tag --text` / `import typer, onnxruntime`", "≤ 1.4", ratios, details)


def one_thread(model: str, path: Path, tokens: int, runs: int) -> Figure:
    """Text to labels against the graph alone, fed with the very batches that the text gave: processor time.

    The two take turns every million code points or so, since a machine is not equally fast all the time.

    Args:
        model: The model.
        path: Lines of text.
        tokens: How many tokens they have.
        runs: How often the whole text is tagged.

    Returns:
        A ratio for every run.
    """
    ours, bare = [], []
    for _ in range(runs):
        tagger = load(model)
        graph = tagger.engine
        feeds: list[tuple[Array, Array, Array]] = []
        tagger.engine = Recorder(graph, feeds)
        seconds = [0.0, 0.0]
        with path.open(encoding="utf-8", newline="\n") as file:
            while texts := ["".join(lines) for _ in range(16) if (lines := file.readlines(COLLECTED))]:
                times = [time.process_time()]
                for text in texts:
                    labels_text(*tagger.label_lines(text, alone=False))
                times.append(time.process_time())
                for feed in feeds:
                    graph.logits(*feed)
                times.append(time.process_time())
                seconds = [total + taken for total, taken in zip(seconds, np.diff(times).tolist(), strict=True)]
                feeds.clear()
        ours.append(tokens / seconds[0])
        bare.append(tokens / seconds[1])
    details = {"tokens": tokens, "tokens/s": statistics.median(ours), "graph tokens/s": statistics.median(bare)}
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    return Figure("one thread: text to labels / the graph alone", "≥ 0.75", ratios, details)


class Recorder:
    """An engine that keeps what it is given."""

    def __init__(self, engine: Runner, feeds: list[tuple[Array, Array, Array]]) -> None:
        self._engine = engine
        self._feeds = feeds

    def logits(self, vectors: Array, forms: Array, lengths: Array) -> Array:
        """Score tokens."""
        self._feeds.append((vectors, forms, lengths))
        return self._engine.logits(vectors, forms, lengths)


def halve(path: Path, scratch: Path) -> list[Path]:
    """Write each half of a text into a file of its own."""
    content = path.read_bytes()
    middle = content.index(b"\n", len(content) // 2) + 1
    halves = [scratch / "first.txt", scratch / "second.txt"]
    halves[0].write_bytes(content[:middle])
    halves[1].write_bytes(content[middle:])
    return halves


def two_workers(model: str, path: Path, tokens: int, runs: int, scratch: Path) -> Figure:
    """Two workers against two processes with half of the text each."""
    halves = halve(path, scratch)
    tag = [*NERTAG, "tag", "--quiet", "--model", model, "--workers"]
    apart, ours = alternate(
        runs,
        lambda: run_together([[*tag, "1", half] for half in halves]),
        lambda: run([*tag, "2", path]),
    )
    alone = [run([*tag, "1", path]) for _ in range(runs)]
    seconds = {"two workers": ours, "two processes": apart, "one process": alone}
    details = {f"{name} tokens/s": tokens / statistics.median(values) for name, values in seconds.items()}
    ratios = [a / b for a, b in zip(apart, ours, strict=True)]
    return Figure("two workers: their rate / that of two processes on halves", "≥ 0.95", ratios, details)


def against_peers(model: str, text: str, python: str, runs: int, scratch: Path) -> Iterator[Figure]:
    """Whole processes on the same text in turn, on one core by processor time, on two by the clock.

    Of spaCy's two ways to use both cores the better counts.

    Args:
        model: The model.
        text: Some text.
        python: The peers' interpreter.
        runs: How often each is run.
        scratch: A folder.

    Yields:
        Each peer's ratios.
    """
    small, large, crf = scratch / "small" / "text.txt", scratch / "large" / "text.txt", scratch / "crf"
    tokens = {}
    for path, wanted in ((small, 500_000), (large, 2_000_000)):
        path.parent.mkdir()
        tokens[path] = write_text(path, text, wanted)
    peer = [python, Path(__file__).with_name("peers.py")]
    labelled = scratch / "labelled.conll"
    labelled.write_text(nertag("tag", "--quiet", "--model", model, "--format", "conll", small), encoding="utf-8")
    run([*peer, "train-crf", labelled, crf])
    tag = [*NERTAG, "tag", "--quiet", "--model", model, "--workers"]
    run([*tag, 2, small])

    def of_spacy(workers: int, path: Path) -> float:
        """Return spaCy's seconds."""
        if workers == 1:
            return spend([*peer, "spacy", path, 1])
        halves = [[*peer, "spacy", half, 1] for half in halve(path, scratch)]
        return min(run([*peer, "spacy", path, workers]), run_together(halves))

    def of_crf(workers: int, path: Path) -> float:
        """Return the seconds of the CRF, which knows no workers."""
        if workers == 1:
            return spend([*peer, "crf", path, crf])
        return run_together([[*peer, "crf", half, crf] for half in halve(path, scratch)])

    def of_nertag(workers: int, path: Path) -> float:
        """Return our seconds."""
        return (spend if workers == 1 else run)([*tag, workers, path])

    cases = (
        ("spaCy, NER alone", "≥ 15", of_spacy, small),
        ("linear-chain CRF", "≥ 2", of_crf, small),
        ("linear-chain CRF", "≥ 2", of_crf, large),
    )
    for (name, goal, seconds_of, path), workers in product(cases, (1, 2)):
        pairs = [(of_nertag(workers, path), seconds_of(workers, path)) for _ in range(runs)]
        ours, theirs = (tokens[path] / statistics.median(seconds) for seconds in zip(*pairs, strict=True))
        cores = "one core" if workers == 1 else "two cores"
        details = {"tokens": tokens[path], "tokens/s": ours, "theirs": theirs}
        yield Figure(f"{name}, {cores}: nertag / it", goal, [their / our for our, their in pairs], details)


def memory(model: str, text: str, scratch: Path) -> Figure:
    """The memory for a text ten times as long against that for the text."""
    paths = scratch / "one.txt", scratch / "ten.txt"
    write_text(paths[0], text, 300_000)
    paths[1].write_bytes(paths[0].read_bytes() * 10)
    tag = [*NERTAG, "tag", "--quiet", "--model", model, "--workers"]
    one, ten = (most_memory([*tag, "1", path]) for path in paths)
    details = {
        "MB": one,
        "MB for ten times the text": ten,
        "MB of two workers": most_memory([*tag, 2, paths[1]], family=True),
    }
    goal = "≤ 1.05; < 200 MB; < 350 MB with two workers"
    return Figure("memory: for ten times the text / for the text", goal, [ten / one], details)


def long_inputs(model: str, text: str, scratch: Path) -> Figure:
    """Time per byte of the largest of three sizes against the smallest, for what has no end in sight."""
    line = text.replace("\n", " ")
    kinds = {
        "line": (line * (-(-20_000_000 // len(line))), (2_000_000, 6_000_000, 20_000_000)),
        "token": ("x" * 10_000_000, (1_000_000, 3_000_000, 10_000_000)),
        "empty lines": ("\n" * 3_000_000, (300_000, 1_000_000, 3_000_000)),
    }
    path = scratch / "long.txt"
    ratios, details = [], {}
    tag = [*NERTAG, "tag", "--quiet", "--model", model, "--workers", "1"]
    path.write_text("x", encoding="utf-8")
    start = min(run([*tag, path]) for _ in range(3))
    for name, (content, sizes) in kinds.items():
        per_megabyte = []
        for size in sizes:
            path.write_text(content[:size], encoding="utf-8")
            per_megabyte.append((run([*tag, path]) - start) / size * 1e6)
        ratios.append(per_megabyte[-1] / per_megabyte[0])
        taken = f"{' '.join(f'{seconds:.3f}' for seconds in per_megabyte)} s/MB"
        details[name] = f"{taken}, {most_memory([*tag, path]):.0f} MB"
    return Figure("time per byte: ten times as much without a line end / once", "no growth", ratios, details)


def training(text: str, runs: int) -> Figure:
    """An epoch of `train`, validation included, against forward, backward and step on ready batches: processor time."""
    import torch

    from nertag.config import ModelConfig, TrainingConfig
    from nertag.data import Sentence
    from nertag.encoding import EncodedCorpus
    from nertag.features import RESERVED, FormTable, Vocabulary, count_words, known_characters
    from nertag.network import Network, loss_of
    from nertag.training import EpochReport, Trainer

    torch.set_num_threads(1)
    lines = [words for line in text.splitlines()[:8000] if (words := split_words(line))]
    # Whether the names are right makes no difference to the time.
    corpus = [Sentence(tuple(words), tuple("B-PER" if w.istitle() else "O" for w in words), True) for words in lines]
    counts = count_words(word for sentence in corpus for word in sentence.words)
    vocabulary = Vocabulary(sorted(counts), known_characters(counts))
    table = FormTable(vocabulary, capacity=1 << 62)
    config = ModelConfig()
    network = Network(config, vocabulary.size, len(vocabulary.characters) + RESERVED, config.embedding_size, 0.5, 0.1)
    encoded = [EncodedCorpus(part, table, config.tags) for part in (corpus, corpus[:50])]
    settings = TrainingConfig(epochs=runs, device="cpu")
    trainer = Trainer(network, table, encoded[0], encoded[1], settings, torch.device("cpu"))
    batches = [trainer._to_batch(windows) for windows in trainer._draw(random.Random(0))]
    weights = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(weights)
    tokens = sum(int(batch.lengths.sum()) for batch in batches)
    ours, bare = [], []
    began = time.process_time()
    for report in trainer.epochs():
        if isinstance(report, EpochReport):
            ours.append(report.tokens / (time.process_time() - began))
            network.train()
            began = time.process_time()
            for batch in batches:
                optimizer.zero_grad(set_to_none=True)
                loss_of(network(batch), batch).backward()
                optimizer.step()
            bare.append(tokens / (time.process_time() - began))
            began = time.process_time()
    details = {"tokens/s": statistics.median(ours), "bare tokens/s": statistics.median(bare)}
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    return Figure("training, one thread: an epoch / bare steps on ready batches", "≥ 0.5", ratios, details)


if __name__ == "__main__":
    main()
