"""`nertag tag`: find person names in text."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence

from nertag import console, readers, sources, writers
from nertag.charset import UTF8, check_encoding
from nertag.config import DecodingErrors, DocumentUnit, InputFormat, OutputFormat
from nertag.errors import ConfigError, NertagError
from nertag.notices import Notices
from nertag.pipeline import SectionResult
from nertag.sections import ReadSettings
from nertag.workers import Job, count_cores, tag_sections

_LARGE = 1 << 22
"""Bytes of input from which on it pays to start other processes."""


def tag(
    paths: Sequence[str],
    *,
    text: str | None,
    model: str,
    input_format: InputFormat | None,
    output_format: OutputFormat | None,
    document: DocumentUnit,
    text_field: str | None = None,
    encoding: str = UTF8,
    errors: DecodingErrors = "strict",
    skip_bad_rows: bool = False,
    threshold: float | None = None,
    replacement: str | None = None,
    mapping: str | None = None,
    key: str | None = None,
    made_up_names: bool = False,
    json_output: bool = False,
    workers: int | None = None,
) -> None:
    """Tag files, standard input or a literal text, and write the results to standard output as they are done.

    Args:
        paths: Files; `-` or none at all is standard input.
        text: The literal text; None to read `paths`.
        model: A shipped model's name, a model folder or a Hub id.
        input_format: What the input is; None to tell by the ending of each file's name.
        output_format: What to write; None chooses `pretty` on a terminal and `labels` otherwise.
        document: What one document is.
        text_field: The field or column with the text; None for `text`.
        encoding: The inputs' encoding, or `auto`.
        errors: Whether what cannot be decoded is a fault or replaced.
        skip_bad_rows: Whether to leave out lines and rows that cannot be read.
        threshold: The least probability, 0 to 1, at which a token is put into a mention; None for the likeliest tags.
        replacement: What `redact` writes for every name; None for `[PERSON]`.
        mapping: The file in which `pseudonyms` keeps whom they stand for; None for none.
        key: The file with the secret that `pseudonyms` are made with; None for numbers.
        made_up_names: Whether `pseudonyms` are made-up names.
        json_output: Whether `names` writes JSON.
        workers: How many processes tag; None for one per core if the input is large, and one otherwise.

    Raises:
        NertagError: If an input or the model cannot be read, or the output cannot be written. What was read before the
            fault has been tagged and written then.
        ConfigError: If the format cannot be written as asked.
    """
    sources.check(paths)
    readers.check_text_field(text_field)
    reading = ReadSettings(input_format, document, text_field, check_encoding(encoding), errors, skip_bad_rows)
    paths = paths or [sources.STDIN]
    results = console.Results()
    settings = writers.OutputSettings(
        kind=output_format or default_format(),
        objects=sources.have_fields([] if text is not None else paths, reading),
        replacement=replacement,
        mapping=mapping,
        key=writers.read_key(key) if key is not None else None,
        made_up_names=made_up_names,
        json=json_output,
    )
    if settings.kind == "parquet" and console.results_are_seen():
        raise ConfigError("a Parquet file is nothing to show on a terminal", hint="Write it to a file: > names.parquet")
    sink = writers.make_sink(settings, console.draw_results)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy has too little to do to start threads for it.
    if text is not None:
        sections, size = sources.read_literal(text, reading), 0
    else:
        sections, size = sources.read(paths, reading), sources.size_of(paths)
    # ONNX Runtime and the model come after everything that can be wrong with the options.
    tagged = tag_sections(Job(model, threshold, settings), sections, workers or count_cores(), _alone(workers, size))
    if text is None:
        _invite(paths)
    try:
        for piece in _outputs(tagged, sink):
            if piece is None:
                results.flush()
            elif isinstance(piece, bytes):
                results.write_bytes(piece)
            else:
                results.write(piece)
        results.flush()
    finally:
        sink.close()


def _alone(workers: int | None, size: int) -> int:
    """Return how many code points to tag before workers are started, if they are to be at all.

    Args:
        workers: How many there shall be; None to judge by the size of the input.
        size: The input's bytes, as far as it is known.
    """
    return 0 if workers or size >= _LARGE else _LARGE


def _outputs(results: Iterable[SectionResult | None], sink: writers.Sink) -> Iterator[str | bytes | None]:
    """Say what is to be written; None after what belongs together, which may appear.

    Yields:
        Text or bytes, and None.

    Raises:
        NertagError: If the input has a fault, after what was before it.
    """
    fault: NertagError | None = None
    notices = Notices()
    yield sink.begin()
    try:
        for result in results:
            if result is None:
                continue
            if result.notices:
                notices.add(*result.notices)
            for piece in result.pieces:
                yield sink.write(piece)
            yield None
            if result.fault:
                raise result.fault
    except NertagError as error:
        fault = error
    yield from sink.finish()
    yield None
    notices.finish()
    if fault:
        raise fault


def default_format() -> OutputFormat:
    """Return the format for whoever reads standard output: a person or a program."""
    return "pretty" if console.results_are_seen() else "labels"


def _invite(paths: Sequence[str]) -> None:
    """Say what we are waiting for when that is somebody at a keyboard."""
    if (not paths or sources.STDIN in paths) and sys.stdin is not None and sys.stdin.isatty():
        console.note("reading from the terminal; Ctrl-D on a line of its own ends the text")
