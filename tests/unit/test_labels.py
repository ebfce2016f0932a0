from __future__ import annotations

import re

import pytest

from nertag.labels import (
    SCHEMES,
    Scheme,
    Span,
    TagError,
    detect_scheme,
    spans_of,
    split_tag,
    tags_from,
    tags_of,
    to_iob2,
)

# Ann Lee met Bob . Bob Cy Ann Lee Ray of Acme: two mentions that touch, a mention of another label that touches.
IOB2 = "B-PER I-PER O B-PER O B-PER B-PER B-PER I-PER I-PER O B-ORG".split()
SAME_SENTENCE: dict[str, tuple[Scheme, str]] = {
    "IOB1": ("iob1", "I-PER I-PER O I-PER O I-PER B-PER B-PER I-PER I-PER O I-ORG"),
    "IOB2": ("iob2", " ".join(IOB2)),
    "BIOES": ("bioes", "B-PER E-PER O S-PER O S-PER S-PER B-PER I-PER E-PER O S-ORG"),
    "BILOU": ("bioes", "B-PER L-PER O U-PER O U-PER U-PER B-PER I-PER L-PER O U-ORG"),
    "BMES": ("bioes", "B-PER E-PER O S-PER O S-PER S-PER B-PER M-PER E-PER O S-ORG"),
}


def test_tags_of_one_and_of_several_labels() -> None:
    assert tags_of(["PER"]) == ("O", "B-PER", "I-PER")
    assert tags_of(["PER", "ORG"]) == ("O", "B-PER", "I-PER", "B-ORG", "I-ORG")


@pytest.mark.parametrize(
    ("tag", "parts"),
    [("O", ("O", "")), ("B-PER", ("B", "PER")), ("U-geo-loc", ("U", "geo-loc")), ("I--", ("I", "-"))],
)
def test_split_tag(tag: str, parts: tuple[str, str]) -> None:
    assert split_tag(tag) == parts


@pytest.mark.parametrize("tag", ["", "B", "B-", "PER", "b-PER", "O-PER", "X-PER", "BPER", "-PER", "BI-PER"])
def test_what_is_no_tag(tag: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(repr(tag))} is no tag of IOB1, IOB2, BIOES, BILOU or IO$"):
        split_tag(tag)


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("", []),
        ("O O", []),
        ("B-PER", [Span(0, 1, "PER")]),
        ("B-PER I-PER", [Span(0, 2, "PER")]),
        ("B-PER B-PER I-PER O", [Span(0, 1, "PER"), Span(1, 3, "PER")]),
        ("O B-PER B-ORG I-ORG", [Span(1, 2, "PER"), Span(2, 4, "ORG")]),
    ],
)
def test_spans_of_and_back(tags: str, spans: list[Span]) -> None:
    assert spans_of(tags.split()) == spans
    assert tags_from(spans, len(tags.split())) == tags.split()


@pytest.mark.parametrize(
    ("tags", "index", "message"),
    [
        ("I-PER O", 0, "tag 'I-PER' starts the sentence, but an IOB2 mention starts with 'B-PER'"),
        ("B-PER O I-PER", 2, "tag 'I-PER' follows 'O', but an IOB2 mention starts with 'B-PER'"),
        ("O B-PER I-ORG", 2, "tag 'I-ORG' follows 'B-PER', but an IOB2 mention starts with 'B-ORG'"),
        ("O S-PER", 1, "tag 'S-PER' is not IOB2"),
    ],
)
def test_spans_of_what_is_not_iob2(tags: str, index: int, message: str) -> None:
    with pytest.raises(TagError, match=f"^{re.escape(message)}$") as caught:
        spans_of(tags.split())
    assert caught.value.index == index
    if "S-" not in tags:
        with pytest.raises(TagError, match=f"^{re.escape(message)}$") as caught:
            to_iob2(tags.split(), "iob2")
        assert caught.value.index == index


@pytest.mark.parametrize(
    "spans",
    [
        [Span(1, 1, "PER")],
        [Span(2, 1, "PER")],
        [Span(-1, 1, "PER")],
        [Span(2, 4, "PER")],
        [Span(0, 2, "PER"), Span(1, 3, "ORG")],
        [Span(1, 2, "PER"), Span(0, 3, "PER")],
    ],
)
def test_tags_from_impossible_spans(spans: list[Span]) -> None:
    start, end, _ = spans[-1]
    with pytest.raises(ValueError, match=rf"span \[{start}, {end}\) overlaps another or leaves the 3 tokens"):
        tags_from(spans, 3)


@pytest.mark.parametrize("name", SAME_SENTENCE)
def test_every_scheme_says_the_same(name: str) -> None:
    scheme, tags = SAME_SENTENCE[name]
    assert to_iob2(tags.split(), scheme) == IOB2
    assert detect_scheme([["O"], tags.split()]) == scheme


def test_io_cannot_tell_touching_mentions_apart() -> None:
    tags = "I-PER I-PER O I-PER I-ORG".split()
    assert to_iob2(tags, "io") == "B-PER I-PER O B-PER B-ORG".split()
    assert detect_scheme([tags]) == "io"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_tags_and_no_mentions_pass_in_every_scheme(scheme: Scheme) -> None:
    assert to_iob2([], scheme) == []
    assert to_iob2(["O", "O"], scheme) == ["O", "O"]


@pytest.mark.parametrize(
    ("scheme", "tags", "index", "message"),
    [
        ("io", "O B-PER", 1, "tag 'B-PER' is not IO"),
        ("iob1", "O S-PER", 1, "tag 'S-PER' is not IOB1"),
        ("iob2", "B-PER E-PER", 1, "tag 'E-PER' is not IOB2"),
        ("iob2", "O PER", 1, "'PER' is no tag of IOB1, IOB2, BIOES, BILOU or IO"),
        ("bioes", "O Z-PER", 1, "'Z-PER' is no tag of IOB1, IOB2, BIOES, BILOU or IO"),
        ("bioes", "I-PER E-PER", 0, "tag 'I-PER' cannot follow the start in BIOES"),
        ("bioes", "O L-PER", 1, "tag 'L-PER' cannot follow 'O' in BIOES"),
        ("bioes", "U-PER M-PER", 1, "tag 'M-PER' cannot follow 'U-PER' in BIOES"),
        ("bioes", "B-PER L-PER L-PER", 2, "tag 'L-PER' cannot follow 'L-PER' in BIOES"),
        ("bioes", "B-PER E-ORG", 1, "tag 'E-ORG' cannot follow 'B-PER' in BIOES"),
        ("bioes", "B-PER O", 1, "tag 'O' cannot follow 'B-PER' in BIOES"),
        ("bioes", "B-PER M-PER S-PER", 2, "tag 'S-PER' cannot follow 'M-PER' in BIOES"),
        ("bioes", "O B-PER", 1, "tag 'B-PER' ends the sentence, but a BIOES mention ends with 'E-' or 'S-'"),
        ("bioes", "B-PER I-PER", 1, "tag 'I-PER' ends the sentence, but a BIOES mention ends with 'E-' or 'S-'"),
    ],
)
def test_to_iob2_says_what_its_scheme_forbids(scheme: Scheme, tags: str, index: int, message: str) -> None:
    with pytest.raises(TagError, match=f"^{re.escape(message)}$") as caught:
        to_iob2(tags.split(), scheme)
    assert caught.value.index == index


@pytest.mark.parametrize(
    ("corpus", "scheme"),
    [
        ([], "iob2"),
        (["O O"], "iob2"),
        (["B-PER O", "B-PER B-PER I-PER"], "iob2"),
        # Every B touches a mention, and no mention starts with I: nothing speaks against IOB2.
        (["B-PER B-PER"], "iob2"),
        (["I-PER O", "O I-PER B-PER"], "iob1"),
        # The B that parts two mentions is what tells IOB1 from IO, even in another sentence.
        (["I-PER O", "O I-PER I-PER"], "io"),
        # Touching mentions of different labels need no B in IOB1.
        (["I-PER I-ORG", "I-ORG B-ORG"], "iob1"),
        # A B after O has no place in IOB1: this is IOB2 with a mistake.
        (["B-PER O", "O I-PER"], "iob2"),
        (["B-PER O", "O I-PER B-PER"], "iob2"),
        # ... and so has a B that starts a sentence, whatever ended the one before.
        (["I-PER", "B-PER"], "iob2"),
        (["B-PER I-PER", "O S-PER"], "bioes"),
        (["O I-PER", "B-PER L-PER"], "bioes"),
    ],
)
def test_detect_scheme(corpus: list[str], scheme: Scheme) -> None:
    assert detect_scheme(line.split() for line in corpus) == scheme


def test_detect_scheme_refuses_foreign_tags() -> None:
    with pytest.raises(ValueError, match="'person' is no tag of"):
        detect_scheme([["O", "person"]])
