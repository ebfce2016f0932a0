"""`nertag tag`: find person names in text."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from nertag import console, sources, writers
from nertag.charset import UTF8, check_encoding
from nertag.config import DecodingErrors, DocumentUnit, InputFormat, OutputFormat
from nertag.errors import ConfigError
from nertag.notices import Notices
from nertag.pipeline import Marker, SectionResult
from nertag.run import Run, Single
from nertag.sections import ReadSettings
from nertag.workers import Job, count_cores, tag_sections

_ALONE = 1 << 22
"""Code points that are tagged in this process before others are started, if nobody says how many."""


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
    files_from: str | None = None,
    null: bool = False,
    globs: Sequence[str] = (),
    output: str | None = None,
    force: bool = False,
    report: str | None = None,
    quiet: bool = False,
) -> int:
    """Tag files, folders, standard input or a literal text, and write the results as they are done.

    Args:
        paths: Files and folders; `-` or nothing at all is standard input.
        text: The literal text; None to read `paths`.
        model: A shipped model's name, a model folder or a Hub id.
        input_format: What the input is; None to tell by the ending of each file's name.
        output_format: What to write; None chooses `pretty` on a terminal and `labels` otherwise.
        document: What one document is.
        text_field: The field or column with the text; None for `text`.
        encoding: The inputs' encoding, or `auto`.
        errors: Whether what cannot be decoded is a fault or replaced.
        skip_bad_rows: Whether to leave out lines and rows that cannot be read.
        threshold: The least probability at which a token is put into a mention, more than 0 and less than 1; None for
            the likeliest tags.
        replacement: What `redact` writes for every name; None for `[PERSON]`.
        mapping: The file in which `pseudonyms` keeps whom they stand for; None for none.
        key: The file with the secret that `pseudonyms` are made with; None for numbers.
        made_up_names: Whether `pseudonyms` are made-up names.
        json_output: Whether `names` writes JSON.
        workers: How many processes tag; None for one per core if the input is large, and one otherwise.
        files_from: A file with a list of further files; `-` is standard input, None is none.
        null: Whether NUL ends each path of the list.
        globs: Patterns of which a file in a folder has to match one; none lets all through.
        output: A file, or a folder that gets a file for each input; None is standard output.
        force: Whether results that are there are made again.
        report: The file for a report; None for none.
        quiet: Whether nothing but faults is told.

    Returns:
        The exit code.

    Raises:
        NertagError: If nothing can be begun with, or the output cannot be written. What is wrong with one input is
            told, and the others are tagged.
        ConfigError: If the format cannot be written as asked.
    """
    if text_field is not None:
        from nertag import objects

        objects.check_text_field(text_field)
    to_stdout = output is None or output == sources.STDIN
    listed = None if files_from == sources.STDIN else files_from
    _check_apart(
        {
            "--output": None if to_stdout else output,
            "--report": report,
            "--mapping": mapping,
            "--key": key,
            "--files-from": listed,
        }
    )
    reading = ReadSettings(input_format, document, text_field, check_encoding(encoding), errors, skip_bad_rows)
    settings = writers.OutputSettings(
        kind=output_format or (default_format() if to_stdout else "labels"),
        objects=sources.have_fields([], reading),
        replacement=replacement,
        mapping=mapping,
        key=writers.read_key(key) if key is not None else None,
        made_up_names=made_up_names,
        json=json_output,
    )
    if settings.kind == "parquet" and to_stdout and console.results_are_seen():
        raise ConfigError("a Parquet file is nothing to show on a terminal", hint="Write it to a file: > names.parquet")
    if settings.kind == "pretty" and not to_stdout:
        raise ConfigError("--format pretty is for terminals", hint="For a file there is --format html.")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy has too little to do to start threads for it.
    job = Job(model, threshold, settings)
    if text is not None:
        return _tag_text(job, text, reading, None if to_stdout else output, workers)
    from nertag.commands.tag_files import Files, tag_files

    files = Files(paths, files_from, null, globs, None if to_stdout else output, force, report, quiet, key)
    return tag_files(job, reading, files, workers)


def _check_apart(files: Mapping[str, str | None]) -> None:
    """Check that no option names the file of another.

    Raises:
        ConfigError: If one does, or names none.
    """
    given = {option: path for option, path in files.items() if path is not None}
    if given:
        from nertag.outputs import check_apart

        check_apart(given)


def _tag_text(job: Job, text: str, reading: ReadSettings, output: str | None, workers: int | None) -> int:
    """Tag a text from the command line.

    Args:
        job: What is to be done with it.
        text: The text.
        reading: How it is read.
        output: A file; None is standard output.
        workers: How many processes tag, as for `tag`.

    Returns:
        The exit code.

    Raises:
        ConfigError: If the output is a folder.
        NertagError: If the model cannot be loaded, or the output cannot be written.
    """
    if output is None:
        single = Single(writers.make_sink(job.settings, console.draw_results), console.Results())
    else:
        from nertag.outputs import NewFile

        if os.path.isdir(output):
            raise ConfigError("a text has no name for a result in a folder", hint="Name a file.", path=output)
        single = Single(writers.make_sink(job.settings, console.draw_results), NewFile(output))

    def results() -> Iterator[SectionResult | Marker | None]:
        # ONNX Runtime and the model come after everything that can be wrong with the options.
        sections = sources.read_literal(text, reading)
        yield from tag_sections(job, sections, workers or count_cores(), 0 if workers else _ALONE)

    def notice(result: SectionResult) -> None:
        if result.notices:
            notices.add(*result.notices)

    notices = Notices()
    run = Run(single, console.report, notice=notice)
    run.take(results())
    notices.finish()
    return 1 if run.has_fault else 0


def default_format() -> OutputFormat:
    """Return the format for whoever reads standard output: a person or a program."""
    return "pretty" if console.results_are_seen() else "labels"
