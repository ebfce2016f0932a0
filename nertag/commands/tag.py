"""`nertag tag`: find person names in text."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from nertag import console, readers, writers
from nertag.config import DocumentUnit, InputFormat, OutputFormat
from nertag.errors import NertagError
from nertag.text import Passage


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
    readers.check(paths)
    results = console.Results()
    write = writers.make_writer(output_format or default_format(), console.draw_results)
    from nertag import tagger  # ONNX Runtime and the model come after everything that can be wrong with the options.

    loaded = tagger.load(model)
    if text is not None:
        passages = readers.read_literal(text, input_format, document)
    else:
        _invite(paths)
        passages = readers.read(paths or [readers.STDIN], input_format, document)
    faults: list[NertagError] = []
    for tagged in loaded.tag_passages(_feed(passages, results, faults)):
        results.write(write(tagged))
    results.flush()
    if faults:
        raise faults[0]


def default_format() -> OutputFormat:
    """Return the format for whoever reads standard output: a person or a program."""
    return "pretty" if console.results_are_seen() else "labels"


def _feed(
    passages: Iterator[Passage | None], results: console.Results, faults: list[NertagError]
) -> Iterator[Passage | None]:
    """Pass passages on to the tagger; when it asks for more, the results of its last batch are complete and may appear.

    A fault in the input ends the stream, so that the tagger finishes what it has; the fault is kept for the end.

    Yields:
        What comes.
    """
    try:
        for passage in passages:
            yield passage
            results.flush()
    except NertagError as fault:
        faults.append(fault)


def _invite(paths: Sequence[str]) -> None:
    """Say what we are waiting for when that is somebody at a keyboard."""
    if (not paths or readers.STDIN in paths) and sys.stdin is not None and sys.stdin.isatty():
        console.note("reading from the terminal; Ctrl-D on a line of its own ends the text")
