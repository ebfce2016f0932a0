from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from nertag.text import DOCSTART, Passage, TaggedPassage, split_words
from nertag.writers.page import PageSink, show


def tagged(text: str, source: str = "a.txt", line: int = 1, **passage: Any) -> TaggedPassage:
    """Tag every capitalised word as a mention of its own, `Acme` as an ORG."""
    words = split_words(text)
    tags = ["B-ORG" if word == "Acme" else "B-PER" if word[0].isupper() else "O" for word in words]
    return TaggedPassage(Passage(text, words, source=source, line=line, **passage), tags, [0.9876] * len(tags))


def page(*passages: TaggedPassage) -> str:
    sink = PageSink()
    return "".join([sink.begin(), *(sink.write(show(passage)) for passage in passages), *sink.finish()])


class Document(HTMLParser):
    """What a page says: its tags, its links, and the text inside an element."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((" ".join(self.open), data))

    def inside(self, path: str) -> str:
        return "".join(text for place, text in self.texts if f" {path} " in f" {place} ")


def test_the_text_is_all_there() -> None:
    content = page(
        tagged('<script>Tom</script> & "Ada"\'s', ending="\r\n"), tagged("", line=2), tagged("\tZoë\x00\x1b", line=3)
    )
    document = Document(content)
    assert document.open == []
    assert document.inside("main section div") == '<script>Tom</script> & "Ada"\'s\n\n\tZoë␀␛\n'
    assert [name for name, _ in document.tags].count("mark") == 3
    assert "script" not in [name for name, _ in document.tags]


def test_names_jump_to_mentions_and_back() -> None:
    content = page(tagged("Tom met Ada"), tagged("Tom left Acme; TOM", line=2), tagged("Ada", "b.txt"))
    document = Document(content)
    ids = [attributes["id"] for _, attributes in document.tags if "id" in attributes]
    links = [attributes["href"] for name, attributes in document.tags if name == "a"]
    assert len(set(ids)) == len(ids) == 6 + 3
    assert {f"#{name}" for name in ids} >= set(links)
    assert re.findall(r'<mark id="(m\d)"[^>]*><a href="#(n\d)">(\w+)', content) == [
        ("m1", "n1", "Tom"),
        ("m2", "n2", "Ada"),
        ("m3", "n1", "Tom"),
        ("m4", "n3", "Acme"),
        ("m5", "n1", "TOM"),
        ("m6", "n2", "Ada"),
    ]
    assert content[content.index("<ol>") :].startswith(
        '<ol>\n<li id="n1"><a href="#m1">Tom</a>\n<details><summary>3 mentions</summary>'
        '<a href="#m1">1</a> <a href="#m3">2</a> <a href="#m5">3</a></details></li>\n'
        '<li id="n2"><a href="#m2">Ada</a>\n<details><summary>2 mentions</summary>'
        '<a href="#m2">1</a> <a href="#m6">2</a></details></li>\n'
        '<li id="n3"><a href="#m4">Acme</a> <small>ORG</small></li>\n</ol>\n'
    )
    assert "<p>3 names, 6 mentions, 2 files</p>" in content


def test_every_label_has_its_colour_and_probability() -> None:
    content = page(tagged("Tom Acme"))
    assert '<mark id="m1" title="PER 0.99">' in content
    assert '<mark id="m2" class="m1" title="ORG 0.99">' in content


def test_every_file_has_its_heading() -> None:
    passages = [tagged("a", "<a>.txt"), tagged("b", "<a>.txt", 2), tagged("c", "-"), tagged("d", "--text")]
    document = Document(page(*passages))
    assert [text for place, text in document.texts if place.endswith("h2")] == ["<a>.txt", "standard input", "text"]


def test_a_page_may_be_empty() -> None:
    content = page(TaggedPassage(Passage(DOCSTART, (), True), [], []))
    assert Document(content).open == []
    assert "<p>0 names, 0 mentions, 0 files</p>" in content


def test_the_page_loads_and_runs_nothing() -> None:
    content = page(tagged("Tom"))
    assert "default-src 'none'" in content
    assert not re.search(r"(?i)<script|\bsrc=|url\(|@import|https?:|\bon\w+=", content)
