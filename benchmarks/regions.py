"""Recall of made-up persons from everywhere: names by region in the same sentence frames."""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path

from nertag.tagger import Tagger, load

FRAMES = (
    "{given} {family} was appointed head of the clinic last week.",
    "Please send the signed form to {given} {family} by Friday.",
    "hi {given}, are you still coming tonight?",
    "The report by {given} {family} and {other} was published in March.",
    "When {family} arrived, the meeting had already begun.",
    '"I never said that," {given} told reporters.',
    "Contact: {given} {family}, Department of Physics",
    "We watched {family} score twice in the second half.",
    "Mr. {family} declined to comment.",
    "{family} {given} won the regional prize for her novel.",
    "My neighbour {given} makes the best soup.",
    "RT @abc: congrats {given} {family}!! well deserved",
)
ROUNDS = 15


def expected(frame: str, names: dict[str, str]) -> list[str]:
    """Return the mentions of a filled frame."""
    given, family = names["given"], names["family"]
    if "{given} {family}" in frame:
        found = [f"{given} {family}"]
    elif "{family} {given}" in frame:
        found = [f"{family} {given}"]
    else:
        found = [given if "{given}" in frame else family]
    return found + ([names["other"]] if "{other}" in frame else [])


def recall_of(tagger: Tagger, given: list[str], family: list[str], seed: int) -> float:
    """Return the share of persons, 0 to 1, that are found with their exact bounds."""
    chance = random.Random(seed)
    hits = total = 0
    for frame in FRAMES * ROUNDS:
        names = {"given": chance.choice(given), "family": chance.choice(family)}
        names["other"] = f"{chance.choice(given)} {chance.choice(family)}"
        found = {mention.text for mention in tagger.tag(frame.format(**names))}
        wanted = expected(frame, names)
        hits += sum(name in found for name in wanted)
        total += len(wanted)
    return hits / total


def main() -> None:
    """Print the recall of each region."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="en-person")
    options = parser.parse_args()
    names: defaultdict[str, dict[str, list[str]]] = defaultdict(lambda: {"given": [], "family": []})
    for line in Path(__file__).with_name("regions.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            region, part, name, _ = line.split("\t")
            names[region][part].append(name)
    tagger = load(options.model)
    for region, parts in names.items():
        print(f"{region}\t{recall_of(tagger, parts['given'], parts['family'], 7):.3f}")


if __name__ == "__main__":
    main()
