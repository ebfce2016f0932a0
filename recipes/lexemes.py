"""Append to every word's vector what large English corpora say of the word beside its neighbours: twelve numbers.

GloVe's words are lower-cased, so that its vectors cannot tell that `Rose` is frequent as it stands, and `rose`, too,
while `Lagos` is hardly ever written without its capital. The PyPI package `spacy-lookups-data` (MIT) has the logarithms
of the probabilities of a million English words in the case that they were met in, and Brown clusters of a fifth of
them (Brown et al. 1992; after Turian et al. 2010 a prefix of a cluster's path is what a tagger wants):

- how much more frequent the word is with a capital than without,
- how much more frequent it is in capitals than in the more frequent of these two,
- how frequent the most frequent of the three is,
- the first nine steps of its cluster's path, with a capital if that has one: 1 or -1, and 0 of a word without one.

    pip install spacy-lookups-data
    python recipes/lexemes.py --vectors glove.6B.100d.txt --output lexemes.txt
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

RAREST = -20.5
"""The logarithm of the probability of a word that is not in the table, as the package has it."""
STEPS = 9
STEP = 0.25  # About as large as the entries of a vector, as what follows.


def numbers_of(word: str, probabilities: Mapping[str, float], clusters: Mapping[str, int]) -> list[float]:
    """Return the twelve numbers of a lower-cased word.

    Args:
        word: As GloVe has it.
        probabilities: Natural logarithms, by form.
        clusters: Paths by form, the first step in the lowest bit; 0 is none.

    Returns:
        Three numbers from -0.6 to 0.9 and nine from -0.25 to 0.25; all 0 if the word is not in the tables.
    """
    title = word[:1].upper() + word[1:]
    lower, titled, upper = (probabilities.get(form, RAREST) for form in (word, title, word.upper()))
    most = max(lower, titled, upper)
    frequency = [0.0, 0.0, 0.0]
    if most > RAREST:
        frequency = [_bounded((titled - lower) / 10), _bounded((upper - max(lower, titled)) / 15), (most + 13) / 15]
    path = clusters.get(title, 0) or clusters.get(word, 0)
    return frequency + [(STEP if path >> step & 1 else -STEP) if path else 0.0 for step in range(STEPS)]


def _bounded(value: float) -> float:
    """Return a number that is brought into the range of a vector's entries."""
    return max(-0.6, min(0.6, value))


def main() -> None:
    """Read, append, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    package = find_spec("spacy_lookups_data")
    default = Path(str(package.origin)).parent / "data" if package else None
    parser.add_argument("--vectors", type=Path, required=True, help="GloVe text file.")
    parser.add_argument("--lookups", type=Path, default=default, required=default is None, help="The package's data.")
    parser.add_argument("--output", type=Path, required=True, help="The vectors with the numbers.")
    options = parser.parse_args()
    probabilities, clusters = (
        json.loads(gzip.decompress((options.lookups / f"en_lexeme_{kind}.json.gz").read_bytes()))
        for kind in ("prob", "cluster")
    )
    with (
        options.vectors.open(encoding="utf-8") as vectors,
        options.output.open("w", encoding="utf-8", newline="\n") as file,
    ):
        for line in vectors:
            numbers = numbers_of(line.partition(" ")[0], probabilities, clusters)
            file.write(f"{line.rstrip()} {' '.join(f'{number:.3f}' for number in numbers)}\n")


if __name__ == "__main__":
    main()
