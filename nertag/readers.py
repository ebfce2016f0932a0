"""Sections of lines in; passages out.

A line ends at a line feed, with or without a carriage return before it, and neither is part of the passage; every other
separator is white space inside the line. A byte order mark at the start of a file is dropped, and offsets count code
points of what remains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nertag.config import InputFormat
from nertag.errors import InputError, NertagError
from nertag.sections import Section, lines_of, numbered
from nertag.text import DOCSTART, Passage, split_words

_Passages = Iterator[Passage]


def parse(section: Section, skipped: list[NertagError] | None = None) -> _Passages:
    """Read the passages of a section.

    Args:
        section: The section.
        skipped: Takes what is wrong with lines and rows that are left out; None to stop at the first of them.

    Returns:
        The passages, in order.

    Raises:
        InputError: If a line does not hold what the section's kind says, after the passages before it.
    """
    report = _refuse if skipped is None else skipped.append
    if section.kind in _PARSERS:
        return _PARSERS[section.kind](section, report)
    from nertag import objects

    return objects.parse(section, report)


def _refuse(error: InputError) -> None:
    """Stop at a fault.

    Raises:
        InputError: Always.
    """
    raise error


def _blank_lines(section: Section) -> int:
    """Return how many blank lines directly precede a section, at most two."""
    return max(section.before.count("\n") - 1, 0)


# --- Passages ---------------------------------------------------------------------------------------------------------


def _read_text(section: Section, _: _Report) -> _Passages:
    """Read running text: every line is a passage."""
    alone, by_paragraphs = section.document == "line", section.document == "paragraph"
    starts = section.line == 1 or alone or _blank_lines(section) > 0
    lines = lines_of(section)
    unended = 0 if section.text.endswith("\n") else section.line + len(lines) - 1
    for number, line in enumerate(lines, section.line):
        text = line.removesuffix("\r")
        ending = line[len(text) :] + ("" if number == unended else "\n")
        words = split_words(text)
        yield Passage(text, words, starts, source=section.source, line=number, ending=ending)
        starts = alone or (by_paragraphs and not words)


def _read_tokens(section: Section, _: _Report) -> _Passages:
    """Read sentences of tokens, one a line; an empty line or `-DOCSTART-` parts documents and is an empty passage."""
    alone = section.document == "line"
    starts = alone or section.line == 1 or _blank_lines(section) > 0 or not _words_of(section.before)
    for number, line in numbered(section):
        words = _words_of(line)
        yield _sentence(words, starts or not words, section.source, number)
        starts = alone or not words


def _words_of(line: str) -> list[str]:
    """Return the tokens of a line; `-DOCSTART-` has none."""
    words = line.split()
    return [] if words[:1] == [DOCSTART] else words


def _read_conll(section: Section, report: _Report) -> _Passages:
    """Read sentences, one token a line in the first column; two empty lines or `-DOCSTART-` part documents."""
    alone, source = section.document == "line", section.source
    words: list[str] = []
    empty = _blank_lines(section)
    starts = alone or section.line == 1 or empty > 1 or not _words_of(section.before) or _is_bad(section.before)
    first, left_out = section.line, False
    for number, line in numbered(section):
        try:
            word = _first_column(line, source, number)
        except InputError as error:
            report(error)
            left_out = True
            continue
        if word and word != DOCSTART:
            first = first if words else number
            words.append(word)
            empty, left_out = 0, False
            continue
        if words:
            yield _sentence(words, starts, source, first)
            words, starts = [], alone
        empty += 1
        starts = starts or empty > 1 or left_out  # Nobody knows what was left out at the end of a sentence.
        if word:
            yield Passage(DOCSTART, (), True, ends_sentence=True, source=source, line=number)
            starts, empty, left_out = True, 0, False
    if words:
        yield _sentence(words, starts, source, first)


def _is_bad(line: str) -> bool:
    """Whether a line has no token where there should be one."""
    return line.startswith("\t") and not line.isspace()


def _first_column(line: str, source: str, number: int) -> str:
    """Return a line's token; nothing for an empty line.

    Raises:
        InputError: If the line has columns, but no token.
    """
    if not line.strip():
        return ""
    if "\t" not in line:
        return line.split(None, 1)[0]
    word = line.partition("\t")[0]
    if not word:
        raise InputError("the first column, which holds the token, is empty", path=source, line=number)
    return word


def _sentence(words: list[str], starts: bool, source: str, line: int) -> Passage:
    """Return a passage for a sentence of tokens, its text being the tokens with single spaces between them."""
    return Passage(" ".join(words), words, starts, ends_sentence=True, source=source, line=line)


_Report = Callable[[InputError], None]
_PARSERS: dict[InputFormat, Callable[[Section, _Report], _Passages]] = {
    "text": _read_text,
    "tokens": _read_tokens,
    "conll": _read_conll,
}
