"""Sources to sentences: formats, columns, schemes, labels, and what malformed rows are told."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest

from nertag.data import Corpus, ReadOptions, check_source, corpus_name, load_corpus
from nertag.errors import ConfigError, DataError

ADA = (["Ada", "Lovelace", "wrote", "."], ["B-PER", "I-PER", "O", "O"])
ACME = (["Acme", "paid", "Grace"], ["B-ORG", "O", "B-PER"])
SKIP_HINT = "\n  hint: --skip-bad-rows leaves such rows out."


def silent(message: str) -> None:
    raise AssertionError(f"unexpected notice: {message}")


def load(path: Path | str, split: str = "test", say: Callable[[str], None] = silent, **options: Any) -> Corpus:
    return load_corpus(str(path), split, ReadOptions(**options), say)


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def lines(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def row(sentence: tuple[list[str], list[Any]], **fields: Any) -> dict[str, Any]:
    return {"tokens": sentence[0], "ner_tags": sentence[1], **fields}


def words_of(corpus: Corpus) -> list[str]:
    return [" ".join(sentence.words) for sentence in corpus.sentences]


def tags_of(corpus: Corpus) -> list[str]:
    return [" ".join(sentence.tags) for sentence in corpus.sentences]


def starts_of(corpus: Corpus) -> list[bool]:
    return [sentence.starts_document for sentence in corpus.sentences]


# --- Formats ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.JSONL", "a[1]*.jsonl"])
def test_json_lines(tmp_path: Path, name: str) -> None:
    corpus = load(written(tmp_path / name, lines(row(ADA), row(ACME))))
    assert words_of(corpus) == ["Ada Lovelace wrote .", "Acme paid Grace"]
    assert tags_of(corpus) == ["B-PER I-PER O O", "O O B-PER"]
    assert corpus.skipped == 0


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
@pytest.mark.parametrize("kind", ["jsonl", "conll"])
def test_compressed_files(tmp_path: Path, ending: str, pack: Callable[[bytes], bytes], kind: str) -> None:
    text = lines(row(ADA)) if kind == "jsonl" else "Ada B-PER\nLovelace I-PER\nwrote O\n. O\n"
    path = tmp_path / f"a.{kind}{ending}"
    path.write_bytes(pack(text.encode()))
    assert words_of(load(path)) == ["Ada Lovelace wrote ."]


def test_a_json_array(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", json.dumps([row(ADA), row(ACME)], indent=2))
    assert tags_of(load(path)) == ["B-PER I-PER O O", "O O B-PER"]


def test_parquet_with_class_labels(tmp_path: Path) -> None:
    label = datasets.ClassLabel(names=["O", "B-ORG", "I-ORG", "B-PER", "I-PER"])
    features = datasets.Features({"tokens": datasets.List(datasets.Value("string")), "ner_tags": datasets.List(label)})
    table = datasets.Dataset.from_dict({"tokens": [["Acme", "paid", "Ada"]], "ner_tags": [[1, 0, 3]]}, features)
    table.to_parquet(tmp_path / "a.parquet")
    assert tags_of(load(tmp_path / "a.parquet")) == ["O O B-PER"]


@pytest.mark.parametrize(
    ("words", "tags"),
    [
        ("['Ada', 'wrote', 'NA', '007']", "['B-PER', 'O', 'O', 'O']"),
        ('[""Ada"", ""wrote"", ""NA"", ""007""]', '[""B-PER"", ""O"", ""O"", ""O""]'),
        ("Ada wrote NA 007", "B-PER O O O"),
    ],
)
def test_csv_cells_hold_lists_or_words(tmp_path: Path, words: str, tags: str) -> None:
    path = written(tmp_path / "a.csv", f'id,tokens,ner_tags\n1,"{words}","{tags}"\n2,1984,O\n')
    corpus = load(path)
    assert words_of(corpus) == ["Ada wrote NA 007", "1984"]
    assert tags_of(corpus) == ["B-PER O O O", "O"]


def test_tsv_with_a_header_is_a_table_and_without_one_has_a_token_a_line(tmp_path: Path) -> None:
    table = written(tmp_path / "table.tsv", "tokens\ttags\nAda wrote\tB-PER O\n")
    column = written(tmp_path / "columns.tsv", "Ada\tB-PER\nwrote\tO\n\nGrace\tB-PER\n")
    assert words_of(load(table)) == ["Ada wrote"]
    assert words_of(load(column)) == ["Ada wrote", "Grace"]


def test_text_that_looks_like_dates_stays_text(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", lines({"tokens": ["2009-01-01", "2010-02-03"], "tags": ["O", "O"]}))
    assert words_of(load(path)) == ["2009-01-01 2010-02-03"]


def test_a_byte_order_mark_and_windows_line_ends_leave_no_trace(tmp_path: Path) -> None:
    columns = written(tmp_path / "a.conll", "\ufeffAda B-PER\r\nwrote O\r\n\r\nGrace B-PER\r\n")
    objects = written(tmp_path / "a.jsonl", "\ufeff" + lines(row(ADA)).replace("\n", "\r\n"))
    assert words_of(load(columns)) == ["Ada wrote", "Grace"]
    assert words_of(load(objects)) == ["Ada Lovelace wrote ."]


def test_local_files_leave_nothing_in_the_cache_and_are_never_stale(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", lines(row(ADA)))
    cache = Path(os.environ["HF_HOME"])
    before = sorted(cache.rglob("*"))
    load(path)
    size, time = path.stat().st_size, path.stat().st_mtime
    written(path, lines(row(ADA)).replace("Lovelace", "Lovelass"))
    os.utime(path, (time, time))
    assert path.stat().st_size == size
    assert words_of(load(path)) == ["Ada Lovelass wrote ."]
    assert sorted(cache.rglob("*")) == before


# --- Column files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["conll", "iob2", "iob", "bio", "txt"])
def test_the_last_column_with_tags_is_taken(tmp_path: Path, ending: str) -> None:
    text = "Ada NNP B-NP B-PER x\nwrote VBD B-VP O x\n\n\nGrace NNP B-NP B-PER x\n"
    corpus = load(written(tmp_path / f"a.{ending}", text))
    assert words_of(corpus) == ["Ada wrote", "Grace"]
    assert tags_of(corpus) == ["B-PER O", "B-PER"]


def test_docstart_lines_start_documents_and_are_no_tokens(tmp_path: Path) -> None:
    text = "-DOCSTART- -X- O\n\nAda NNP B-PER\n\nwrote V O\n\n-DOCSTART- -X- O\nGrace NNP B-PER\n\nsat V O\n"
    corpus = load(written(tmp_path / "a.conll", text))
    assert words_of(corpus) == ["Ada", "wrote", "Grace", "sat"]
    assert starts_of(corpus) == [True, False, True, False]


def test_two_blank_lines_start_a_document_as_they_do_in_tag(tmp_path: Path) -> None:
    corpus = load(written(tmp_path / "a.conll", "\n\n\nAda B-PER\n\nsat O\n\n\nGrace B-PER\n\nran O\n"))
    assert starts_of(corpus) == [True, False, True, False]


def test_an_index_column_and_comments_as_in_conll_u(tmp_path: Path) -> None:
    text = (
        "# newdoc id = a\n# text = Ada sat\n1\tAda\tB-PER\t-\n2\tsat\tO\t-\n\n# text = #\n1\t#\tO\t-\n\n"
        "# newdoc id = b\n1\tGrace\tB-PER\t-\n"
    )
    corpus = load(written(tmp_path / "a.iob2", text))
    assert words_of(corpus) == ["Ada sat", "#", "Grace"]
    assert starts_of(corpus) == [True, False, True]


def test_a_number_sign_is_a_token_where_columns_are_parted_by_spaces(tmp_path: Path) -> None:
    corpus = load(written(tmp_path / "a.conll", "# O\n1 O\nAda B-PER\n"))
    assert words_of(corpus) == ["# 1 Ada"]


def test_columns_can_be_named_by_number(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "B-PER Ada O\nO sat O\n")
    assert tags_of(load(path, tokens_column="2", tags_column="1")) == ["B-PER O"]


# --- Folders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.jsonl", "train"),
        ("validation.jsonl", "validation"),
        ("dev.jsonl", "validation"),
        ("en-test.jsonl", "test"),
        ("data/test-00000-of-00001.jsonl", "test"),
        ("test/part.jsonl", "test"),
    ],
)
def test_a_split_is_found_by_its_name(tmp_path: Path, name: str, split: str) -> None:
    written(tmp_path / "corpus" / name, lines(row(ADA)))
    written(tmp_path / "corpus" / "LICENCES.txt", "not data\n")
    assert words_of(load(tmp_path / "corpus", split)) == ["Ada Lovelace wrote ."]


def test_all_files_of_a_split_are_read_each_by_its_own_format(tmp_path: Path) -> None:
    written(tmp_path / "test/a.jsonl", lines(row(ADA)))
    written(tmp_path / "test/b.iob2", "Grace B-PER\n")
    assert words_of(load(tmp_path)) == ["Ada Lovelace wrote .", "Grace"]


def test_a_file_named_exactly_like_the_split_wins(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    written(folder / "train.jsonl", lines(row(ADA)))
    written(folder / "train_official.jsonl", lines(row(ACME)))
    notices: list[str] = []
    assert words_of(load(folder, "train", notices.append)) == ["Ada Lovelace wrote ."]
    assert notices == [f"{folder}: train is train.jsonl; left out: train_official.jsonl"]


def test_a_file_is_taken_whole_for_any_split(tmp_path: Path) -> None:
    path = written(tmp_path / "train.jsonl", lines(row(ADA)))
    assert words_of(load(path, "validation")) == words_of(load(path, "test")) == ["Ada Lovelace wrote ."]


def test_a_dataset_card_names_files_and_what_integers_mean(tmp_path: Path) -> None:
    written(tmp_path / "one.jsonl", lines(row((["Ada"], [1]))))
    written(tmp_path / "two.jsonl", lines(row((["Grace"], [1]))))
    names = "dataset_info:\n- config_name: {}\n  features:\n  - name: ner_tags\n    sequence:\n      class_label:\n"
    card = (
        "---\nconfigs:\n- config_name: first\n  data_files: [{split: test, path: one.jsonl}]\n"
        "- config_name: second\n  data_files: [{split: test, path: two.jsonl}]\n"
        + names.format("second")
        + "        names: {'0': O, '1': B-PER}\n---\n"
    )
    written(tmp_path / "README.md", card)
    assert words_of(load(f"{tmp_path}:second")) == ["Grace"]
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: has several configurations\n  hint: There are: first, second. Name one: {tmp_path}:first."
    )


@pytest.mark.parametrize("reach", ["../secret.jsonl", "{outside}/secret.jsonl"])
def test_a_dataset_card_cannot_reach_out_of_its_folder(tmp_path: Path, reach: str) -> None:
    written(tmp_path / "secret.jsonl", lines(row(ADA)))
    path = reach.format(outside=tmp_path)
    card = f"---\nconfigs:\n- config_name: a\n  data_files: [{{split: test, path: '{path}'}}]\n---\n"
    written(tmp_path / "corpus/README.md", card)
    with pytest.raises(DataError, match="corpus: the test split has no data files$"):
        load(tmp_path / "corpus")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{tmp}/none.jsonl", "{tmp}/none.jsonl: no such file or folder"),
        ("data/none.jsonl", "data/none.jsonl: no such file or folder"),
        ("./none", "./none: no such file or folder"),
        ("", "'' names no file, folder or dataset"),
        (
            "nothing",
            "nothing: no such file or folder\n  hint: A dataset on the Hub is owner/name; known without an owner: "
            "conll2002, conll2003, conllpp, germeval_14, polyglot_ner, wikiann, wnut_17.",
        ),
        (
            "{tmp}/empty",
            "{tmp}/empty: no data files that can be read\n"
            "  hint: They end in .jsonl, .ndjson, .json, .csv, .tsv, .parquet, .conll, .conllu, .iob2, .iob, .bio, "
            ".txt.",
        ),
        ("{tmp}/split", "{tmp}/split: no test split\n  hint: There are: train, validation."),
        ("{tmp}/split:en", "{tmp}/split: no configuration 'en'\n  hint: There is none to choose."),
        (
            "{tmp}/a.docx",
            "{tmp}/a.docx: its name says no format that is read\n  hint: Name it .jsonl, .ndjson, .json, .csv, .tsv, "
            ".parquet, .conll, .conllu, .iob2, .iob, .bio, .txt, or with .gz.",
        ),
        ("{tmp}/blank.jsonl", "{tmp}/blank.jsonl: no sentences in it"),
        ("{tmp}/blank.conll", "{tmp}/blank.conll: no sentences in it"),
    ],
)
def test_a_source_that_is_not_there(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    written(tmp_path / "split/train.jsonl", lines(row(ADA)))
    written(tmp_path / "split/dev.jsonl", lines(row(ADA)))
    written(tmp_path / "a.docx", "")
    written(tmp_path / "blank.jsonl", "")
    written(tmp_path / "blank.conll", "\n\n")
    with pytest.raises(DataError) as caught:
        load(source.format(tmp=tmp_path))
    assert str(caught.value) == message.format(tmp=tmp_path)


def test_sources_are_checked_without_loading_anything() -> None:
    check_source("owner/name:config@revision")
    check_source("conll2003")
    with pytest.raises(DataError, match=r"^none\.conll: no such file or folder$"):
        check_source("none.conll")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("litbank", "litbank"),
        ("litbank/test.jsonl", "litbank/test"),
        ("litbank/train.jsonl.gz", "litbank/train"),
        ("people.conll", "people"),
    ],
)
def test_names_for_tables(tmp_path: Path, path: str, name: str) -> None:
    written(tmp_path / "litbank/test.jsonl", "")
    written(tmp_path / "litbank/train.jsonl.gz", "")
    written(tmp_path / "people.conll", "")
    assert corpus_name(str(tmp_path / path)) == name


def test_a_hub_id_is_its_own_name() -> None:
    assert corpus_name("owner/name:config@main") == "owner/name:config@main"


# --- Columns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "tags"), [("tokens", "ner_tags"), ("Words", "NER"), ("tokens", "tags"), ("words", "labels")]
)
def test_columns_are_found_by_name(tmp_path: Path, words: str, tags: str) -> None:
    path = written(
        tmp_path / "a.jsonl", lines({"id": 1, "text": "x", words: ADA[0], "pos_tags": ["X"] * 4, tags: ADA[1]})
    )
    assert tags_of(load(path)) == ["B-PER I-PER O O"]


def test_what_nertag_tag_writes_can_be_read(tmp_path: Path) -> None:
    written_by_tag = {
        "text": "Ada wrote",
        "tokens": ["Ada", "wrote"],
        "labels": [1, 0],
        "tags": ["B-PER", "O"],
        "mentions": [{"start": 0, "end": 3, "token_start": 0, "token_end": 1, "text": "Ada", "score": 0.9}],
    }
    assert tags_of(load(written(tmp_path / "a.jsonl", lines(written_by_tag)))) == ["B-PER O"]


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", lines({"tokens": ["no"], "ner_tags": ["O"], "w": ["Ada"], "t": ["B-PER"]}))
    assert tags_of(load(path, tokens_column="w", tags_column="t")) == ["B-PER"]


@pytest.mark.parametrize(
    ("fields", "options", "message"),
    [
        (
            {"body": "Ada", "ner_tags": ["B-PER"]},
            {},
            "no column of tokens (tokens, words, text, sentence)\n"
            "  hint: Columns: body, ner_tags. Name one with --tokens-column.",
        ),
        (
            {"tokens": ["Ada"], "gold": ["B-PER"]},
            {},
            "no column of tags (ner_tags, ner, tags, ner_labels, bio_tags, iob_tags, labels) or spans (entities, "
            "spans, labels, label, annotations, ner)\n  hint: Columns: tokens, gold. Name one with --tags-column.",
        ),
        (
            {"tokens": ["Ada"], "tags": ["B-PER"]},
            {"tags_column": "gold"},
            "--tags-column: no column 'gold'\n  hint: Columns: tokens, tags.",
        ),
    ],
)
def test_columns_that_are_not_there(
    tmp_path: Path, fields: dict[str, Any], options: dict[str, str], message: str
) -> None:
    path = written(tmp_path / "a.jsonl", lines(fields))
    with pytest.raises(DataError) as caught:
        load(path, **options)
    assert str(caught.value) == f"{path}: {message}"


def test_a_column_file_without_tags(tmp_path: Path) -> None:
    path = written(tmp_path / "book.txt", "It was a dark night.\nAda slept.\n")
    with pytest.raises(DataError) as caught:
        load(path)
    assert (
        str(caught.value) == f"{path}: no column of tags\n  hint: Columns: 1, 2, 3, 4, 5. Name one with --tags-column."
    )


# --- Documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["doc", "document_id"])
def test_a_column_says_which_sentences_are_of_one_document(tmp_path: Path, column: str) -> None:
    documents = ["a", "a", "b", "a", None, None]
    path = written(tmp_path / "a.jsonl", lines(*({**row(ADA), column: document} for document in documents)))
    assert starts_of(load(path)) == [True, False, True, True, True, True]


def test_without_such_a_column_every_row_is_a_document(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", lines(row(ADA), row(ACME)))
    assert starts_of(load(path)) == [True, True]


def test_every_file_starts_a_document(tmp_path: Path) -> None:
    written(tmp_path / "test/a.conll", "Ada B-PER\n\nsat O\n")
    written(tmp_path / "test/b.conll", "Grace B-PER\n")
    assert starts_of(load(tmp_path)) == [True, False, True]


def test_a_document_whose_first_row_is_skipped_starts_with_the_next(tmp_path: Path) -> None:
    broken = {"tokens": ["x"], "ner_tags": [], "doc": "b"}
    orphan = {"tokens": ["x"], "ner_tags": ["I-PER"], "doc": "c"}
    good = (row(ADA, doc=document) for document in "abbc")
    first, second, third, fourth = good
    path = written(tmp_path / "a.jsonl", lines(first, broken, second, third, orphan, fourth))
    notices: list[str] = []
    corpus = load(path, say=notices.append, skip_bad_rows=True)
    assert starts_of(corpus) == [True, True, False, True]
    assert corpus.skipped == 2


def test_docstart_rows_and_rows_without_tokens_are_no_sentences(tmp_path: Path) -> None:
    start = {"tokens": ["-DOCSTART-"], "ner_tags": ["O"], "doc": 1}
    empty = {"tokens": [], "ner_tags": [], "doc": 1}
    path = written(tmp_path / "a.jsonl", lines(row(ADA, doc=1), empty, start, row(ACME, doc=1)))
    corpus = load(path)
    assert words_of(corpus) == ["Ada Lovelace wrote .", "Acme paid Grace"]
    assert starts_of(corpus) == [True, True]


# --- Schemes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["I-PER I-PER O B-PER", "I-PER B-PER O I-PER"], None),
        (["I-PER I-PER O I-PER", "I-PER B-PER O O"], ["B-PER I-PER O B-PER", "B-PER B-PER O O"]),
        (["B-PER I-PER O S-PER"], None),
        (["B-PER E-PER O S-PER"], ["B-PER I-PER O B-PER"]),
        (["B-PER L-PER O U-PER"], ["B-PER I-PER O B-PER"]),
        (["I-PER I-PER O I-PER"], ["B-PER I-PER O B-PER"]),
        (["PER PER O PER"], ["B-PER I-PER O B-PER"]),
        (["person person O art-film"], ["B-PER I-PER O O"]),
        (["B-per I-per O B-geo"], ["B-PER I-PER O O"]),
    ],
)
def test_schemes_are_recognised(tmp_path: Path, given: list[str], expected: list[str] | None) -> None:
    rows = [{"tokens": ["a", "b", "c", "d"], "tags": tags.split()} for tags in given]
    path = written(tmp_path / "a.jsonl", lines(*rows))
    if expected is None:
        with pytest.raises(DataError):
            load(path)
    else:
        assert tags_of(load(path)) == expected


def test_a_scheme_can_be_forced(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "Ada I-PER\nB. I-PER\n\nsat O\nGrace B-PER\n")
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}:1: tag 'I-PER' starts the sentence, but an IOB2 mention starts with 'B-PER': 'Ada B.'\n"
        "  hint: Is this an IOB1 file? Say so with --scheme iob1; --skip-bad-rows leaves such rows out."
    )
    assert tags_of(load(path, scheme="iob1")) == ["B-PER I-PER", "O B-PER"]


@pytest.mark.parametrize("tags", [[1, 1, 0, 0], ["1", "1", "0", "0"]])
def test_zeros_and_ones_are_read_with_a_notice(tmp_path: Path, tags: list[Any]) -> None:
    path = written(tmp_path / "a.jsonl", lines({"tokens": ADA[0], "labels": tags}))
    notices: list[str] = []
    assert tags_of(load(path, say=notices.append)) == ["B-PER I-PER O O"]
    assert notices == [f"{path}: tags are 0 and 1; 1 is read as PER, and adjacent 1s as one mention"]


@pytest.mark.parametrize(("tags", "labels"), [([2, 0, 0, 0], ("PER",)), ([1, 1, 0, 0], ("PER", "ORG"))])
def test_other_numbers_need_names(tmp_path: Path, tags: list[int], labels: tuple[str, ...]) -> None:
    path = written(tmp_path / "a.jsonl", lines({"tokens": ADA[0], "ner_tags": tags}))
    with pytest.raises(DataError) as caught:
        load(path, labels=labels)
    assert str(caught.value) == (
        f"{path}: tags in column 'ner_tags' are numbers without names\n"
        "  hint: Store the tags' names, or as Parquet with a ClassLabel feature."
    )


# --- Labels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["PER", "per", "PERS", "PERSON", "person", "People", "PERSON_NAME"])
def test_labels_that_mean_a_person(tmp_path: Path, label: str) -> None:
    path = written(tmp_path / "a.conll", f"Ada B-{label}\nLovelace I-{label}\nAcme B-ORG\n")
    assert tags_of(load(path)) == ["B-PER I-PER O"]


def test_other_labels_for_a_person_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "Ada B-Author\nGrace B-PER\nAcme B-ORG\n")
    assert tags_of(load(path)) == ["O B-PER O"]
    assert tags_of(load(path, person_labels=("author",))) == ["B-PER B-PER O"]


def test_several_labels_get_the_names_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "Ada B-person\nAcme B-Organisation\nRome B-location\nJune B-DATE\n")
    assert tags_of(load(path, labels=("PER", "ORG", "LOC"))) == ["B-PER B-ORG B-LOC O"]
    assert tags_of(load(path, labels=("person", "date"))) == ["B-person O O B-date"]


def test_a_corpus_without_the_labels_lists_its_own(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "Ada B-Author\nAcme B-ORG\n")
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: no label means PER\n  hint: Labels: Author, ORG. Name those that mean a person with --person-label."
    )


def test_a_corpus_that_lacks_one_of_the_labels_is_read_with_a_notice(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "Ada B-PER\n")
    notices: list[str] = []
    assert tags_of(load(path, say=notices.append, labels=("PER", "ORG"))) == ["B-PER"]
    assert notices == [f"{path}: no label means ORG, so its tokens count as O. Labels: PER."]


def test_a_corpus_without_any_mention_is_no_error(tmp_path: Path) -> None:
    assert tags_of(load(written(tmp_path / "a.conll", "It O\nrained O\n"))) == ["O O"]


def test_person_labels_without_a_label_for_persons_make_no_sense(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "Ada B-PER\n")
    with pytest.raises(
        ConfigError, match=r"^Author is named as a person label, but the labels asked for are ORG, LOC$"
    ):
        load(path, labels=("ORG", "LOC"), person_labels=("Author",))


# --- Spans ------------------------------------------------------------------------------------------------------------

TEXT = "Then Ada Lovelace's friend paid."


@pytest.mark.parametrize(
    "fields",
    [
        {"entities": [{"start": 5, "end": 17, "label": "PER"}]},
        {"spans": [{"start_offset": 5, "end_offset": 17, "type": "person", "id": 3}]},
        {"label": [[5, 17, "PER"]]},
        {"entities": [[4, 18, "PER"], [0, 4, "WHEN"]]},
        {"entities": {"start": [5], "end": [17], "label": ["PER"]}},
    ],
)
def test_text_with_spans_is_split_into_tokens(tmp_path: Path, fields: dict[str, Any]) -> None:
    if fields.get("entities") == [[4, 18, "PER"], [0, 4, "WHEN"]]:
        fields = {"entities": [[4, 17, "PER"], [0, 4, "WHEN"]]}  # White space at the ends does not count.
    path = written(
        tmp_path / "a.jsonl", lines({"text": TEXT, **fields}, {"text": "It rained.", **fields_without(fields)})
    )
    corpus = load(path)
    assert words_of(corpus) == ["Then Ada Lovelace 's friend paid .", "It rained ."]
    assert tags_of(corpus) == ["O B-PER I-PER O O O O", "O O O"]


def fields_without(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: {key: [] for key in cell} if isinstance(cell, dict) else [] for name, cell in fields.items()}


def test_spans_of_labels_not_asked_for_may_overlap_and_cut_tokens(tmp_path: Path) -> None:
    spans = [[5, 17, "PER"], [5, 8, "FIRST"], [9, 11, "SYLLABLE"]]
    path = written(tmp_path / "a.jsonl", lines({"text": TEXT, "entities": spans}))
    assert tags_of(load(path)) == ["O B-PER I-PER O O O O"]


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([[5, 12, "PER"]], "span [5, 12) 'Ada Lov' cuts through the token 'Lovelace'"),
        ([[6, 17, "PER"]], "span [6, 17) 'da Lovelace' cuts through the token 'Ada'"),
        ([[5, 99, "PER"]], "span [5, 99) covers nothing in a text of 32 code points"),
        ([[5, 5, "PER"]], "span [5, 5) covers nothing in a text of 32 code points"),
        ([[4, 5, "PER"]], "span [4, 5) covers nothing in a text of 32 code points"),
        ([[5, 8, "PER"], [5, 17, "PER"]], 'spans overlap: "Then Ada Lovelace\'s friend paid."'),
    ],
)
def test_spans_that_cannot_be_laid_on_tokens(tmp_path: Path, spans: list[Any], message: str) -> None:
    path = written(
        tmp_path / "a.jsonl", lines({"text": "Ada", "entities": [[0, 3, "PER"]]}, {"text": TEXT, "entities": spans})
    )
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value) == f"{path}:2: {message}{SKIP_HINT}"


def test_a_span_without_a_label(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", lines({"text": TEXT, "entities": [{"start": 5, "end": 17}]}))
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}:1: not a span of start, end and label: \"{{'start': 5, 'end': 17}}\"\n"
        '  hint: Spans are {"start": 0, "end": 3, "label": "PER"} or [0, 3, "PER"], in code points, half-open.'
    )


# --- Malformed rows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"tokens": ["Ada", "sat"], "tags": ["O"]}, "2 tokens but 1 tags: 'Ada sat'"),
        ({"tokens": ["Ada", "", "sat"], "tags": ["O"] * 3}, "token 2 is empty: 'Ada  sat'"),
        ({"tokens": ["Ada", " ", "sat"], "tags": ["O"] * 3}, "token 2 is empty: 'Ada   sat'"),
        ({"tokens": ["Ada", 7], "tags": ["O"] * 2}, "token 2 is no text: '7'"),
        ({"tokens": ["Ada", "sat"], "tags": ["O", None]}, "tag 2 is no text: 'None'"),
        ({"tokens": ["Ada", "sat"]}, "nothing in column 'tags'"),
        ({"tokens": {"a": 1}, "tags": ["O"]}, "column 'tokens' holds no list: \"{'a': 1}\""),
        (
            {"tokens": ["Ada", "sat", "down"], "tags": ["X-PER", "O", "O"]},
            "'X-PER' is no tag of IOB1, IOB2, BIOES, BILOU or IO: 'Ada sat down'",
        ),
        ([1, 2], "not a JSON object: '[1, 2]'"),
    ],
)
def test_malformed_rows_say_where_and_what(tmp_path: Path, bad: object, message: str) -> None:
    good = {"tokens": ["Ada"], "tags": ["B-PER"]}
    path = written(tmp_path / "a.jsonl", lines(good) + "\n" + lines(bad, good))
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value) == f"{path}:3: {message}{SKIP_HINT}"
    notices: list[str] = []
    corpus = load(path, say=notices.append, skip_bad_rows=True)
    assert (words_of(corpus), corpus.skipped) == (["Ada", "Ada"], 1)
    assert notices == [f"{path}: left out 1 malformed row, the first at {path}:3: {message}"]


def test_a_broken_json_line(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", lines(row(ADA)) + '{"tokens": ["Ada", \n' + lines(row(ACME)))
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value) == f'{path}:2: not valid JSON: Expecting value: \'{{"tokens": ["Ada",\'{SKIP_HINT}'
    notices: list[str] = []
    assert tags_of(load(path, say=notices.append, skip_bad_rows=True)) == ["B-PER I-PER O O", "O O B-PER"]


def test_a_broken_json_array(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '[{"tokens": ["Ada"],\n  "tags": ["O"},\n]')
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value) == f"{path}:2: not valid JSON: Expecting ',' delimiter"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ada B-PER\n\nshe O\nsat\n", ":4: 1 columns where the file's first line has 2: 'sat'"),
        ("Ada B-PER\n\nshe O\nsat O O\n", ":4: more than 2 columns where the file's first line has 2: 'sat O O'"),
        ("-DOCSTART- O\n\nAda B-PER\nsat I-PER\nup I-ORG\n", ":5: tag 'I-ORG' follows 'I-PER'"),
        ("A\tB-PER\n\n# x\nb\tO\n \tO\n", ":5: token 2 is empty: 'b  '"),
    ],
)
def test_malformed_column_files_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path / "a.conll", text)
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}{message}")


def test_malformed_rows_of_tables_name_the_row(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'tokens,tags\n"Ada\nsat",B-PER O\nGrace,B-PER O\n')
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value) == f"{path} row 2: 1 tokens but 2 tags: 'Grace'{SKIP_HINT}"


def test_a_class_label_out_of_range(tmp_path: Path) -> None:
    written(tmp_path / "test.jsonl", lines(row((["Ada"], [1])), row((["Ada"], [2]))))
    card = (
        "---\ndataset_info:\n  features:\n  - name: ner_tags\n    sequence:\n      class_label:\n"
        "        names: {'0': O, '1': B-PER}\n---\n"
    )
    written(tmp_path / "README.md", card)
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/test.jsonl:2: tag 2 has no name: column 'ner_tags' names 0 to 1{SKIP_HINT}"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.conll", b"Ada B-PER\n\xff\xfe O\n", ":2: not valid UTF-8"),
        (
            "a.jsonl",
            b'{"tokens": ["Ada"], "tags": ["O"]}\n{"tokens": ["\xff"], "tags": ["O"]}\n',
            ":2: not valid UTF-8",
        ),
        ("a.csv", b"tokens,tags\n\xff,O\n", ":2: not valid UTF-8"),
        ("a.jsonl.gz", b"Ada", ": cannot be read: Not a gzipped file (b'Ad')"),
        ("a.jsonl.gz", gzip.compress(b"{}" * 99)[:-9], ": cannot be read: Compressed file ended before the end"),
        ("a.conll.gz", gzip.compress(b"Ada O\n")[:10] + b"\xff" * 9, ": cannot be read: Error -3 while decompressing"),
        ("a.conll.xz", b"Ada O", ": cannot be read: Input format not supported by decoder"),
        ("a.csv", b"tokens,tokens\nAda,O\n", ":1: two columns have the same name: tokens, tokens"),
        ("a.csv", b"x" * 200_000, ": not a CSV file that can be read: field larger than field limit"),
        ("a.csv", b"tokens,tags\nAda,O,more\n", ": a row has more fields than the 2 of the first line"),
        ("a.json", b"[" * 100_000, ": not valid JSON: nested too deep"),
        ("a.json", b"[" + b"1" * 5000 + b"]", ": not valid JSON: Exceeds the limit"),
        ("a.json", b'[{"tokens": ["\xff"]}]', ":1: not valid UTF-8"),
        ("a.parquet", b"PAR1", ": not a Parquet file that can be read: "),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}{message}")
    assert "\n" not in str(caught.value)


def test_csv_rows_with_too_many_fields(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "tokens,tags\nAda,O\nAda,O,more\n")
    with pytest.raises(
        DataError, match=r"a\.csv: not a CSV file that can be read: .*Expected 2 fields in line 3, saw 3"
    ):
        load(path)


def test_csv_columns_need_no_names_but_those_that_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "\n,tokens,tags,\n0,Ada sat,B-PER O,\n1,she,O,\n")
    assert [(sentence.words, sentence.tags) for sentence in load(path).sentences] == [
        (("Ada", "sat"), ("B-PER", "O")),
        (("she",), ("O",)),
    ]


@pytest.mark.parametrize("depth", [600, 200_000])
def test_a_json_line_that_is_nested_too_deep(tmp_path: Path, depth: int) -> None:
    deep = '{"tokens": ["Eve"], "ner_tags": ["O"], "x": ' + "[" * depth + "]" * depth + "}\n"
    path = written(tmp_path / "a.jsonl", lines(row((["Ada"], ["B-PER"]))) + deep)
    if depth == 600:  # nothing that Python's parser minds
        assert [sentence.words for sentence in load(path).sentences] == [("Ada",), ("Eve",)]
        return
    with pytest.raises(DataError, match=r"a\.jsonl:2: not valid JSON: nested too deep: '{\"tokens\""):
        load(path)


def test_a_file_without_one_line_that_can_be_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"tokens": ["Ada"], "tags": ["O"], "x": ' + "1" * 5000 + "}\nnone\n")
    with pytest.raises(DataError, match=r"a\.jsonl:1: not valid JSON: Exceeds the limit"):
        load(path)
