"""What integers cost: mention F1 of a model on corpora by its graph, which rounds, and by the same without rounding."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as `nertag tag` does

from safetensors.torch import load_file

from nertag.data import ReadOptions, Sentence, load_corpus
from nertag.engine import Engine
from nertag.export import build_graph
from nertag.features import RESERVED
from nertag.labels import spans_of
from nertag.metrics import mention_scores
from nertag.model_folder import GRAPH, VOCABULARY, WEIGHTS, find, read_config
from nertag.network import Network
from nertag.tagger import Tagger, load
from nertag.text import Passage
from nertag.vocabulary import VocabularyTable

NOT_THE_NETWORK = ("words.", "agreement.")


def unrounded(model: str) -> Tagger:
    """Load a model with the graph that it would have without integers."""
    folder = find(model)
    config = read_config(folder)
    characters = len(VocabularyTable(folder / VOCABULARY).characters) + RESERVED
    network = Network(config.model, RESERVED, characters, config.embedding_size)
    weights = load_file(folder / WEIGHTS)
    network.load_state_dict(
        {name: value for name, value in weights.items() if not name.startswith(NOT_THE_NETWORK)}, strict=False
    )
    tagger = load(model)
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / GRAPH).write_bytes(build_graph(network.eval()).SerializeToString())
        tagger.engine = Engine(Path(scratch), config.model, network.form_size)
    return tagger


def tags_of(tagger: Tagger, sentences: Sequence[Sentence]) -> list[list[str]]:
    """Return what a model says of sentences."""
    passages = [Passage(" ".join(s.words), s.words, s.starts_document, ends_sentence=True) for s in sentences]
    return [list(tagged.tags) for tagged in tagger.tag_passages(passages)]


def mentions_of(tags: Sequence[Sequence[str]]) -> set[tuple[int, tuple[int, int, str]]]:
    """Return where all mentions stand."""
    return {(number, span) for number, sentence in enumerate(tags) for span in spans_of(sentence)}


def main() -> None:
    """Print a row for each corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="+", help="as for `nertag train --validation`")
    parser.add_argument("--model", default="en-person")
    parser.add_argument("--split", default="validation")
    options = parser.parse_args()
    taggers = load(options.model), unrounded(options.model)
    print("| corpus | names | F1, integers | F1, unrounded | points | tags that differ | mentions gained, lost |")
    print("|---|---|---|---|---|---|---|")
    for name in options.corpora:
        sentences = load_corpus(name, options.split, ReadOptions(), lambda *notice: None).sentences
        gold = [sentence.tags for sentence in sentences]
        rounded, exact = (tags_of(tagger, sentences) for tagger in taggers)
        scores = [100 * mention_scores(gold, tags).f1 for tags in (rounded, exact)]
        pairs = zip(rounded, exact, strict=True)
        differing = sum(one != other for ours, theirs in pairs for one, other in zip(ours, theirs, strict=True))
        found, known = mentions_of(rounded), mentions_of(exact)
        cells = [Path(name).name, f"{len(mentions_of(gold)):,}", *(f"{score:.2f}" for score in scores)]
        cells += [f"{scores[0] - scores[1]:+.2f}", f"{differing} of {sum(map(len, gold)):,}"]
        print("|", " | ".join([*cells, f"{len(found - known)}, {len(known - found)}"]), "|", flush=True)


if __name__ == "__main__":
    main()
