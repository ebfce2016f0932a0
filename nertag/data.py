"""A local file, a folder or a Hugging Face dataset in; checked sentences out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nertag.columns import Columns, RawRow, RowError, align_span, find_columns, labels_of, read_rows
from nertag.errors import ConfigError, DataError
from nertag.hub import WELL_KNOWN, hub_files, parse_hub_id
from nertag.labels import (
    OUTSIDE,
    PERSON,
    Scheme,
    Span,
    TagError,
    detect_scheme,
    spans_of,
    split_tag,
    tags_from,
    to_iob2,
)
from nertag.splits import SPLIT_WORDS, folder_files, stem_of
from nertag.tables import DataFile, Table, kind_of, read_table, shortened

# What corpora call a label, compared without case, spaces, `_` and `-`; any other label only matches itself.
LABEL_NAMES: Mapping[str, frozenset[str]] = {
    PERSON: frozenset({"per", "pers", "person", "persons", "people", "personname"}),
    "ORG": frozenset({"org", "organization", "organisation", "corporation", "company"}),
    "LOC": frozenset({"loc", "location", "place"}),
    "MISC": frozenset({"misc", "miscellaneous"}),
}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with a tag for every token.

    Attributes:
        words: Its tokens, at least one.
        tags: Strict IOB2 with the labels that were asked for; everything else is `O`.
        starts_document: Whether a document starts with it.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    starts_document: bool


@dataclass(frozen=True, slots=True)
class Corpus:
    """The sentences of one split of one source.

    Attributes:
        name: A short name for tables.
        sentences: In their order.
        skipped: Malformed rows that were dropped.
    """

    name: str
    sentences: tuple[Sentence, ...]
    skipped: int


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a corpus is to be read.

    Attributes:
        labels: The labels to keep, under the names that they get.
        tokens_column: The column of tokens or text; None to find it.
        tags_column: The column of tags or spans; None to find it.
        scheme: The scheme of the tags; None to recognise it.
        person_labels: More names for a person in the corpus, whatever their case.
        skip_bad_rows: Whether malformed rows are dropped and counted, not an error.
    """

    labels: tuple[str, ...] = (PERSON,)
    tokens_column: str | None = None
    tags_column: str | None = None
    scheme: Scheme | None = None
    person_labels: tuple[str, ...] = ()
    skip_bad_rows: bool = False


@dataclass(slots=True)
class _BadRows:
    """What becomes of malformed rows: the first is raised, or all are counted."""

    skip: bool
    count: int = 0
    first: DataError | None = None

    def add(self, table: Table, row: int, error: RowError) -> None:
        """Raise or count a malformed row.

        Raises:
            DataError: If it must not be skipped.
        """
        hint = error.hint or "--skip-bad-rows leaves such rows out."
        located = table.error(error.message, row, error.token, hint=hint)
        if not self.skip:
            raise located from None
        self.count += 1
        self.first = self.first or located


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of one table whose form is right."""

    table: Table
    columns: Columns
    rows: list[RawRow] = field(default_factory=list)


def load_corpus(source: str, split: str, options: ReadOptions, say: Say) -> Corpus:
    """Load one split of a corpus.

    Args:
        source: A file, which is taken whole for any split; a folder; or a Hub id, `owner/name[:config][@revision]`.
        split: `train`, `validation` or `test`.
        options: How to read it.
        say: Prints a notice for the user.

    Returns:
        The corpus, with at least one sentence.

    Raises:
        DataError: If the source is not there, cannot be read, is malformed or has none of the labels asked for.
        ConfigError: If the options contradict each other.
    """
    if options.person_labels and not any(_is_name_of(PERSON, label) for label in options.labels):
        named, asked = ", ".join(options.person_labels), ", ".join(options.labels)
        raise ConfigError(f"{named} is named as a person label, but the labels asked for are {asked}")
    bad = _BadRows(options.skip_bad_rows)
    parts = [_read_part(file, options, bad) for file in _find_files(source, split, say)]
    sentences = _convert(source, parts, options, bad, say)
    if bad.first is not None:
        place = bad.first.path if bad.first.line is None else f"{bad.first.path}:{bad.first.line}"
        say(f"{source}: left out {bad.count} malformed {_rows(bad.count)}, the first at {place}: {bad.first.message}")
    if not sentences:
        raise DataError("no sentences in it", path=source)
    return Corpus(corpus_name(source), tuple(sentences), bad.count)


def _rows(count: int) -> str:
    """Return "row" or "rows"."""
    return "row" if count == 1 else "rows"


# --- Sources ----------------------------------------------------------------------------------------------------------


def check_source(source: str) -> None:
    """Check that a source can be one before anything heavy is loaded: it is there, or has the form of a Hub id.

    Raises:
        DataError: If it is neither.
    """
    if not source.strip():
        raise DataError(f"{source!r} names no file, folder or dataset")
    path = Path(source)
    if path.exists() or _split_config(source) is not None:
        return
    looks_local = kind_of(source) is not None or source.startswith((".", "~", "/")) or source.count("/") > 1
    if looks_local or parse_hub_id(source) is None:
        known = ", ".join(WELL_KNOWN)
        raise DataError(
            "no such file or folder",
            hint=None if looks_local else f"A dataset on the Hub is owner/name; known without an owner: {known}.",
            path=source,
        )


def _split_config(source: str) -> tuple[Path, str] | None:
    """Read `folder:config`, where the folder has a dataset card; None for anything else."""
    folder, colon, config = source.rpartition(":")
    return (Path(folder), config) if colon and config and Path(folder).is_dir() else None


def _find_files(source: str, split: str, say: Say) -> list[DataFile]:
    """Return the files of a split, downloaded if need be.

    Raises:
        DataError: If there are none.
    """
    check_source(source)
    path = Path(source)
    if path.is_file():
        return [DataFile(path, source)]
    folder, config = (path, None) if path.is_dir() else _split_config(source) or (None, None)
    if folder is not None:
        files, left_out = folder_files(folder, config, split, str(folder))
        if left_out:
            say(f"{source}: {split} is {', '.join(file.path.name for file in files)}; left out: {', '.join(left_out)}")
        return files
    hub_source = parse_hub_id(source)
    assert hub_source is not None, "check_source lets nothing else through"
    return hub_files(hub_source, split, say)


def corpus_name(source: str) -> str:
    """Return a short name for a source: the folder's or file's own, with its folder where it only names a split."""
    if not Path(source).exists():
        return source
    path = Path(source).resolve()
    name = path.name if path.is_dir() else stem_of(path)
    names_split = any(name.lower() in words for words in SPLIT_WORDS.values())
    return f"{path.parent.name}/{name}" if names_split and path.parent.name else name


# --- Rows -------------------------------------------------------------------------------------------------------------


def _read_part(file: DataFile, options: ReadOptions, bad: _BadRows) -> _Part:
    """Read the rows of one file."""
    table = read_table(file)
    if not table.names:
        return _Part(table, Columns("", "", None))
    part = _Part(table, find_columns(table, options.tokens_column, options.tags_column))
    part.rows.extend(read_rows(table, part.columns, lambda row, error: bad.add(table, row, error)))
    return part


def _convert(source: str, parts: Sequence[_Part], options: ReadOptions, bad: _BadRows, say: Say) -> list[Sentence]:
    """Bring all rows to strict IOB2 with the labels asked for."""
    rows = [row for part in parts for row in part.rows]
    spelling, scheme = _spelling(source, rows, parts, options, say)
    parts = [_respelled(part, spelling, bad) for part in parts]
    rows = [row for part in parts for row in part.rows]
    scheme = options.scheme or scheme or detect_scheme(tags for tags in _distinct(rows))
    names = (name for part in parts for name in part.table.class_names.get(part.columns.tags, ()))
    declared = [spelling.get(name, name) for name in names]
    label_map = _label_map(source, labels_of(rows, declared), options, say)
    return [sentence for part in parts for sentence in _sentences(part, scheme, label_map, bad)]


def _distinct(rows: Iterable[RawRow]) -> list[tuple[str, ...]]:
    """Return every different sequence of tags but those without a mention."""
    return [tags for tags in {tuple(row.tags) for row in rows if row.tags} if any(tag != OUTSIDE for tag in tags)]


def _spelling(
    source: str, rows: Sequence[RawRow], parts: Sequence[_Part], options: ReadOptions, say: Say
) -> tuple[dict[str, str], Scheme | None]:
    """Say how tags without a scheme's letters are to be spelt: a bare `PER` is `I-PER` of the scheme `io`.

    0 and 1 stand for outside and inside, if just one label is asked for.

    Returns:
        The new spelling of the tags that need one, and the scheme if they determine it.

    Raises:
        DataError: If tags are numbers that nothing explains.
    """
    used = {tag for row in rows for tag in row.tags or ()}
    if used and used <= {"0", "1"} and len(options.labels) == 1:
        say(f"{source}: tags are 0 and 1; 1 is read as {options.labels[0]}, and adjacent 1s as one mention")
        return {"0": OUTSIDE, "1": f"I-{options.labels[0]}"}, "io"
    if any(row.numbers for row in rows):
        part = next(part for part in parts if any(row.numbers for row in part.rows))
        raise DataError(
            f"tags in column {part.columns.tags!r} are numbers without names",
            hint="Store the tags' names, or as Parquet with a ClassLabel feature.",
            path=part.table.shown,
        )
    if options.scheme in (None, "io") and not any(_has_letter(tag) for tag in used if tag != OUTSIDE):
        bare = {tag: f"I-{tag}" for tag in used if tag != OUTSIDE and tag.strip()}
        return bare, "io" if bare else None
    return {}, None


def _has_letter(tag: str) -> bool:
    """Whether a tag has a scheme's letter before its label."""
    try:
        split_tag(tag)
    except ValueError:
        return False
    return True


def _respelled(part: _Part, spelling: Mapping[str, str], bad: _BadRows) -> _Part:
    """Return a part with the tags spelt anew, without the rows that have an unknown tag."""
    result = _Part(part.table, part.columns)
    known: dict[str, bool] = {}
    for row in part.rows:
        tags = row.tags if row.tags is None or not spelling else [spelling.get(tag, tag) for tag in row.tags]
        unknown = None
        for token, tag in enumerate(tags or ()):
            if tag not in known:
                known[tag] = tag == OUTSIDE or _has_letter(tag)
            if not known[tag]:
                unknown = RowError(f"{tag!r} is no tag of IOB1, IOB2, BIOES, BILOU or IO: {_around(row, token)}", token)
                break
        if unknown:
            bad.add(part.table, row.index, unknown)
        else:
            result.rows.append(row if tags is row.tags else _with_tags(row, tags))
    return result


def _with_tags(row: RawRow, tags: Sequence[str] | None) -> RawRow:
    """Return a row with other tags."""
    return RawRow(row.index, row.words, tags, row.numbers, row.text, row.spans, row.starts_document)


def _around(row: RawRow, token: int) -> str:
    """Quote the token in question with its neighbours."""
    return shortened(" ".join(row.words[max(0, token - 2) : token + 3]))


def _sentences(part: _Part, scheme: Scheme, names: Mapping[str, str], bad: _BadRows) -> list[Sentence]:
    """Convert the rows of a part, and let the document of a row that is left out start with the next one."""
    sentences = []
    pending = False
    for row in part.rows:
        pending |= row.starts_document
        try:
            tags = _tags_of(row, scheme, names)
        except RowError as error:
            bad.add(part.table, row.index, error)
            continue
        sentences.append(Sentence(tuple(row.words), tags, pending))
        pending = False
    return sentences


def _tags_of(row: RawRow, scheme: Scheme, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tags of a row in strict IOB2 with the labels asked for.

    Raises:
        RowError: If the scheme does not allow its tags, or its spans cannot be laid on its tokens.
    """
    if row.tags is None:
        spans = [Span(*align_span(span, row), names[span.label]) for span in row.spans if span.label in names]
        try:
            return tuple(tags_from(spans, len(row.words)))
        except ValueError:
            raise RowError(f"spans overlap: {shortened(row.text)}", hint=None) from None
    if all(tag == OUTSIDE for tag in row.tags):
        return tuple(row.tags)
    try:
        tags = to_iob2(row.tags, scheme)
    except TagError as error:
        hint = None
        if scheme == "iob2":
            hint = "Is this an IOB1 file? Say so with --scheme iob1; --skip-bad-rows leaves such rows out."
        raise RowError(f"{error.message}: {_around(row, error.index)}", error.index, hint) from None
    kept = (Span(start, end, names[label]) for start, end, label in spans_of(tags) if label in names)
    return tuple(tags_from(kept, len(tags)))


# --- Labels -----------------------------------------------------------------------------------------------------------


def _plain(label: str) -> str:
    """Return a label as it is compared."""
    return "".join(sign for sign in label.casefold() if sign not in " _-")


def _is_name_of(wanted: str, label: str) -> bool:
    """Whether a label of a corpus means the wanted one."""
    plain, target = _plain(label), _plain(wanted)
    return plain == target or any(plain in names and target in names for names in LABEL_NAMES.values())


def _label_map(source: str, labels: Iterable[str], options: ReadOptions, say: Say) -> dict[str, str]:
    """Return the name that each label of a corpus gets, for those that are asked for.

    Raises:
        DataError: If the corpus has labels, but none of those.
    """
    persons = {_plain(label) for label in options.person_labels}
    labels = list(labels)
    names: dict[str, str] = {}
    for wanted in options.labels:
        is_person = _is_name_of(PERSON, wanted)
        for label in labels:
            if _is_name_of(wanted, label) or (is_person and _plain(label) in persons):
                names.setdefault(label, wanted)
    missing = [wanted for wanted in options.labels if wanted not in names.values()]
    there = f"Labels: {', '.join(labels)}."
    if labels and not names:
        person = " Name those that mean a person with --person-label." if PERSON in missing else ""
        raise DataError(f"no label means {' or '.join(missing)}", hint=there + person, path=source)
    if names and missing:
        say(f"{source}: no label means {' or '.join(missing)}, so its tokens count as O. {there}")
    return names
