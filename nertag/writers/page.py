"""Tagged passages in; one self-contained HTML page out: the text with its names highlighted, and a list of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from nertag.labels import PERSON
from nertag.sources import LITERAL, STDIN
from nertag.text import Mention, TaggedPassage
from nertag.writers.base import Sink, is_marker
from nertag.writers.listing import NameEntry, NameList
from nertag.writers.pretty import VISIBLE

_COLOURS = 6

# The list stands after the text in the page, which is written as the text comes, and before it on the screen. The page
# runs no scripts and loads nothing: its policy forbids both.
_HEAD = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="generator" content="nertag">
<title>Names in the text</title>
<style>
:root { color-scheme: light dark; --page: #ffffff; --ink: #1d2125; --quiet: #5b636b; --line: #d9dde1; --panel: #f5f6f8;
  --link: #0b57a4; --ring: #b3261e; --m0: #ffe48a; --m1: #bfe6ff; --m2: #c9f0c1; --m3: #ffd0c2; --m4: #e3d4ff;
  --m5: #d5ded9; }
@media (prefers-color-scheme: dark) {
  :root { --page: #15181b; --ink: #e4e7ea; --quiet: #a0a8b0; --line: #363c42; --panel: #1d2125; --link: #8cc4ff;
    --ring: #ff9d94; --m0: #5c4700; --m1: #0d4a6b; --m2: #1f5220; --m3: #6b2d1a; --m4: #49327a; --m5: #3a4741; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); display: grid; min-height: 100vh;
  grid-template: "names text" auto / 19rem minmax(0, 1fr); font: 1.0625rem/1.65 Georgia, "Times New Roman", serif; }
main { grid-area: text; padding: 2rem clamp(1rem, 5vw, 4rem) 50vh; }
nav { grid-area: names; position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1.25rem;
  background: var(--panel); border-right: 1px solid var(--line); font: 0.9375rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.125rem; margin: 0; }
h2 { font: 600 0.9375rem/1.5 system-ui, sans-serif; color: var(--quiet); margin: 0 0 1rem; overflow-wrap: anywhere; }
section + section { margin-top: 3rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
.text { max-width: 42rem; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; tab-size: 4; }
mark { background: var(--m0); color: inherit; border-radius: 0.2em; padding: 0.05em 0.15em; scroll-margin-top: 33vh; }
mark a { color: inherit; text-decoration: none; }
mark a:hover { text-decoration: underline; }
.m1 { background: var(--m1); } .m2 { background: var(--m2); } .m3 { background: var(--m3); }
.m4 { background: var(--m4); } .m5 { background: var(--m5); }
:target { outline: 2px solid var(--ring); outline-offset: 1px; }
nav p, nav small, summary { color: var(--quiet); }
nav p { margin: 0.25rem 0 1rem; }
nav ol { list-style: none; margin: 0; padding: 0; }
nav li { padding: 0.25rem; border-radius: 0.2rem; overflow-wrap: anywhere; }
nav a { color: var(--link); text-decoration: none; }
nav a:hover, nav a:focus-visible { text-decoration: underline; }
nav li > a { font-weight: 600; }
summary { cursor: pointer; font-size: 0.8125rem; }
details a { display: inline-block; min-width: 1.75em; padding: 0 0.25em; font-variant-numeric: tabular-nums; }
@media (max-width: 46rem) {
  body { grid-template: "names" auto "text" auto / minmax(0, 1fr); }
  nav { position: static; height: auto; max-height: 45vh; border-right: 0; border-bottom: 1px solid var(--line); }
}
@media print { body { display: block; } nav { position: static; height: auto; } main { padding-bottom: 2rem; } }
</style>
</head>
<body>
<main>
"""


class Shown(NamedTuple):
    """What the page shows of a passage, everything escaped but the names' texts.

    Attributes:
        source: The file it comes from.
        line: Its line.
        between: What stands before, between and after the mentions: one more than there are mentions.
        mentions: Label, text and probability of each.
    """

    source: str
    line: int
    between: list[str]
    mentions: list[tuple[str, str, float]]


def show(tagged: TaggedPassage) -> Shown | None:
    """Return what the page shows of a passage; None for a marker."""
    passage = tagged.passage
    if is_marker(passage):
        return None
    mentions: list[Mention] = tagged.mentions()
    starts = [0, *(mention.end for mention in mentions)]
    ends = [*(mention.start for mention in mentions), len(passage.text)]
    between = [_shown(passage.text[start:end]) for start, end in zip(starts, ends, strict=True)]
    between[-1] += "\n"
    found = [(mention.label, mention.text, mention.score) for mention in mentions]
    return Shown(passage.source, passage.line, between, found)


def _shown(text: str) -> str:
    """Return text as the page spells it; control characters, which HTML forbids, become pictures of them."""
    return escape(text.replace("\r\n", "\n").translate(VISIBLE))


class PageSink(Sink):
    """Writes the page as the text comes, the list of names at its end.

    What it remembers grows with the number of different names and by a few bytes for every mention.
    """

    def __init__(self) -> None:
        self._names = NameList()
        self._places: dict[int, tuple[NameEntry, array[int]]] = {}
        self._numbers: dict[int, int] = {}
        self._colours: dict[str, int] = {}
        self._source: str | None = None
        self._mentions = 0
        self._files = 0

    def begin(self) -> str:
        """Return the page up to its first text."""
        return _HEAD

    def write(self, piece: Shown | None) -> str:
        """Return one passage, and the heading of its file before the first of it."""
        if piece is None:
            return ""
        parts = [self._heading(piece.source)]
        for before, (label, text, score) in zip(piece.between, piece.mentions, strict=False):
            parts += before, self._mark(piece, label, text, score)
        return "".join(parts) + piece.between[-1]

    def finish(self) -> Iterator[str]:
        """Yield the list of names and the end of the page."""
        yield "" if self._source is None else "</div></section>\n"
        entries = self._names.ranked()
        yield (
            f'</main>\n<nav aria-label="Names">\n<h1>Names</h1>\n<p>{_counted(len(entries), "name")}, '
            f"{_counted(self._mentions, 'mention')}, {_counted(self._files, 'file')}</p>\n<ol>\n"
        )
        for entry in entries:
            yield self._item(entry)
        yield "</ol>\n</nav>\n</body>\n</html>\n"

    def _heading(self, source: str) -> str:
        """Return the end of one file's text and the start of another's, where that is."""
        if source == self._source:
            return ""
        end = "" if self._source is None else "</div></section>\n"
        self._source = source
        self._files += 1
        title = {STDIN: "standard input", LITERAL: "text"}.get(source, source)
        return f'{end}<section><h2>{_shown(title)}</h2>\n<div class="text" dir="auto">'

    def _mark(self, piece: Shown, label: str, text: str, score: float) -> str:
        """Return a mention, highlighted, with a link to its name in the list."""
        self._mentions += 1
        entry = self._names.add(label, text, piece.source, piece.line)
        known = self._places.setdefault(id(entry), (entry, array("I")))
        known[1].append(self._mentions)
        number = self._numbers.setdefault(id(entry), len(self._numbers) + 1)
        colour = self._colours.setdefault(label, len(self._colours) % _COLOURS)
        style = f' class="m{colour}"' if colour else ""
        title = f"{_shown(label)} {score:.2f}"
        return f'<mark id="m{self._mentions}"{style} title="{title}"><a href="#n{number}">{_shown(text)}</a></mark>'

    def _item(self, entry: NameEntry) -> str:
        """Return a name of the list, with links to its mentions."""
        places = self._places[id(entry)][1]
        label = "" if entry.label == PERSON else f" <small>{_shown(entry.label)}</small>"
        links = " ".join(f'<a href="#m{place}">{index}</a>' for index, place in enumerate(places, start=1))
        details = f"\n<details><summary>{len(places)} mentions</summary>{links}</details>" if len(places) > 1 else ""
        number = self._numbers[id(entry)]
        return f'<li id="n{number}"><a href="#m{places[0]}">{_shown(entry.name)}</a>{label}{details}</li>\n'


def _counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
