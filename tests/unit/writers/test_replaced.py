from __future__ import annotations

from nertag.text import DOCSTART, Passage, TaggedPassage
from nertag.writers.replaced import Redactor, cut, markup


def tagged(text: str, tags: str, **passage: object) -> TaggedPassage:
    names = tags.split()
    return TaggedPassage(Passage(text, text.split(), **passage), names, [0.9] * len(names))  # type: ignore[arg-type]


def test_markup_escapes_what_the_text_has_of_its_own() -> None:
    passage = tagged("<b> Tom & <Ada> &amp; Acme", "O B-PER O B-PER O B-ORG", ending="\r\n")
    assert markup(passage) == "&lt;b&gt; <PER>Tom</PER> &amp; <PER>&lt;Ada&gt;</PER> &amp;amp; <ORG>Acme</ORG>\r\n"


def test_neighbours_stay_apart() -> None:
    assert markup(tagged("Tom  Ada", "B-PER B-PER", ending="")) == "<PER>Tom</PER>  <PER>Ada</PER>"
    assert Redactor()(tagged("Tom  Ada", "B-PER I-PER", ending="")) == "[PERSON]"


def test_a_label_becomes_a_tag_that_parses() -> None:
    assert markup(tagged("Tom", "B-a<b", ending="")) == "<a_b>Tom</a_b>"
    assert markup(tagged("Tom", "B-1st", ending="")) == "<_1st>Tom</_1st>"


def test_redacting_writes_the_label_or_the_replacement() -> None:
    passage = tagged("Tom left Acme & <Ada> .", "B-PER O B-ORG O B-PER O")
    assert Redactor()(passage) == "[PERSON] left [ORG] & [PERSON] .\n"
    assert Redactor("")(passage) == " left  &  .\n"
    assert Redactor(r"\1")(passage) == r"\1 left \1 & \1 ." + "\n"


def test_an_object_keeps_its_other_fields() -> None:
    passage = tagged('Tom "left"', "B-PER O", fields={"id": "1.10", "doc": '"a"'})
    assert Redactor()(passage) == '{"id": 1.10, "doc": "a", "text": "[PERSON] \\"left\\""}\n'
    assert markup(tagged("Tom", "B-PER", fields={})) == '{"text": "<PER>Tom</PER>"}\n'


def test_a_marker_has_no_text() -> None:
    marker = TaggedPassage(Passage(DOCSTART, (), True), [], [])
    assert (markup(marker), Redactor()(marker), cut(marker)) == ("", "", None)
