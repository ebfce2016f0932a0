from __future__ import annotations

from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from nertag.labels import spans_of
from nertag.text import Passage, TaggedPassage, cut_windows
from nertag.windows import BATCH_TOKENS
from tests.fake_engine import FakeTagger

words = st.lists(st.sampled_from(["b", "i", "o", ".", '"', "?", ")"]), max_size=9)
passages = st.lists(
    st.builds(lambda w, starts, ends: Passage(" ".join(w), w, starts, ends), words, st.booleans(), st.booleans()),
    max_size=40,
)
limits = st.integers(2, 12)


def tag(limit: int, stream: Sequence[Passage | None]) -> tuple[FakeTagger, list[TaggedPassage]]:
    """Tag a stream; return the tagger and its answers."""
    tagger = FakeTagger(limit)
    return tagger, list(tagger.tag_passages(stream))


def documents_of(stream: Sequence[Passage]) -> list[list[Passage]]:
    """Group passages by document."""
    documents: list[list[Passage]] = []
    for passage in stream:
        if passage.starts_document or not documents:
            documents.append([])
        documents[-1].append(passage)
    return documents


def windows_of(document: Sequence[Passage], limit: int) -> list[list[str]]:
    """Cut a document that is there as a whole."""
    flat: list[str] = []
    borders: dict[int, bool] = {}
    for passage in document:
        flat += passage.words
        borders[len(flat)] = passage.ends_sentence or not passage.words
    return [flat[start:end] for start, end in cut_windows(flat, borders, limit)]


def outside_or_not(tagged: Sequence[TaggedPassage]) -> list[list[int]]:
    """Return the labels of all passages."""
    return [each.labels for each in tagged]


@given(passages, limits)
def test_one_answer_per_passage_in_order_valid_by_itself(stream: list[Passage], limit: int) -> None:
    tagger, found = tag(limit, stream)
    assert [id(tagged.passage) for tagged in found] == [id(passage) for passage in stream]
    for tagged in found:
        assert len(tagged.scores) == len(tagged.tags) == len(tagged.passage.words)
        assert tagged.labels == [int(word in "bi") for word in tagged.passage.words]
        spans_of(tagged.tags)
        assert tagged.mentions() == [] or "PER" in {mention.label for mention in tagged.mentions()}


@given(passages, limits)
def test_no_window_is_longer_than_the_limit_and_none_crosses_documents(stream: list[Passage], limit: int) -> None:
    tagger, _ = tag(limit, stream)
    assert max(tagger.fake.lengths, default=1) <= limit
    assert min(tagger.fake.lengths, default=1) >= 1
    assert sum(tagger.fake.lengths) == sum(len(passage.words) for passage in stream)
    for run in tagger.fake.runs:
        assert len(run) == 1 or len(run) * max(run) <= BATCH_TOKENS


@given(passages, limits)
@example([Passage("o .", ["o", "."], True, True), Passage('" " o o o o o o', ['"', '"', *"oooooo"])], 4)
@example([Passage("", [*"o" * length]) for length in (2, 1, 2, 1)], 2)
def test_a_stream_is_cut_as_the_whole_document_would_be(stream: list[Passage], limit: int) -> None:
    tagger, _ = tag(limit, stream)
    assert tagger.cut == [w for document in documents_of(stream) for w in windows_of(document, limit)]


@given(passages, limits, st.data())
def test_pauses_between_documents_change_nothing(stream: list[Passage], limit: int, data: st.DataObject) -> None:
    paused: list[Passage | None] = []
    for passage in stream:
        if passage.starts_document and data.draw(st.booleans()):
            paused.append(None)
        paused.append(passage)
    tagger, found = tag(limit, stream)
    other, found_paused = tag(limit, paused)
    assert found == found_paused
    assert other.cut == tagger.cut


@given(passages, limits, st.data())
def test_a_pause_anywhere_loses_nothing_and_cuts_the_document(
    stream: list[Passage], limit: int, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(stream)))
    tagger, found = tag(limit, [*stream[:place], None, *stream[place:]])
    before, _ = tag(limit, stream[:place])
    after, _ = tag(limit, stream[place:])
    assert outside_or_not(found) == [[int(word in "bi") for word in passage.words] for passage in stream]
    assert tagger.cut == before.cut + after.cut


@given(passages, limits)
def test_a_document_is_cut_alone_as_among_others(stream: list[Passage], limit: int) -> None:
    together, found = tag(limit, stream)
    alone = [tag(limit, document) for document in documents_of(stream)]
    assert together.cut == [window for tagger, _ in alone for window in tagger.cut]
    assert found == [tagged for _, answers in alone for tagged in answers]


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=60), limits)
@example([(2, False), (2, False)], 2)
def test_a_mention_is_cut_at_the_border_of_passages(sizes: list[tuple[int, bool]], limit: int) -> None:
    """Names all the way: every passage's first token starts a mention, whatever window it lies in."""
    stream = [Passage(" ".join(["b", *"i" * size]), ["b", *"i" * size], new) for size, new in sizes]
    for tagged in tag(limit, stream)[1]:
        assert tagged.tags[0] == "B-PER"
