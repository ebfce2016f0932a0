"""The front door: declares commands and options; each body imports its command and calls it.

Exit codes:
    0: All done. A pipe that is closed (`| head`) ends the work as well.
    1: Nothing could be done: something in all of the input, a model, a setting or the output is wrong; standard error
        says what and where.
    2: Wrong usage: an unknown option, a missing argument.
    3: Some inputs of `tag` failed, and the others are done; standard error names each, and so does `--report`.
    130: Interrupted by Ctrl-C.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from nertag import __version__
from nertag.config import DecodingErrors, DocumentUnit, InputFormat, OutputFormat
from nertag.errors import NertagError
from nertag.labels import Scheme

_DEFAULT_MODEL = "en-person"
_MOST_WORKERS = 512  # Far more than help, and few enough that the system bears them.


_OUR_TABLE = re.compile(rb"""\btool\b["'\s]*(?:\.["'\s]*nertag|\]|=)""")


def _settings_files() -> list[str]:
    """Return the settings files in force, the weakest first.

    They are those of the nearest folder that has any, from the current one upwards to the root of a repository.
    """
    try:
        folder = os.getcwd()
    except OSError:  # It has been removed.
        return []
    while True:
        found = [os.path.join(folder, name) for name in ("pyproject.toml", "nertag.toml")]
        files = [file for file in found if os.path.isfile(file) and (file == found[1] or _has_our_table(file))]
        above = os.path.dirname(folder)
        if files or above == folder or os.path.exists(os.path.join(folder, ".git")):
            return files
        folder = above


def _has_our_table(file: str) -> bool:
    """Whether a pyproject.toml may have settings for us: most have none, and reading TOML takes time."""
    try:
        with open(file, "rb") as stream:
            content = stream.read()
    except OSError:
        return False
    return b"nertag" in content and _OUR_TABLE.search(content) is not None


def _value_of(parameter: Any, ctx: Any, value: Any) -> Any:  # noqa: ANN401 - Typer keeps its classes to itself
    """Return an option's value as its annotation wants it, after its callback.

    What needs no more than a look is done here. Everything else, complaints among it, is left to Typer. Its release
    0.29 asks pydantic, which takes longer to load than all else that a command line needs (80 ms of 340, measured).
    """
    done, converted = _converted(parameter, value)
    if not done:
        return type(parameter).process_value(parameter, ctx, value)
    return parameter.callback(ctx, parameter, converted) if parameter.callback else converted


def _converted(parameter: Any, value: Any) -> tuple[bool, Any]:  # noqa: ANN401 - as above
    """Return whether an option's value could be converted without Typer, and what it became."""
    annotation = parameter.type_descriptor.annotation
    several = parameter.multiple or parameter.nargs == -1
    if value is None:
        return not parameter.required, () if several else None
    if several:
        return annotation == list[str] and all(type(item) is str for item in value), list(value)
    if annotation in (str, bool):
        return type(value) is annotation, value
    if annotation in (int, float):
        try:
            number = annotation(value)
        except ValueError:
            return False, None
        return _within(number, parameter.min, parameter.max), number
    return value in (parameter.type_descriptor.choices or ()), value


def _within(number: float, least: float | None, most: float | None) -> bool:
    """Whether a number is in a range; what is no number is in none."""
    return (least is None or number >= least) and (most is None or number <= most) and number == number


def _prepare(parameters: list[Any]) -> list[Any]:
    """Let `_value_of` convert options and arguments, and help name no types: `PATH`, not `PATH <list[str]>`."""
    for parameter in parameters:
        if hasattr(parameter, "type_descriptor"):  # Typer 0.27 needs no help.
            parameter.process_value = partial(_value_of, parameter)
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = _no_type
    return parameters


def _no_type(ctx: typer.Context) -> None:
    """Return nothing for what help says of a type."""


class _Quick:
    """Makes a command, or a group of them, quick."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - as above
        """Return the options and arguments."""
        return _prepare(super().get_params(ctx))  # type: ignore[misc]


class _Command(_Quick, typer.core.TyperCommand):
    """A command that starts quickly."""


class _Configured(_Command):
    """A command whose options may also come from settings files and variables; without any, no time goes into them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer keeps its class to itself
        """Parse the command line, with the settings as defaults."""
        files = [] if ctx.resilient_parsing else _settings_files()
        if ctx.resilient_parsing or not (files or any(name.startswith("NERTAG_") for name in os.environ)):
            return super().parse_args(ctx, args)
        from nertag import settings

        with settings.applied(ctx, files, args):
            return super().parse_args(ctx, args)


class _Commands(_Quick, typer.core.TyperGroup):
    """The commands; `train`, with an option for every setting, is made when it is called or listed."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - Typer keeps its class of contexts to itself
        """Return the names of all commands, in the order of a model's life."""
        return ["train", "evaluate", "tag", "info", "models"]

    def get_command(self, ctx: Any, name: str) -> Any:  # noqa: ANN401 - and its class of commands
        """Return a command, or None if there is none of that name."""
        if name != "train":
            return super().get_command(ctx, name)
        from nertag.train_options import train_app

        command = typer.main.get_command(train_app())
        _prepare(command.params)
        return command


# Plain help: rich takes longer to import than all of Typer, and would wrap the examples.
app = typer.Typer(
    name="nertag",
    cls=_Commands,
    help="Find person names in text.",
    epilog="\b\nExample:\n  nertag tag --text 'Harry Potter and Hermione Granger invented a new spell'",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _complete_model(incomplete: str) -> list[str]:
    """Return the shipped models that a word may become; the shell itself completes folders."""
    from nertag.model_folder import shipped_names

    return [name for name in shipped_names() if name.startswith(incomplete)]


_MODEL_HELP = "A shipped model's name, a model folder or a Hub id."
Model = Annotated[str, typer.Option("--model", "-m", metavar="MODEL", help=_MODEL_HELP, autocompletion=_complete_model)]


def _print_version(wanted: bool) -> None:
    """Print the version and leave.

    Raises:
        Exit: If it was asked for.
    """
    if wanted:
        typer.echo(f"nertag {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find person names in text."""


def _check_threshold(value: float | None) -> float | None:
    """Return the threshold if it is one.

    Raises:
        BadParameter: If it is none.
    """
    if value is not None and not 0 < value < 1:
        raise typer.BadParameter(f"it must be more than 0 and less than 1, not {value}.")
    return value


def _check_replacement(value: str | None) -> str | None:
    """Return the replacement if it can be written: bytes that are not UTF-8 reach us as halves of surrogate pairs.

    Raises:
        BadParameter: If it cannot.
    """
    if value is not None and any("\ud800" <= char <= "\udfff" for char in value):
        raise typer.BadParameter(f"it is not UTF-8: {ascii(value)}.")
    return value


_TAG_EXAMPLES = """\b
Examples:
  nertag tag --text 'Harry Potter and Hermione Granger invented a new spell'
  nertag tag --format jsonl book.txt > book.jsonl
  nertag tag --format jsonl --glob '*.txt' letters --output tagged/
  nertag tag --format redact --threshold 0.05 letter.txt
  tail -f chat.log | nertag tag --document line --format jsonl
"""


@app.command(epilog=_TAG_EXAMPLES, cls=_Configured)
def tag(
    ctx: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Files to tag, or folders of them; - or nothing is standard input."),
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", "-t", metavar="TEXT", help="Tag this text instead of files.")
    ] = None,
    model: Model = _DEFAULT_MODEL,
    input_format: Annotated[
        InputFormat | None,
        typer.Option(
            "--input",
            "-i",
            metavar="KIND",
            show_default="what the file's name says",
            help="text: running text, answered line by line; tokens: a sentence a line, split at white space; jsonl: "
            "objects with 'text' or 'tokens'; conll: a token a line, in the first column; csv, parquet: rows with a "
            "column 'text'.",
        ),
    ] = None,
    text_field: Annotated[
        str | None,
        typer.Option(
            "--text-field",
            metavar="NAME",
            show_default="text",
            help="jsonl, csv, parquet: the field with the text; a.b is the field b of the object a.",
        ),
    ] = None,
    output_format: Annotated[
        OutputFormat | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            show_default="pretty on a terminal, labels otherwise",
            help="labels: a line of 1 and 0 for every line of text or tokens, every object, or every conll sentence; "
            "tags: the same as IOB2; conll: token TAB tag; jsonl: tokens, tags and mentions with offsets and "
            "probabilities; csv, parquet: a row for every name, or for every object; markup: the text with "
            "<PER>…</PER>; redact, pseudonyms: the text without its names; names: a list of them; html: a page; "
            "pretty: the names highlighted.",
        ),
    ] = None,
    document: Annotated[
        DocumentUnit,
        typer.Option(
            "--document",
            help="file: a line is read in the light of those around it; paragraph: in that of those between two empty "
            "lines; line: every line stands alone, as in logs and chats.",
        ),
    ] = "file",
    encoding: Annotated[
        str,
        typer.Option(
            "--encoding",
            metavar="NAME",
            help="How the bytes spell the text: a name such as windows-1252, or auto to guess. A byte order mark is "
            "seen without it.",
        ),
    ] = "utf-8",
    errors: Annotated[
        DecodingErrors,
        typer.Option(
            "--errors", help="Bytes that cannot be decoded: strict: stop; replace: put U+FFFD there and count them."
        ),
    ] = "strict",
    skip_bad_rows: Annotated[
        bool,
        typer.Option("--skip-bad-rows", help="Leave out and count lines and rows that cannot be read, do not stop."),
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            metavar="P",
            callback=_check_threshold,
            show_default="the likeliest tags",
            help="Take for a part of a name what is one with at least this probability, more than 0 and less than 1: "
            "0.05 misses fewer names and finds more that are none.",
        ),
    ] = None,
    replacement: Annotated[
        str | None,
        typer.Option(
            "--replacement",
            metavar="TEXT",
            callback=_check_replacement,
            show_default="[PERSON]",
            help="redact: what to write in place of a name.",
        ),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option(
            "--mapping",
            metavar="FILE",
            help="pseudonyms: write to this file whom they stand for; read it first if it is there.",
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="pseudonyms: make them from the names with the secret in this file; nothing is kept.",
        ),
    ] = None,
    made_up_names: Annotated[
        bool, typer.Option("--made-up-names", help="pseudonyms: write made-up names instead of PERSON_1.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="names: write JSON.")] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-j",
            metavar="N",
            min=1,
            max=_MOST_WORKERS,
            show_default="one per core for large inputs, one for small ones",
            help="Tag in that many processes; the results are the same.",
        ),
    ] = None,
    globs: Annotated[
        list[str] | None,
        typer.Option(
            "--glob",
            metavar="PATTERN",
            help="Of folders, tag only files whose name is like *.txt, or whose path is like letters/**/*.txt; may be "
            "repeated. Hidden files are never among them.",
        ),
    ] = None,
    files_from: Annotated[
        str | None,
        typer.Option(
            "--files-from", metavar="FILE", help="Tag the files listed there, one a line; - is standard input."
        ),
    ] = None,
    null: Annotated[
        bool, typer.Option("--null", "-0", help="NUL ends each path of --files-from, as find -print0 writes them.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            show_default="standard output",
            help="A file for all results, or a folder that gets one for each input: what is one or ends with /, or is "
            "not there yet, has no extension, and folders are tagged. There, what is done and has not changed is not "
            "done again.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Do again what is done, and write over files that nertag did not write.")
    ] = False,
    report: Annotated[
        str | None,
        typer.Option("--report", metavar="FILE", help="Write there as JSON what became of every input."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show no progress and no summary, only what is wrong.")
    ] = False,
    show_settings: Annotated[
        bool, typer.Option("--show-settings", help="Show what is in force and where it comes from, and exit.")
    ] = False,
) -> None:
    """Find person names in files, standard input or a text."""
    if show_settings:
        from nertag import settings

        return settings.show(ctx)
    from nertag.commands import tag as command

    if text is not None:
        _refuse_files(paths, {"--files-from": files_from, "--report": report})
    if null and files_from is None:
        raise typer.BadParameter("only --files-from has a use for it.", param_hint="--null")
    _refuse_idle_options(ctx, output_format)
    if key is not None and (mapping is not None or made_up_names):
        other = "--mapping" if mapping is not None else "--made-up-names"
        raise typer.BadParameter(f"it and {other} exclude each other.", param_hint="--key")
    code = command.tag(
        paths or [],
        text=text,
        model=model,
        input_format=input_format,
        output_format=output_format,
        document=document,
        text_field=text_field,
        encoding=encoding,
        errors=errors,
        skip_bad_rows=skip_bad_rows,
        threshold=threshold,
        replacement=replacement,
        mapping=mapping,
        key=key,
        made_up_names=made_up_names,
        json_output=json_output,
        workers=workers,
        files_from=files_from,
        null=null,
        globs=globs or [],
        output=output,
        force=force,
        report=report,
        quiet=quiet,
    )
    if code:
        raise typer.Exit(code)


_OF_ONE_FORMAT = {
    "replacement": "redact",
    "mapping": "pseudonyms",
    "key": "pseudonyms",
    "made_up_names": "pseudonyms",
    "json_output": "names",
}


def _refuse_idle_options(ctx: typer.Context, output_format: OutputFormat | None) -> None:
    """Refuse options on the command line that the format has no use for.

    Raises:
        BadParameter: If there is one.
    """
    for option in ctx.command.params:
        kind = _OF_ONE_FORMAT.get(option.name or "", output_format)
        source = ctx.get_parameter_source(option.name or "")
        if kind != output_format and source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"only --format {kind} has a use for it.", param_hint=option.opts[0])


def _refuse_files(paths: list[str] | None, options: dict[str, str | None]) -> None:
    """Refuse files beside --text, and options that are for files alone.

    Raises:
        BadParameter: If there are any.
    """
    if paths:
        raise typer.BadParameter(f"a text and a file, {paths[0]!r}, exclude each other.", param_hint="--text")
    for option, value in options.items():
        if value is not None:
            raise typer.BadParameter(f"it and {option} exclude each other.", param_hint="--text")


_EVALUATE_EXAMPLES = """\b
Examples:
  nertag evaluate test.conll
  nertag evaluate --json --model models/mine conll2003 > scores.json
"""


@app.command(epilog=_EVALUATE_EXAMPLES, cls=_Command)
def evaluate(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE", help="Files or folders with gold tags, or Hub ids, org/name:config@revision."),
    ],
    model: Model = _DEFAULT_MODEL,
    json_output: Annotated[bool, typer.Option("--json", help="Write one JSON object instead of a table.")] = False,
    split: Annotated[
        str, typer.Option("--split", metavar="NAME", help="The split of each data set to score on.")
    ] = "test",
    tokens_column: Annotated[
        str | None,
        typer.Option(
            "--tokens-column", metavar="NAME", help="The column with the tokens, if its name does not say so."
        ),
    ] = None,
    tags_column: Annotated[
        str | None, typer.Option("--tags-column", metavar="NAME", help="The column with the gold tags, likewise.")
    ] = None,
    scheme: Annotated[
        Scheme | None, typer.Option("--scheme", help="The scheme of the gold tags, if it is not to be recognised.")
    ] = None,
    person_labels: Annotated[
        list[str] | None,
        typer.Option("--person-label", metavar="LABEL", help="A further label that means a person; may be repeated."),
    ] = None,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Leave out and count malformed rows instead of stopping.")
    ] = False,
) -> None:
    """Score a model on text with gold tags: precision, recall and F1."""
    from nertag.commands import evaluate as command

    command.evaluate(
        sources,
        model=model,
        split=split,
        json_output=json_output,
        tokens_column=tokens_column,
        tags_column=tags_column,
        scheme=scheme,
        person_labels=person_labels or [],
        skip_bad_rows=skip_bad_rows,
    )


_INFO_EXAMPLES = """\b
Examples:
  nertag info
  nertag info --json models/mine
"""


@app.command(epilog=_INFO_EXAMPLES, cls=_Command)
def info(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help=_MODEL_HELP, autocompletion=_complete_model)
    ] = _DEFAULT_MODEL,
    json_output: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False,
) -> None:
    """Show what a model is: labels, licence, size, scores."""
    from nertag.commands import info as command

    command.info(model, json_output=json_output)


@app.command(cls=_Command)
def models(json_output: Annotated[bool, typer.Option("--json", help="Write one JSON list.")] = False) -> None:
    """List the models that are installed."""
    from nertag.commands import info as command

    command.models(json_output=json_output)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; None takes those of the process.

    Returns:
        The exit code.

    Raises:
        OSError: If one comes that no command explains, which is a bug.
    """
    from nertag.console import PipeClosedError, abandon_stdout, report

    try:
        app(None if argv is None else list(argv), prog_name="nertag")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except PipeClosedError:
        return 0
    except NertagError as error:
        report(error)
        return 1
    except OSError as error:
        if not _is_typers(error):
            raise
        abandon_stdout()
        report(NertagError(f"standard output cannot be written: {error.strerror}"))
        return 1
    return 0


def _is_typers(error: OSError) -> bool:
    """Whether an error comes from Typer's own writing: of help, the version or a completion, as on a full disk."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and error.filename is None and place.tb_frame.f_globals["__name__"].startswith("typer.")
