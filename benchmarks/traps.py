"""False mentions in sentences about what is only named after persons, and F1 where the same words name persons."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from nertag.tagger import Tagger, load

CONTRAST = "contrast"
"""The class whose sentences do name persons, so that a tagger that never answers does not win."""

Span = tuple[int, int]


class Example(NamedTuple):
    """A sentence and the spans of its persons, in code points."""

    text: str
    gold: frozenset[Span]


class Outcome(NamedTuple):
    """A sentence and the spans that were predicted in it."""

    example: Example
    predicted: frozenset[Span]

    def false_mentions(self) -> list[str]:
        """Return the texts of the predicted mentions that are no gold ones, in order."""
        return [self.example.text[start:end] for start, end in sorted(self.predicted - self.example.gold)]


def read_examples(path: Path) -> dict[str, list[Example]]:
    """Return the sentences by class, in the order of the file."""
    examples: defaultdict[str, list[Example]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        gold = frozenset((span["start"], span["end"]) for span in row["spans"])
        examples[row["class"]].append(Example(row["text"], gold))
    return dict(examples)


def run(tagger: Tagger, examples: list[Example]) -> list[Outcome]:
    """Tag each sentence as a document of its own."""
    return [
        Outcome(example, frozenset((mention.start, mention.end) for mention in tagger.tag(example.text)))
        for example in examples
    ]


def trap_row(name: str, outcomes: list[Outcome]) -> str:
    """Return the number of sentences and of false mentions per ten of them."""
    false = sum(len(outcome.predicted) for outcome in outcomes)
    return f"{name}\t{len(outcomes)}\t{10 * false / len(outcomes):.2f}"


def contrast_row(outcomes: list[Outcome]) -> str:
    """Return the number of sentences, and precision, recall and F1 of mentions with their exact bounds."""
    correct = sum(len(outcome.predicted & outcome.example.gold) for outcome in outcomes)
    predicted = sum(len(outcome.predicted) for outcome in outcomes)
    gold = sum(len(outcome.example.gold) for outcome in outcomes)
    scores = (correct / max(predicted, 1), correct / gold, 2 * correct / (predicted + gold))
    return "\t".join([CONTRAST, str(len(outcomes)), *(f"{score:.3f}" for score in scores)])


def main() -> None:
    """Print one row per class, one for all traps, and the scores of the contrast."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="en-person")
    parser.add_argument("--show", action="store_true", help="list the false mentions, each with its sentence")
    options = parser.parse_args()
    examples = read_examples(Path(__file__).with_name("traps.jsonl"))
    tagger = load(options.model)
    outcomes = {name: run(tagger, members) for name, members in examples.items()}
    contrast = outcomes.pop(CONTRAST)
    print("class", "sentences", "false mentions per ten sentences", sep="\t")
    for name, members in outcomes.items():
        print(trap_row(name, members))
    print(trap_row("all", [outcome for members in outcomes.values() for outcome in members]))
    print()
    print("class", "sentences", "precision", "recall", "F1", sep="\t")
    print(contrast_row(contrast))
    if options.show:
        print()
        for name, members in [*outcomes.items(), (CONTRAST, contrast)]:
            for outcome in members:
                for mention in outcome.false_mentions():
                    print(name, mention, outcome.example.text, sep="\t")


if __name__ == "__main__":
    main()
