from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

import nertag
from nertag import forms
from nertag import tagger as tagger_module
from nertag.agreement import FEATURES, Agreement
from nertag.errors import ModelError
from nertag.model_folder import read_vocabulary
from nertag.tagger import COLLECTED, Tagger, load
from nertag.text import Mention, Passage, TaggedPassage, split_words
from nertag.windows import BATCH_TOKENS, Layout
from tests.fake_engine import FakeTagger
from tests.tiny import TRAINING, VALIDATION, sentence, tiny_config, tiny_network, trained_folder, write_folder


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    """A real model that knows a few names."""
    return load(trained_folder())


@pytest.fixture(scope="module")
def looking() -> Tagger:
    """The same with a second look that turns much around."""
    chance = np.random.default_rng(4)
    entry = chance.normal(size=(FEATURES + 1, 4)).astype(np.float32)
    changed = load(trained_folder())
    changed._agreement = Agreement(entry, 3 * chance.normal(size=(5, 3)).astype(np.float32))
    return changed


def passage(text: str, *, new: bool = False, ends: bool = False) -> Passage:
    """Make a passage of words parted by spaces."""
    return Passage(text, text.split(), starts_document=new, ends_sentence=ends)


def tags_of(tagged: Sequence[TaggedPassage]) -> list[str]:
    """Return each passage's tags on a line."""
    return [" ".join(each.tags) for each in tagged]


# --- A text -----------------------------------------------------------------------------------------------------------


def test_a_text_gives_its_mentions_with_offsets(tagger: Tagger) -> None:
    text = "Yesterday Mira  Olsen lost\nher keys. Tom walked home."
    mentions = tagger.tag(text)
    scores = [mention.score for mention in mentions]
    assert [dataclasses.replace(mention, score=1.0) for mention in mentions] == [
        Mention(10, 21, 1, 3, "Mira  Olsen", "PER", 1.0),
        Mention(37, 40, 7, 8, "Tom", "PER", 1.0),
    ]
    assert all(0.5 < score <= 1 for score in scores)
    assert nertag.load(trained_folder()).tag(text) == mentions


def test_a_mention_may_run_over_a_line_break_of_a_text(tagger: Tagger) -> None:
    assert [mention.text for mention in tagger.tag("Come in , said Ada\nQuill .")] == ["Ada\nQuill"]


@pytest.mark.parametrize("text", ["", " ", "\n\n\t "])
def test_a_text_without_words_has_no_mentions(tagger: Tagger, text: str) -> None:
    assert tagger.tag(text) == []


def test_scores_follow_the_temperature(tmp_path: Path) -> None:
    config = tiny_config()
    vocabulary = read_vocabulary(trained_folder())
    network = tiny_network(config, vocabulary)
    found = []
    for temperature in (1.0, 5.0):
        folder = write_folder(tmp_path / str(temperature), network, vocabulary, temperature)
        (tagged,) = load(folder).tag_passages([passage("Mira Olsen walked home")])
        found.append(np.array(tagged.scores))
    assert np.ptp(found[1]) < 0.9 * np.ptp(found[0])


# --- A stream ---------------------------------------------------------------------------------------------------------


def test_every_sentence_of_the_tiny_corpus_is_tagged_as_it_was_taught(tagger: Tagger) -> None:
    gold = [sentence(marked) for marked in TRAINING + VALIDATION]
    stream = [Passage(" ".join(each.words), each.words, starts_document=True) for each in gold]
    assert [tuple(tagged.tags) for tagged in tagger.tag_passages(stream)] == [each.tags for each in gold]


def test_a_passage_alone_is_answered_as_at_the_head_of_others(tagger: Tagger) -> None:
    first, second = passage("Mira Olsen saw Tom . " * 3), passage("o", new=True)
    (alone,) = tagger.tag_passages([first])
    among, _ = tagger.tag_passages([first, second])
    assert (alone.tags, alone.passage, alone.continues) == (among.tags, first, False) and "I-PER" in alone.tags
    np.testing.assert_allclose(alone.scores, among.scores, atol=1e-5)


def test_no_passages_give_no_answers(tagger: Tagger) -> None:
    assert list(tagger.tag_passages([])) == []
    assert list(tagger.tag_passages([None, None])) == []


def test_empty_passages_get_empty_answers_in_their_places(tagger: Tagger) -> None:
    stream = [
        passage(""),
        passage("Mira waved"),
        passage(""),
        passage(""),
        passage("", new=True),
        passage("Tom"),
        passage(""),
    ]
    found = list(tagger.tag_passages(stream))
    assert [tagged.passage for tagged in found] == stream
    assert tags_of(found) == ["", "B-PER O", "", "", "", "B-PER", ""]


def test_passages_of_a_document_share_a_window_and_cut_a_mention_at_their_border() -> None:
    fake = FakeTagger(window=20)
    stream = [passage("o b i", new=True), passage("i i o b"), passage("b"), passage("i", new=True)]
    assert tags_of(list(fake.tag_passages(stream))) == ["O B-PER I-PER", "B-PER I-PER O B-PER", "B-PER", "B-PER"]
    assert fake.cut == ["o b i i i o b b".split(), ["i"]]


def test_context_reaches_over_passages_of_a_document_and_not_into_the_next(tagger: Tagger) -> None:
    """The tiny network reads both ways, so the neighbours move the probabilities."""
    lines = ["Was it", "Tom", "or Ada Quill who called ?"]
    joined = list(tagger.tag_passages([passage(line) for line in lines]))
    apart = list(tagger.tag_passages([passage(line, new=True) for line in lines]))
    alone = [next(tagger.tag_passages([passage(line)])) for line in lines]
    assert [np.allclose(a.scores, b.scores, atol=1e-5) for a, b in zip(apart, alone, strict=True)] == [True] * 3
    assert not np.allclose(joined[1].scores, alone[1].scores, atol=1e-5)


def test_a_document_has_the_same_mentions_alone_and_among_others(tagger: Tagger) -> None:
    documents = [[passage(" ".join(sentence(text).words), new=True)] for text in TRAINING]
    documents += [[passage("Mira", new=True), passage("Olsen walked"), passage("home with Tom ." * 9)]]
    alone = [tagged for document in documents for tagged in tagger.tag_passages(document)]
    together = list(tagger.tag_passages(itertools.chain.from_iterable(documents * 30)))
    assert len(together) == 30 * len(alone)
    for one, other in zip(alone * 30, together, strict=True):
        assert one.tags == other.tags
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)


def test_long_passages_are_cut_at_sentence_ends_into_windows_of_the_configured_length() -> None:
    fake = FakeTagger(window=10)
    list(fake.tag_passages([passage("o o o o o o . " * 5 + "o b")]))
    assert [len(window) for window in fake.cut] == [7, 7, 7, 7, 9]


def test_a_run_is_no_larger_than_a_batch_and_its_windows_are_of_similar_length() -> None:
    fake = FakeTagger(window=100)
    stream = [passage("o " * (1 + number % 100), new=True) for number in range(600)]
    list(fake.tag_passages(stream))
    runs = fake.fake.runs
    assert len(runs) > 5
    assert all(len(run) == 1 or len(run) * max(run) <= BATCH_TOKENS for run in runs)
    # In the order of the stream, half of a batch would be padding.
    assert sum(map(sum, runs)) > 0.7 * sum(len(run) * max(run) for run in runs)


# --- Streaming --------------------------------------------------------------------------------------------------------


class Counted:
    """Passages that say how many of them were taken."""

    def __init__(self, passages: Iterator[Passage | None]) -> None:
        self.taken = 0
        self._passages = passages

    def __iter__(self) -> Iterator[Passage | None]:
        for each in self._passages:
            self.taken += 1
            yield each


ENDLESS: dict[str, tuple[Callable[[], Iterator[Passage]], int]] = {
    "sentences of one document": (lambda: itertools.repeat(passage("o o b i .")), 100),
    "a document each": (lambda: itertools.repeat(passage("o o b i .", new=True)), 100),
    "long passages": (lambda: itertools.repeat(passage("o b " * 500)), 1),
    "empty passages": (lambda: itertools.repeat(passage("")), 1000),
    "one word, then empty passages": (lambda: itertools.chain([passage("b")], itertools.repeat(passage(""))), 1000),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_an_endless_stream_is_answered_as_it_comes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagger_module, "COLLECTED", 1000)
    make, bound = ENDLESS[name]
    stream = Counted(make())
    pending = []
    for answered, _ in enumerate(itertools.islice(FakeTagger(window=20).tag_passages(stream), 4 * bound)):
        pending.append(stream.taken - answered)
    assert max(pending) <= bound


def test_a_pause_has_everything_answered_at_once() -> None:
    asked: list[str] = []

    def stream() -> Iterator[Passage | None]:
        for word in ("b", "o", "b"):
            asked.append(word)
            yield passage(word)
            yield None

    answers = []
    for tagged in FakeTagger(window=20).tag_passages(stream()):
        answers.append((tagged.passage.text, len(asked)))
    assert answers == [("b", 1), ("o", 2), ("b", 3)]


def test_without_a_pause_a_short_stream_is_answered_at_its_end() -> None:
    stream = Counted(iter([passage("b"), passage("o")]))
    answers = FakeTagger(window=20).tag_passages(stream)
    assert stream.taken == 0
    next(answers)
    assert stream.taken == 2


def test_the_table_of_forms_does_not_grow_with_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "CAPACITY", 50)
    fake = FakeTagger(window=20)
    stream = (passage(f"word{number} b i", new=True) for number in range(3 * COLLECTED // 11))
    assert all(tagged.labels == [0, 1, 1] for tagged in fake.tag_passages(stream))
    assert len(fake.forms.names) <= 50 + COLLECTED // 11 + 1


def test_more_tokens_than_a_block_are_cut_there_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagger_module, "BLOCK", 30)
    stream = [passage("o " * 25, new=True), passage(""), passage("b i " * 20), passage("b", new=True), passage("b")]
    fake = FakeTagger(window=20)
    assert [tagged.labels for tagged in fake.tag_passages(stream)] == [[0] * 25, [], [1] * 40, [1], [1]]
    assert [len(window) for window in fake.cut] == [18, 12, 18, 12, 5, 2]


# --- Lines ------------------------------------------------------------------------------------------------------------

LINES = ["Was it Tom", "", "  ", "or Ada Quill, who called?", *TRAINING, "x" * 70, "", "Mira's\u00a0(Tom) ...", ""]


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(("block", "long"), [(1 << 15, 1 << 18), (16, 1 << 18), (16, 10)])
def test_lines_get_the_labels_of_passages(
    tagger: Tagger, alone: bool, block: int, long: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tagger_module, "BLOCK", block)
    monkeypatch.setattr(tagger_module, "_LONG_TEXT", long)
    lines = LINES * 5
    passages = [Passage(line, split_words(line), starts_document=alone) for line in lines]
    expected = [tagged.labels for tagged in tagger.tag_passages(passages)]
    inside, ends = tagger.label_lines("\n".join(lines) + "\n", alone=alone)
    assert inside.tolist() == [label for labels in expected for label in labels]
    assert ends.tolist() == list(itertools.accumulate(map(len, expected)))
    assert 0 < inside.sum() < len(inside)


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(("block", "long"), [(1 << 15, 1 << 18), (16, 1 << 18), (16, 10)])
def test_lines_get_the_labels_of_passages_after_a_second_look(
    tagger: Tagger, looking: Tagger, alone: bool, block: int, long: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_lines_get_the_labels_of_passages(looking, alone, block, long, monkeypatch)
    first, second = (one.label_lines("\n".join(LINES * 5), alone=alone)[0].tolist() for one in (tagger, looking))
    assert alone or block < 100 or first != second


def test_the_documents_of_tokens_are_numbered() -> None:
    ends, starts = np.array([2, 2, 5, 6]), np.array([True, True, False, True])
    layout = Layout(ends, np.zeros(4, np.bool_), starts)
    assert layout.documents(6).tolist() == [1, 1, 2, 2, 2, 3]
    assert layout.documents(9).tolist() == [1, 1, 2, 2, 2, 3, 3, 3, 3]
    assert layout.part(1, 4).documents(3).tolist() in ([1, 2, 2], [0, 1, 1])
    assert Layout(np.zeros(0, np.int64), starts[:0], starts[:0]).documents(2).tolist() == [0, 0]


def test_no_lines_have_no_labels(tagger: Tagger) -> None:
    for text, lines in (("", 1), ("\n", 1), ("\n\n", 2), (" \n ", 2)):
        inside, ends = tagger.label_lines(text, alone=False)
        assert (inside.tolist(), ends.tolist()) == ([], [0] * lines)


# --- Loading ----------------------------------------------------------------------------------------------------------


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(ModelError, match=r"^there is no model 'nobody'\n  hint: Shipped: "):
        load("nobody")
