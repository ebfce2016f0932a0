"""What else people use, as programs of their own: spaCy's named-entity component, and a linear-chain CRF.

They live in an environment of their own, whose interpreter `run.py --peers` takes:

    python -m venv peers && peers/bin/pip install -r benchmarks/peers.txt

Run by that interpreter: `peers.py spacy TEXT PROCESSES`, `peers.py train-crf CONLL MODEL`, `peers.py crf TEXT MODEL`.
spaCy's French pipeline stands in for the English one of the same shape, which no package index has. The CRF learns from
what nertag found in the text; its features are those of the tutorials, of two words before and after, too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

SPACY_MODEL = "fr_core_news_md"
BATCH = 512  # The fastest of those from 32 to 2000.
_TOKEN = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


def tag_with_spacy(path: Path, processes: int) -> int:
    """Tag a text line by line with nothing but the named-entity component; return how many names there are."""
    import spacy

    pipes = spacy.info(SPACY_MODEL)["pipeline"]
    nlp = spacy.load(SPACY_MODEL, exclude=[pipe for pipe in pipes if pipe != "ner"])
    with path.open(encoding="utf-8") as lines:
        docs = nlp.pipe((line.rstrip("\n") for line in lines), batch_size=BATCH, n_process=processes)
        return sum(len(doc.ents) for doc in docs)


def train_crf(path: Path, model: Path) -> None:
    """Train a CRF on tokens and tags, a token a line."""
    import pycrfsuite

    trainer = pycrfsuite.Trainer(verbose=False)
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        rows = [line.split("\t") for line in block.splitlines() if line]
        if rows:
            trainer.append(features_of([word for word, _ in rows]), [tag for _, tag in rows])
    trainer.set_params({"c1": 0.0, "c2": 0.01, "max_iterations": 30, "feature.possible_transitions": True})
    trainer.train(str(model))


def tag_with_crf(path: Path, model: Path) -> int:
    """Tag a text line by line; return how many tokens are in names."""
    import pycrfsuite

    tagger = pycrfsuite.Tagger()
    tagger.open(str(model))
    return sum(len(words) - tagger.tag(features_of(words)).count("O") for words in _sentences(path))


def _sentences(path: Path) -> Iterator[list[str]]:
    """Return the tokens of every line that has any."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if words := _TOKEN.findall(line):
                yield words


def features_of(words: Sequence[str]) -> list[list[str]]:
    """Return what a CRF sees of each word: itself, its ends and its case, and likewise its neighbours."""
    own = [_own(word) for word in words]
    features = []
    for index, mine in enumerate(own):
        found = ["bias", *mine]
        for distance in (-2, -1, 1, 2):
            if 0 <= index + distance < len(own):
                found += [f"{distance}:{feature}" for feature in own[index + distance][:4]]
            else:
                found.append(f"{distance}:none")
        features.append(found)
    return features


def _own(word: str) -> list[str]:
    """Return the features of a word alone."""
    return [
        f"lower={word.lower()}",
        f"title={word.istitle()}",
        f"upper={word.isupper()}",
        f"digit={word.isdigit()}",
        f"ends3={word[-3:]}",
        f"ends2={word[-2:]}",
        f"starts3={word[:3]}",
    ]


if __name__ == "__main__":
    name, path, rest = sys.argv[1:]
    if name == "spacy":
        tag_with_spacy(Path(path), int(rest))
    elif name == "crf":
        tag_with_crf(Path(path), Path(rest))
    else:
        train_crf(Path(path), Path(rest))
