"""Score a model on corpora as they are, lower-cased, upper-cased and title-cased throughout."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from nertag.data import ReadOptions, Sentence, load_corpus
from nertag.metrics import mention_scores
from nertag.tagger import Tagger, load
from nertag.text import Passage

CASES: dict[str, Callable[[str], str]] = {
    "cased": str,
    "lower": str.lower,
    "upper": str.upper,
    "title": lambda word: word[:1].upper() + word[1:],
}


def f1_of(tagger: Tagger, sentences: tuple[Sentence, ...], change: Callable[[str], str]) -> float:
    """Return the mention F1, 0 to 1, on gold tokens in another case."""
    passages = []
    for sentence in sentences:
        words = [change(word) for word in sentence.words]
        passages.append(Passage(" ".join(words), words, sentence.starts_document, ends_sentence=True))
    predicted = [tagged.tags for tagged in tagger.tag_passages(passages)]
    return mention_scores([sentence.tags for sentence in sentences], predicted).f1


def main() -> None:
    """Print one row per corpus and the macro average."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--split", default="test")
    parser.add_argument("--model", default="en-person")
    options = parser.parse_args()
    tagger = load(options.model)
    print("corpus", *CASES, sep="\t")
    rows = []
    for source in options.sources:
        corpus = load_corpus(source, options.split, ReadOptions(), print)
        rows.append([f1_of(tagger, corpus.sentences, change) for change in CASES.values()])
        print(corpus.name, *(f"{f1:.3f}" for f1 in rows[-1]), sep="\t", flush=True)
    print("macro", *(f"{sum(column) / len(column):.3f}" for column in zip(*rows, strict=True)), sep="\t")


if __name__ == "__main__":
    main()
