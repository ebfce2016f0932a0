"""What `--threshold` gives and costs: precision and recall of the tokens of names, for corpora in JSON Lines."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from nertag.labels import OUTSIDE
from nertag.tagger import Tagger, load
from nertag.text import Passage

THRESHOLDS = (None, 0.95, 0.5, 0.2, 0.1, 0.05, 0.02)


def read(path: Path) -> Iterator[tuple[Passage, list[bool]]]:
    """Yield the sentences of a corpus, and for each token whether it is inside a name."""
    document = None
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        passage = Passage(" ".join(row["tokens"]), row["tokens"], row["doc"] != document, ends_sentence=True)
        document = row["doc"]
        yield passage, [tag != OUTSIDE for tag in row["ner_tags"]]


def score(tagger: Tagger, path: Path) -> tuple[float, float]:
    """Return precision and recall of the tokens of names, 0 to 1."""
    passages, gold = zip(*read(path), strict=True)
    wanted = [inside for sentence in gold for inside in sentence]
    found = [bool(label) for tagged in tagger.tag_passages(passages) for label in tagged.labels]
    hits = sum(one and other for one, other in zip(wanted, found, strict=True))
    return hits / max(sum(found), 1), hits / max(sum(wanted), 1)


def main() -> None:
    """Print a table: precision and recall for each threshold and corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--model", default="en-person")
    options = parser.parse_args()
    print("| `--threshold` |", " | ".join(path.parent.name for path in options.corpora), "|")
    print("|---" * (len(options.corpora) + 1) + "|")
    for threshold in THRESHOLDS:
        tagger = load(options.model, threshold)
        scores = (score(tagger, path) for path in options.corpora)
        print(f"| {threshold or 'none'} |", " | ".join(f"{p:.3f} / {r:.3f}" for p, r in scores), "|")


if __name__ == "__main__":
    main()
