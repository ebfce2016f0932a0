from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertag.labels import SCHEMES, Scheme, Span, TagError, detect_scheme, spans_of, tags_from, to_iob2

LABELS = st.sampled_from(["PER", "ORG", "geo-loc"])
BIOES_TAGS = st.sampled_from([f"{letter}-{label}" for letter in "BIESMLU" for label in ("PER", "ORG")] + ["O"])


@st.composite
def sentences(draw: st.DrawFn) -> tuple[list[Span], int]:
    """Spans in order that may touch but not overlap, and the number of tokens they stand in."""
    spans = []
    position = 0
    for gap, size, label in draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), LABELS), max_size=8)):
        spans.append(Span(position + gap, position + gap + size, label))
        position = spans[-1].end
    return spans, position + draw(st.integers(0, 2))


def written(spans: list[Span], length: int, scheme: str) -> list[str]:
    """The same spans in another scheme, by its definition."""
    tags = ["O"] * length
    before = Span(0, 0, "")
    for span in spans:
        for index in range(span.start, span.end):
            first, last = index == span.start, index == span.end - 1
            touches = before.end == span.start and before.label == span.label
            letters = {
                "io": "I",
                "iob1": "B" if first and touches else "I",
                "iob2": "B" if first else "I",
                "bioes": "S" if first and last else "B" if first else "E" if last else "I",
                "bilou": "U" if first and last else "B" if first else "L" if last else "I",
                "bmes": "S" if first and last else "B" if first else "E" if last else "M",
            }
            tags[index] = f"{letters[scheme]}-{span.label}"
        before = span
    return tags


@given(sentences())
def test_spans_to_tags_to_spans(sentence: tuple[list[Span], int]) -> None:
    spans, length = sentence
    tags = tags_from(spans, length)
    assert len(tags) == length
    assert spans_of(tags) == spans
    assert tags_from(reversed(spans), length) == tags


@pytest.mark.parametrize("name", ["iob1", "iob2", "bioes", "bilou", "bmes"])
@given(sentence=sentences())
def test_every_scheme_keeps_every_span(name: str, sentence: tuple[list[Span], int]) -> None:
    spans, length = sentence
    scheme: Scheme = "bioes" if name in ("bilou", "bmes") else name  # type: ignore[assignment]
    assert spans_of(to_iob2(written(spans, length, name), scheme)) == spans


@given(sentences())
def test_io_keeps_every_tagged_token(sentence: tuple[list[Span], int]) -> None:
    spans, length = sentence
    tags = written(spans, length, "io")
    assert [tag[2:] for tag in to_iob2(tags, "io")] == [tag[2:] for tag in tags]


@pytest.mark.parametrize("name", ["iob1", "iob2", "bioes", "bilou", "bmes"])
@given(corpus=st.lists(sentences(), max_size=4))
def test_the_detected_scheme_reads_the_corpus_right(name: str, corpus: list[tuple[list[Span], int]]) -> None:
    written_corpus = [written(spans, length, name) for spans, length in corpus]
    scheme = detect_scheme(written_corpus)
    for tags, (spans, _) in zip(written_corpus, corpus, strict=True):
        assert spans_of(to_iob2(tags, scheme)) == spans


@pytest.mark.parametrize("scheme", SCHEMES)
@given(tags=st.lists(BIOES_TAGS, max_size=6))
def test_to_iob2_gives_valid_tags_or_names_the_bad_one(scheme: Scheme, tags: list[str]) -> None:
    try:
        result = to_iob2(tags, scheme)
    except TagError as error:
        assert repr(tags[error.index]) in str(error)
    else:
        spans = spans_of(result)
        assert tags_from(spans, len(tags)) == result
        assert [tag[2:] for tag in result] == [tag[2:] for tag in tags]
