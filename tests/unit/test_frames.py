"""The frames that lie in `recipes/` and what fills them."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

from nertag.names import RegionNames
from nertag.text import tokenize

SCRIPT = Path(__file__).parents[2] / "recipes" / "frames.py"
HEADS = {"company": ["Ltd"], "disease": ["palsy", "reflex"]}
REGION = RegionNames("north", ("Aino",), ("Virtanen",))


def loaded() -> ModuleType:
    """Import the script, which is in no package."""
    spec = importlib.util.spec_from_file_location("frames", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


frames = loaded()


@pytest.mark.parametrize(
    ("line", "filled"),
    [
        ("{S} fell 4 percent.", "Virtanen fell 4 percent."),
        ('"[[{G}]] fell!"', '"[[Aino]] fell!"'),
        ("[[{G}]] fell lol", "[[aino]] fell lol"),
        ("The [[{N}]] here is [[{G}]].", "The [[Aino Virtanen]] here is [[Aino]]."),
        ("we saw [[{G}]] & co", "we saw [[aino]] & co"),
        ("{S} WINS AGAIN", "VIRTANEN WINS AGAIN"),
        ("Buy {S} {company} now.", "Buy Virtanen Ltd now."),
        ("she works at {S} {company}", "she works at virtanen ltd"),
        ("[[{G2}]] wrote to {S} Ltd.", "[[Aino]] wrote to Virtanen Ltd."),
    ],
)
def test_slots_are_filled_in_the_case_of_the_line(line: str, filled: str) -> None:
    assert frames.fill(line, HEADS, [REGION], {}, random.Random(1)) == filled


def test_a_slot_has_one_name_in_a_block_and_another_number_another_person() -> None:
    regions = [RegionNames("a", tuple(f"Given{n}" for n in range(50)), tuple(f"Family{n}" for n in range(50)))]
    drawn: dict[str, tuple[str, str]] = {}
    chance = random.Random(1)
    first = frames.fill("{G} {S} {G2}", HEADS, regions, drawn, chance)
    again = frames.fill("{N} {G2}", HEADS, regions, drawn, chance)
    assert first == again and set(drawn) == {"", "2"} and drawn[""] != drawn["2"]


def test_every_kind_of_telling_word_has_words_that_differ() -> None:
    heads = frames.read_heads(SCRIPT.with_name("heads.txt"))
    lines = SCRIPT.with_name("frames.txt").read_text(encoding="utf-8")
    assert {match[1] for match in frames.HEAD.finditer(lines)} == set(heads)
    assert all(len(set(words)) == len(words) > 20 and all(words) for words in heads.values())


def test_mentions_in_brackets_become_spans() -> None:
    row = frames.row_of("[[Aino]] met Dr. [[O. Virtanen]]'s dog.", "d")
    assert row == {
        "doc": "d",
        "text": "Aino met Dr. O. Virtanen's dog.",
        "spans": [{"start": 0, "end": 4, "label": "PER"}, {"start": 13, "end": 24, "label": "PER"}],
    }


def test_every_block_has_lines_with_slots_of_which_one_names_a_person() -> None:
    blocks = frames.read_blocks(SCRIPT.with_name("frames.txt"))
    lines = [line for block in blocks for line in block]
    assert len(blocks) > 1_000 and len(set(lines)) == len(lines)
    for block in blocks:
        assert len(block) > 1 and any("[[" in line for line in block), block
        assert all(frames.SLOT.search(line) for line in block), block


def test_the_script_writes_a_corpus_whose_mentions_are_whole_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--times", "1", "--output", str(tmp_path)])
    frames.main()
    read = {split: (tmp_path / f"{split}.jsonl").read_text(encoding="utf-8") for split in ("train", "validation")}
    rows = {split: [json.loads(line) for line in text.splitlines()] for split, text in read.items()}
    assert 7 < len(rows["train"]) / len(rows["validation"]) < 11
    documents = [row["doc"] for split in rows.values() for row in split]
    assert len(set(documents)) == len(documents)
    for row in (row for split in rows.values() for row in split):
        tokens = tokenize(row["text"])
        starts, ends = {token.start for token in tokens}, {token.end for token in tokens}
        assert not set("{}") & set(row["text"]) and "[[" not in row["text"] and "]]" not in row["text"]
        assert all(span["start"] in starts and span["end"] in ends for span in row["spans"]), row


def test_the_same_seed_draws_the_same_names() -> None:
    block, regions = [["[[{N}]] sat.", "{S} Street"]], [REGION, RegionNames("en", ("Ann", "Bob"), ("Day", "Fox"))]
    first, second, other = (list(frames.rows_of(block, HEADS, regions, 20, seed)) for seed in (1, 1, 2))
    assert first == second != other
