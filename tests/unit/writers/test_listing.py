from __future__ import annotations

import json
from typing import Any

from nertag.text import Passage, TaggedPassage, split_words
from nertag.writers.listing import NamesSink, find


def tagged(text: str, source: str, line: int, **passage: Any) -> TaggedPassage:
    """Tag every capitalised word as a mention of its own, `Acme` as an ORG."""
    words = split_words(text)
    tags = ["B-ORG" if word == "Acme" else "B-PER" if word[0].isupper() else "O" for word in words]
    return TaggedPassage(Passage(text, words, source=source, line=line, **passage), tags, [1.0] * len(tags))


PASSAGES = [
    tagged("nobody", "a.txt", 1),
    tagged("then Tom and Ada met TOM", "a.txt", 2),
    tagged("Zed\nsaw\nAcme", "a.txt", 3),
    tagged("Ada left Acme", "b\tc.txt", 1),
    tagged("Tom\\n met\nTom", "d.jsonl", 7, fields={}),
]


def written(as_json: bool) -> str:
    sink = NamesSink(as_json)
    assert [sink.write(find(passage)) for passage in PASSAGES] == [""] * len(PASSAGES)
    return "".join(sink.finish())


def test_names_are_ranked_and_placed() -> None:
    assert written(False) == (
        "name\tlabel\tcount\tfiles\tfirst\n"
        "Tom\tPER\t4\t2\ta.txt:2\n"
        "Acme\tORG\t2\t2\ta.txt:5\n"
        "Ada\tPER\t2\t2\ta.txt:2\n"
        "Zed\tPER\t1\t1\ta.txt:3\n"
    )


def test_json_says_the_same() -> None:
    lines = written(True).splitlines()
    assert lines[1] == '{"name": "Tom", "label": "PER", "count": 4, "files": 2, "first": {"file": "a.txt", "line": 2}},'
    found = json.loads("\n".join(lines))
    assert [(entry["name"], entry["count"], entry["first"]["line"]) for entry in found] == [
        ("Tom", 4, 2),
        ("Acme", 2, 5),
        ("Ada", 2, 2),
        ("Zed", 1, 3),
    ]
    assert [json.loads("".join(NamesSink(True).finish()))] == [[]]


def test_a_name_is_not_shown_in_capitals_if_it_is_not_always_in_them() -> None:
    sink = NamesSink(False)
    for text in ("TOM and ADA", "Tom", "tom ToM", "ADA"):
        sink.write(find(tagged(text, "a.txt", 1)))
    assert [line.split("\t")[0] for line in list(sink.finish())[1:]] == ["Tom", "ADA"]


def test_the_line_of_an_object_is_its_own() -> None:
    (found,) = [find(PASSAGES[-1])]
    assert found is not None and [line for _, _, line in found.mentions] == [7, 7]


def test_a_tab_in_a_file_name_cannot_make_a_column() -> None:
    sink = NamesSink(False)
    sink.write(find(tagged("Tom", "b\t\n\\\x1bc.txt", 1)))
    assert list(sink.finish())[1] == "Tom\tPER\t1\t1\tb\\t\\n\\\\\\x1bc.txt:1\n"
