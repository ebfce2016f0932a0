from __future__ import annotations

import json
from pathlib import Path

import pytest

from nertag.errors import ConfigError
from nertag.text import Passage, TaggedPassage
from nertag.writers.mapping import Entry, read_mapping
from nertag.writers.pseudonyms import KeyedWriter, Pseudonyms, PseudonymSink
from nertag.writers.replaced import cut


def written(sink: PseudonymSink, text: str, tags: str) -> str:
    return sink.write(cut(TaggedPassage(Passage(text, text.split()), tags.split(), [1.0] * len(tags.split()))))


def test_people_and_others_are_counted_apart() -> None:
    names = Pseudonyms()
    met = [("PER", "Mira Olsen"), ("ORG", "Acme"), ("PER", "Tom"), ("ORG", "Olsen"), ("ORG", "ACME"), ("PER", "Olsen")]
    assert [names[name] for name in met] == ["PERSON_1", "ORG_1", "PERSON_2", "ORG_2", "ORG_1", "PERSON_1"]


def test_a_person_has_one_made_up_name() -> None:
    names = Pseudonyms(made_up=True)
    assert [names["PER", name] for name in ("Mira Olsen", "Olsen", "Tom", "Mira")] == [
        "Alix Dallowby",
        "Alix Dallowby",
        "Greer Lockmere",
        "Alix Dallowby",
    ]
    assert names["ORG", "Acme"] == "ORG_1"


def test_a_made_up_name_is_nobodys_real_one() -> None:
    names = Pseudonyms(made_up=True)
    assert names["PER", "alix dallowby"] == "Greer Lockmere"


def test_names_are_listed_as_they_were_met() -> None:
    names = Pseudonyms()
    for name in ("Granger", "Hermione\n Granger", "GRANGER", "Edward Granger", "Granger"):
        names["PER", name]
    names["ORG", "Acme"]
    assert [tuple(entry) for entry in names.entries()] == [
        ("PER", "Granger", "PERSON_1"),
        ("PER", "Hermione Granger", "PERSON_1"),
        ("PER", "Edward Granger", "PERSON_2"),
        ("PER", "Granger", "PERSON_2"),
        ("ORG", "Acme", "ORG_1"),
    ]


def test_what_was_recalled_goes_on() -> None:
    names = Pseudonyms(
        [Entry("PER", "Tom Weaver", "PERSON_2"), Entry("PER", "Ada", "Mx X"), Entry("ORG", "A", "ORG_1")]
    )
    met = [("PER", "Weaver"), ("PER", "Mira"), ("PER", "Ada"), ("PER", "Ron"), ("ORG", "B"), ("ORG", "a")]
    assert [names[name] for name in met] == ["PERSON_2", "PERSON_1", "Mx X", "PERSON_3", "ORG_2", "ORG_1"]


def test_people_may_be_put_together_by_hand() -> None:
    names = Pseudonyms([Entry("PER", "Mark Twain", "PERSON_1"), Entry("PER", "Samuel Clemens", "PERSON_1")])
    assert [names["PER", name] for name in ("Clemens", "Twain", "Samuel")] == ["PERSON_1"] * 3


def test_two_runs_with_a_mapping_agree(tmp_path: Path) -> None:
    path = str(tmp_path / "key.json")
    lines = [
        ("Granger met Hermione Granger", "B-PER O B-PER I-PER"),
        ("Edward Granger and Granger", "B-PER I-PER O B-PER"),
    ]
    outputs = []
    for _ in range(3):
        sink = PseudonymSink(path, made_up=False)
        outputs.append([written(sink, *line) for line in lines])
        sink.close()
    assert outputs == [["PERSON_1 met PERSON_1\n", "PERSON_2 and PERSON_2\n"]] * 3
    assert len(read_mapping(path)) == 4


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([("PER", "Tom Weaver", "A"), ("PER", "TOM WEAVER", "B")], "'TOM WEAVER' means two people"),
        ([("ORG", "Acme", "A"), ("ORG", "acme", "B")], "'acme' means two things"),
        ([("ORG", "Acme", "A"), ("PER", "Tom", "A")], "'A' stands for a ORG and a PER"),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(
    tmp_path: Path, entries: list[tuple[str, str, str]], message: str
) -> None:
    path = tmp_path / "key.json"
    names = [Entry(*entry)._asdict() for entry in entries]
    path.write_text(json.dumps({"nertag": "mapping", "version": 1, "names": names}), encoding="utf-8")
    with pytest.raises(ConfigError, match=f"key.json: this mapping contradicts itself: {message}"):
        PseudonymSink(str(path), made_up=False)


def test_a_keyed_pseudonym_depends_on_the_name_and_the_key_alone() -> None:
    write = KeyedWriter(b"0123456789abcdef")
    # printf 'hermione granger' | openssl dgst -sha256 -hmac 0123456789abcdef -binary | base32 | cut -c -10
    assert write.pseudonym("PER", "Hermione Granger") == "PERSON_2YYMNTFBCQ"
    assert write.pseudonym("PER", "HERMIONE\n GRANGER") == "PERSON_2YYMNTFBCQ"
    assert write.pseudonym("ORG", "hermione granger") == "ORG_2YYMNTFBCQ"
    assert len({write.pseudonym("PER", name) for name in ("Hermione Granger", "Granger", "\ud83d")}) == 3
    assert KeyedWriter(b"0123456789abcdeF").pseudonym("PER", "Hermione Granger") != "PERSON_2YYMNTFBCQ"


def test_keyed_text_holds_no_name() -> None:
    passage = Passage("we met Mira Olsen.", ["we", "met", "Mira", "Olsen", "."], ending="\r\n")
    text = KeyedWriter(b"0123456789abcdef")(TaggedPassage(passage, ["O", "O", "B-PER", "I-PER", "O"], [1.0] * 5))
    assert (
        text.startswith("we met PERSON_")
        and text.endswith(".\r\n")
        and len(text) == len("we met PERSON_0123456789.\r\n")
    )
