"""`nertag evaluate`: corpora with gold tags in, scores of a model out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from nertag import console
from nertag.commands.extras import require_train_extra
from nertag.data import Corpus, ReadOptions, check_source, load_corpus
from nertag.metrics import Averages, Scores, macro_average, mention_scores, mention_scores_of, token_scores
from nertag.text import Passage

if TYPE_CHECKING:
    from nertag.labels import Scheme
    from nertag.tagger import Tagger

_COLUMNS = (
    "dataset",
    "sentences",
    "tokens",
    "gold",
    "predicted",
    "correct",
    "precision",
    "recall",
    "f1",
    "token_precision",
    "token_recall",
    "token_f1",
)
_MACRO = "macro average"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of a model on one corpus.

    Attributes:
        name: The corpus.
        mentions: Scores of whole mentions.
        tokens: Scores of the tokens inside mentions.
        sentences: Sentences in the corpus.
        token_count: Tokens in the corpus.
        skipped: Malformed rows that were left out.
        by_label: Scores of the mentions of each label; empty if the model has only one.
    """

    name: str
    mentions: Scores
    tokens: Scores
    sentences: int
    token_count: int
    skipped: int
    by_label: dict[str, Scores]


def evaluate(
    sources: Sequence[str],
    *,
    model: str,
    split: str,
    json_output: bool,
    tokens_column: str | None = None,
    tags_column: str | None = None,
    scheme: Scheme | None = None,
    person_labels: Sequence[str] = (),
    skip_bad_rows: bool = False,
) -> None:
    """Score a model on corpora with gold tags and write the scores to standard output.

    Args:
        sources: Files, folders or Hub ids.
        model: A shipped model's name, a model folder or a Hub id.
        split: Which split of each corpus; a file is taken whole.
        json_output: Whether to write one JSON object instead of a table.
        tokens_column: The column of tokens or text; None to find it.
        tags_column: The column of tags or spans; None to find it.
        scheme: The scheme of the tags; None to recognise it.
        person_labels: More names for a person in the corpora.
        skip_bad_rows: Whether malformed rows are left out and counted, not an error.

    Raises:
        NertagError: If a corpus or the model cannot be read, or the output cannot be written.
    """
    require_train_extra("evaluate")
    for source in sources:
        check_source(source)
    results = console.Results()
    from nertag import tagger

    loaded = tagger.load(model)
    options = ReadOptions(
        labels=tuple(loaded.config.labels),
        tokens_column=tokens_column,
        tags_column=tags_column,
        scheme=scheme,
        person_labels=tuple(person_labels),
        skip_bad_rows=skip_bad_rows,
    )
    evaluations = []
    for source in sources:
        with _status(f"{source}: loading and tagging"):
            corpus = load_corpus(source, split, options, console.note)
            evaluations.append(evaluate_corpus(corpus, loaded))
    evaluations = _told_apart(evaluations, sources)
    if json_output:
        results.write(json.dumps(_to_json(model, split, evaluations), ensure_ascii=False) + "\n")
    elif console.results_are_seen():
        _draw(evaluations)
    else:
        results.write("".join("\t".join(row) + "\n" for row in (_COLUMNS, *_rows(evaluations, digits=4))))
    results.flush()


def evaluate_corpus(corpus: Corpus, tagger: Tagger) -> Evaluation:
    """Tag a corpus, its tokens as they stand, and score the result.

    Args:
        corpus: With gold tags of the tagger's labels.
        tagger: The model.

    Returns:
        The scores.
    """
    gold = [sentence.tags for sentence in corpus.sentences]
    predicted = [tagged.tags for tagged in tagger.tag_passages(_passages(corpus))]
    labels = tagger.config.labels if len(tagger.config.labels) > 1 else ()
    return Evaluation(
        corpus.name,
        mention_scores(gold, predicted),
        token_scores(gold, predicted),
        len(gold),
        sum(map(len, gold)),
        corpus.skipped,
        {label: mention_scores_of(label, gold, predicted) for label in labels},
    )


def _passages(corpus: Corpus) -> Iterator[Passage]:
    """Yield each sentence as a passage."""
    for number, sentence in enumerate(corpus.sentences, start=1):
        yield Passage(
            " ".join(sentence.words),
            sentence.words,
            starts_document=sentence.starts_document,
            ends_sentence=True,
            source=corpus.name,
            line=number,
        )


def _told_apart(evaluations: Sequence[Evaluation], sources: Sequence[str]) -> list[Evaluation]:
    """Return the evaluations, those of the same name under their full source."""
    from dataclasses import replace

    names = [evaluation.name for evaluation in evaluations]
    return [
        replace(evaluation, name=source) if names.count(evaluation.name) > 1 else evaluation
        for evaluation, source in zip(evaluations, sources, strict=True)
    ]


@contextmanager
def _status(message: str) -> Iterator[None]:
    """Show on a terminal what is being done; say nothing elsewhere."""
    if not console.can_redraw():
        yield
        return
    from rich.text import Text

    with console.draw_aside().status(
        Text(message)
    ):  # A plain string would be searched for markup, such as the `[b]` of a path.
        yield


# --- Output -----------------------------------------------------------------------------------------------------------


def _to_json(model: str, split: str, evaluations: Sequence[Evaluation]) -> dict[str, object]:
    """Return everything as one JSON object; fractions from 0 to 1."""
    return {
        "model": model,
        "split": split,
        "datasets": [_corpus_json(evaluation) for evaluation in evaluations],
        "macro": {
            "mentions": asdict(macro_average([evaluation.mentions for evaluation in evaluations])),
            "tokens": asdict(macro_average([evaluation.tokens for evaluation in evaluations])),
        },
    }


def _corpus_json(evaluation: Evaluation) -> dict[str, object]:
    """Return one corpus as a JSON object; scores by label only where there are several."""
    values = asdict(evaluation)
    by_label = values.pop("by_label")
    return {**values, "labels": by_label} if by_label else values


def _rows(evaluations: Sequence[Evaluation], digits: int) -> Iterator[list[str]]:
    """Yield the cells of the table, a row per corpus and the average last; counts have none."""
    for evaluation in evaluations:
        mentions, tokens = evaluation.mentions, evaluation.tokens
        counts = (evaluation.sentences, evaluation.token_count, mentions.gold, mentions.predicted, mentions.correct)
        yield [evaluation.name, *map(str, counts), *_fractions(mentions, digits), *_fractions(tokens, digits)]
    mention_average = macro_average([evaluation.mentions for evaluation in evaluations])
    token_average = macro_average([evaluation.tokens for evaluation in evaluations])
    yield [_MACRO, *[""] * 5, *_fractions(mention_average, digits), *_fractions(token_average, digits)]


def _fractions(scores: Scores | Averages, digits: int) -> list[str]:
    """Return precision, recall and F1 as text."""
    return [f"{value:.{digits}f}" for value in (scores.precision, scores.recall, scores.f1)]


def _draw(evaluations: Sequence[Evaluation]) -> None:
    """Draw the table on the terminal, without the sentences and so narrow enough for 80 columns."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    table.add_column("", min_width=len(_MACRO), overflow="fold")
    counts = ("\ntokens", "\ngold", "pre-\ndicted", "cor-\nrect")
    for head in (*counts, "\nP", "\nR", "\nF1", "token\nP", "token\nR", "token\nF1"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, _, *cells in _rows(evaluations, digits=3):
        if name == _MACRO:
            table.add_section()
        table.add_row(name, *cells)
    console.draw_results().print(table)
