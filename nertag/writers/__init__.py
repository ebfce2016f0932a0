"""Tagged passages in; what `nertag tag` writes out, in a dozen formats.

Every format has a renderer and a sink, as `base` says. What a format needs is imported when it is chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nertag.config import OutputFormat
from nertag.text import TaggedPassage
from nertag.writers.base import OutputSettings, Renderer, Sink
from nertag.writers.lines import ConllWriter, json_line, labels_line, tags_line
from nertag.writers.pretty import PrettyWriter

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "OutputSettings",
    "Renderer",
    "Sink",
    "joins",
    "make_renderer",
    "make_sink",
    "read_key",
]

_LINES: dict[OutputFormat, Renderer] = {"labels": labels_line, "tags": tags_line, "jsonl": json_line}


def joins(settings: OutputSettings) -> bool:
    """Whether the pieces of a format are text that can be joined before it reaches the sink."""
    if settings.kind == "csv":
        return not settings.objects
    if settings.kind == "pseudonyms":
        return settings.key is not None
    return settings.kind in _LINES or settings.kind in ("markup", "redact")


def make_renderer(settings: OutputSettings) -> Renderer:
    """Return the first half of a format: from a tagged passage to a piece. It remembers nothing."""
    if settings.kind in _LINES:
        return _LINES[settings.kind]
    if settings.kind in ("markup", "redact", "pseudonyms"):
        return _replacing_renderer(settings)
    if settings.kind in ("csv", "parquet"):
        from nertag.writers import table

        if settings.objects:
            return table.object_row
        return table.csv_lines if settings.kind == "csv" else table.mention_rows
    if settings.kind == "names":
        from nertag.writers.listing import find

        return find
    if settings.kind == "html":
        from nertag.writers.page import show

        return show
    return _unchanged


def read_key(path: str) -> bytes:
    """Read the secret key of keyed pseudonyms.

    Returns:
        The file's bytes.

    Raises:
        ConfigError: If it cannot be read, or is too short or too long to be a key.
    """
    from nertag.writers import mapping

    return mapping.read_key(path)


def _replacing_renderer(settings: OutputSettings) -> Renderer:
    """Return the renderer of a format that gives the text back."""
    from nertag.writers import replaced

    if settings.kind == "markup":
        return replaced.markup
    if settings.kind == "redact":
        return replaced.Redactor(settings.replacement)
    if settings.key is None:
        return replaced.cut
    from nertag.writers.pseudonyms import KeyedWriter

    return KeyedWriter(settings.key)


def _unchanged(tagged: TaggedPassage) -> TaggedPassage:
    """Leave the writing of a passage to where those before it are known."""
    return tagged


def make_sink(settings: OutputSettings, console: Callable[[], Console]) -> Sink:
    """Return the second half of a format: from pieces to what is written, with nothing written yet.

    Args:
        settings: The format.
        console: Makes the console that `pretty` draws with; not called for anything else.

    Raises:
        ConfigError: If a mapping of names cannot be read, or is none.
        MissingExtraError: If the format needs a package that is not installed.
    """
    if settings.kind == "pretty":
        return _WriterSink(PrettyWriter(console()))
    if settings.kind == "conll":
        return _WriterSink(ConllWriter())
    if settings.kind in ("csv", "parquet"):
        return _table_sink(settings)
    if settings.kind == "names":
        from nertag.writers.listing import NamesSink

        return NamesSink(settings.json)
    if settings.kind == "html":
        from nertag.writers.page import PageSink

        return PageSink()
    if settings.kind == "pseudonyms" and settings.key is None:
        from nertag.writers.pseudonyms import PseudonymSink

        return PseudonymSink(settings.mapping, settings.made_up_names)
    return Sink()


def _table_sink(settings: OutputSettings) -> Sink:
    """Return the sink of a table.

    Raises:
        MissingExtraError: If the format needs a package that is not installed.
    """
    from nertag.writers import table

    if settings.kind == "parquet":
        table.require_parquet()
        return table.ParquetSink(bool(settings.objects))
    return table.CsvSink() if settings.objects else table.CsvHead()


class _WriterSink(Sink):
    """Writes tagged passages with a function that remembers what it wrote.

    Args:
        write: From a tagged passage to its text.
    """

    def __init__(self, write: Callable[[TaggedPassage], str]) -> None:
        self._write = write

    def write(self, piece: Any) -> str:  # noqa: ANN401 - as in all sinks
        """Return one passage."""
        return self._write(piece)
