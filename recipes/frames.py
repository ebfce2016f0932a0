"""Fill the slots of frames with names and write a corpus that `nertag train` reads.

`frames.txt` holds blocks of lines parted by an empty line. `{G}` in a line is a given name, `{S}` a family name, `{N}`
both, `{G2}`, `{S2}`, `{N2}` and so on another person's; a person's mention stands in double square brackets:

    Shares in {S} fell 4 percent.
    Shares in the bakery fell to [[{S}]] and his sisters.

`{company}`, `{disease}` and so on are words that tell what a thing is, drawn from the lists in `heads.txt` for each
line. In one filling of a block every name's slot has one name, so that the same names stand in sentences that name a
person and in sentences that do not, and only the context tells them apart. A line that has no capital of its own is
lower-cased, unless it starts with a slot and ends like a sentence; one without a small letter is upper-cased. Every
line is a document; one block in ten, with all its fillings, is validation.

    python recipes/frames.py --output frames
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nertag.names import RegionNames, read_names

HERE = Path(__file__).parent
SLOT = re.compile(r"\{([GSN])(\d*)\}")
HEAD = re.compile(r"\{([a-z]+)\}")
MENTION = re.compile(r"\[\[(.+?)\]\]")
SLOT_FIRST = re.compile(r"\W*\{")
ENDS = ".!?\"'"
ENGLISH = ("en", "en_GB", "en_IE")
ENGLISH_SHARE = 0.4
"""Share of the fillings with English names, which most of what is named after persons has."""


def read_blocks(path: Path) -> list[list[str]]:
    """Read the blocks of a file of frames."""
    blocks = re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip())
    return [[line.strip() for line in block.split("\n")] for block in blocks]


def read_heads(path: Path) -> dict[str, list[str]]:
    """Read the lists of words that tell what a thing is, by kind."""
    lines = (line.partition(":") for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return {kind.strip(): [word.strip() for word in words.split("|")] for kind, _, words in lines}


def fill(
    line: str,
    heads: Mapping[str, Sequence[str]],
    regions: Sequence[RegionNames],
    drawn: dict[str, tuple[str, str]],
    chance: random.Random,
) -> str:
    """Fill the slots of a line.

    Args:
        line: A frame.
        heads: The words for the slots in small letters, by kind.
        regions: Where a person's names are drawn from, one region for each person.
        drawn: The given and family name of each person of the block so far, by number; new ones are added.
        chance: What draws.

    Returns:
        The line with names, mentions still in brackets.
    """

    def name(match: re.Match[str]) -> str:
        kind, number = match.groups()
        if number not in drawn:
            region = chance.choice(regions)
            drawn[number] = chance.choice(region.given), chance.choice(region.family)
        return {"G": drawn[number][0], "S": drawn[number][1], "N": " ".join(drawn[number])}[kind]

    bare = HEAD.sub("", SLOT.sub("", line))
    filled = SLOT.sub(name, HEAD.sub(lambda match: chance.choice(heads[match[1]]), line))
    if bare == bare.lower() and not (SLOT_FIRST.match(line) and line[-1] in ENDS):
        return filled.lower()
    return filled.upper() if bare == bare.upper() else filled


def row_of(filled: str, document: str) -> dict[str, object]:
    """Turn a line with mentions in brackets into a row of a corpus."""
    text, spans, position = "", [], 0
    for match in MENTION.finditer(filled):
        text += filled[position : match.start()]
        spans.append({"start": len(text), "end": len(text) + len(match.group(1)), "label": "PER"})
        text += match.group(1)
        position = match.end()
    return {"doc": document, "text": text + filled[position:], "spans": spans}


def rows_of(
    blocks: Sequence[Sequence[str]],
    heads: Mapping[str, Sequence[str]],
    regions: Sequence[RegionNames],
    times: int,
    seed: int,
) -> Iterator[tuple[int, dict[str, object]]]:
    """Fill every block some times.

    Yields:
        The block's number and a row.
    """
    chance = random.Random(seed)
    everywhere = [region for region in regions if region.given and region.family]
    english = [region for region in everywhere if region.key in ENGLISH]
    for number, block in enumerate(blocks):
        for time in range(times):
            chosen = english if chance.random() < ENGLISH_SHARE else everywhere
            drawn: dict[str, tuple[str, str]] = {}
            for place, line in enumerate(block):
                yield number, row_of(fill(line, heads, chosen, drawn, chance), f"frames-{number}-{time}-{place}")


def main() -> None:
    """Read, fill, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=4, help="How often each block is filled.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="Folder for train.jsonl and validation.jsonl.")
    options = parser.parse_args()
    blocks, heads = read_blocks(HERE / "frames.txt"), read_heads(HERE / "heads.txt")
    regions = read_names(HERE / "names.tsv")
    options.output.mkdir(parents=True, exist_ok=True)
    splits: dict[str, list[str]] = {"train": [], "validation": []}
    for number, row in rows_of(blocks, heads, regions, options.times, options.seed):
        splits["validation" if number % 10 == 9 else "train"].append(json.dumps(row, ensure_ascii=False) + "\n")
    for split, lines in splits.items():
        (options.output / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
