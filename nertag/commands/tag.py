"""`nertag tag`: find person names in text."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nertag import console, pipeline, sources, writers
from nertag.config import DocumentUnit, InputFormat, OutputFormat
from nertag.text import TaggedPassage


def tag(
    paths: Sequence[str],
    *,
    text: str | None,
    model: str,
    input_format: InputFormat,
    output_format: OutputFormat | None,
    document: DocumentUnit,
) -> None:
    """Tag files, standard input or a literal text, and write the results to standard output as they are done.

    Args:
        paths: Files; `-` or none at all is standard input.
        text: The literal text; None to read `paths`.
        model: A shipped model's name, a model folder or a Hub id.
        input_format: What the input is.
        output_format: What to write; None chooses `pretty` on a terminal and `labels` otherwise.
        document: What one document is.

    Raises:
        NertagError: If an input or the model cannot be read, or the output cannot be written. What was read before the
            fault has been tagged and written then.
    """
    sources.check(paths)
    results = console.Results()
    kind = output_format or default_format()
    write = writers.make_writer(kind, console.draw_results)
    joins = kind in ("labels", "tags", "jsonl")
    from nertag import tagger  # ONNX Runtime and the model come after everything that can be wrong with the options.

    loaded = tagger.load(model)
    if text is not None:
        sections = sources.read_literal(text, input_format, document)
    else:
        _invite(paths)
        sections = sources.read(paths or [sources.STDIN], input_format, document)
    for section in sections:
        if section is None:
            continue
        result = pipeline.tag_section(loaded, section, write if joins else _unchanged, join=joins)
        for piece in result.pieces:
            results.write(piece if joins else write(piece))
        results.flush()
        if result.fault:
            raise result.fault


def _unchanged(tagged: TaggedPassage) -> TaggedPassage:
    """Leave the writing of a passage to where those before it are known."""
    return tagged


def default_format() -> OutputFormat:
    """Return the format for whoever reads standard output: a person or a program."""
    return "pretty" if console.results_are_seen() else "labels"


def _invite(paths: Sequence[str]) -> None:
    """Say what we are waiting for when that is somebody at a keyboard."""
    if (not paths or sources.STDIN in paths) and sys.stdin is not None and sys.stdin.isatty():
        console.note("reading from the terminal; Ctrl-D on a line of its own ends the text")
