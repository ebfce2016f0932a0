"""Write the manual page from the command line's own help: `python docs/make_man.py`, whenever a help text changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from nertag import cli
from nertag._version import __version__

PAGE = Path(__file__).with_name("nertag.1")

ENVIRONMENT = {
    "NERTAG_MODEL, NERTAG_FORMAT, …": "A setting of tag: NERTAG_ and the option's name in capitals, with _ for -.",
    "NO_COLOR": "Set to anything: no colours.",
    "FORCE_COLOR": "Set to anything: colours even where no terminal is.",
    "COLUMNS": "How wide the terminal is, if it does not say so itself.",
    "TERM": "dumb: plain text without colours or moving lines.",
    "HF_HOME, HF_TOKEN, HF_HUB_OFFLINE": "Where the Hub's files are kept, who asks for them, and whether only what is "
    "kept is used.",
}
FILES = {
    "nertag.toml": "Settings of tag, by the names of its options without dashes. The nearest folder that has one "
    "counts, from the current one upwards to the root of a repository.",
    "pyproject.toml": "The same in the table [tool.nertag]; nertag.toml beside it wins.",
    ".nertag.jsonl, .nertag.lock": "In an output folder: what is finished there, and whether a run is writing to it.",
}


def page() -> str:
    """Return the manual page."""
    return "\n".join(line for line in _lines() if line) + "\n"


def _lines() -> Iterator[str]:
    """Yield the lines of the page."""
    root: Any = typer.main.get_command(cli.app)
    context = root.make_context("nertag", [], resilient_parsing=True)
    commands = {name: root.get_command(context, name) for name in root.list_commands(context)}
    contexts = {
        name: command.make_context(name, [], parent=context, resilient_parsing=True)
        for name, command in commands.items()
    }
    yield f'.TH NERTAG 1 "" "nertag {__version__}" "User Commands"'
    yield ".SH NAME"
    yield f"nertag \\- {_roff(_sentence(root.help))}"
    yield ".SH SYNOPSIS"
    for name, inner in contexts.items():
        yield ".br"
        yield f"\\fBnertag {name}\\fR {_roff(' '.join(commands[name].collect_usage_pieces(inner)))}"
    yield ".SH DESCRIPTION"
    yield from _list({f"nertag {name}": command.help for name, command in commands.items()})
    yield ".SH OPTIONS"
    yield from _options(context)
    for name, command in commands.items():
        yield f'.SH "{_roff(f"nertag {name}".upper())}"'
        yield _roff(command.help)
        yield from _options(contexts[name])
        yield from _examples(command.epilog or "")
    yield ".SH ENVIRONMENT"
    yield from _list(ENVIRONMENT)
    yield ".SH FILES"
    yield from _list(FILES)
    yield '.SH "EXIT STATUS"'
    yield from _list(exit_codes())


def exit_codes() -> dict[str, str]:
    """Return the exit codes with what they mean, from the docstring of the command line."""
    section = (cli.__doc__ or "").partition("Exit codes:\n")[2]
    entries = re.findall(r"^    (\d+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {code: " ".join(text.split()).replace("`", "") for code, text in entries}


def _options(context: typer.Context) -> Iterator[str]:
    """Yield the arguments and options of a command with their help."""
    records = (parameter.get_help_record(context) for parameter in context.command.get_params(context))
    yield from _list(dict(record for record in records if record))


def _examples(epilog: str) -> Iterator[str]:
    """Yield the examples that end a command's help."""
    head, *examples = [line.strip() for line in epilog.replace("\b", "").strip().splitlines()] or [""]
    if examples:
        yield ".PP"
        yield _roff(head)
        yield ".nf"
        for example in examples:
            yield ".RS"
            yield _roff(example)
            yield ".RE"
        yield ".fi"


def _list(entries: dict[str, str]) -> Iterator[str]:
    """Yield terms, each with its description."""
    for term, text in entries.items():
        yield ".TP"
        yield f"\\fB{_roff(term)}\\fR"
        yield _roff(text)


def _sentence(text: str) -> str:
    """Return a sentence as the names of manual pages want it."""
    return text[:1].lower() + text[1:].rstrip(".")


def _roff(text: str) -> str:
    """Return text that roff takes as it stands, in one line."""
    text = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("'", "\\(aq")
    text = "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in text)
    return f"\\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
