"""Tagged passages in; labels, tags, CoNLL columns, JSON Lines or highlighted text out.

A writer is a function from a tagged passage to the text to be written for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nertag.config import OutputFormat
from nertag.labels import OUTSIDE, PERSON
from nertag.text import DOCSTART, Mention, Passage, TaggedPassage

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Writer = Callable[[TaggedPassage], str]


def make_writer(kind: OutputFormat, console: Callable[[], Console]) -> Writer:
    """Return a new writer, with nothing written yet.

    Args:
        kind: What it writes.
        console: Makes the console that `pretty` draws with; not called for anything else.
    """
    if kind == "pretty":
        return PrettyWriter(console())
    if kind == "conll":
        return ConllWriter()
    return {"labels": labels_line, "tags": tags_line, "jsonl": json_line}[kind]


def _is_marker(passage: Passage) -> bool:
    """Whether a passage only says that a document starts, as `-DOCSTART-` in CoNLL input: it gets no answer."""
    return not passage.words and passage.text == DOCSTART and passage.fields is None


# --- One line per passage ---------------------------------------------------------------------------------------------


def labels_line(tagged: TaggedPassage) -> str:
    """Return a line of 1 and 0, one for each token."""
    tags = tagged.tags
    if not tags:
        return "" if _is_marker(tagged.passage) else "\n"
    if tags.count(OUTSIDE) == len(tags):
        return "0 " * (len(tags) - 1) + "0\n"
    return " ".join(["0" if tag == OUTSIDE else "1" for tag in tags]) + "\n"


def tags_line(tagged: TaggedPassage) -> str:
    """Return a line of IOB2 tags, one for each token."""
    return "" if _is_marker(tagged.passage) else " ".join(tagged.tags) + "\n"


_encode = json.JSONEncoder(ensure_ascii=False).encode


def json_line(tagged: TaggedPassage) -> str:
    """Return a JSON object: the fields that came with the passage as they were, then our own."""
    passage = tagged.passage
    if _is_marker(passage):
        return ""
    own: dict[str, Any] = {
        "text": passage.text,
        "tokens": list(passage.words),
        "labels": tagged.labels,
        "tags": list(tagged.tags),
        "mentions": [_mention_fields(mention) for mention in tagged.mentions()],
    }
    members = [f"{_encode(name)}: {value}, " for name, value in (passage.fields or {}).items()]
    return "{" + "".join(members) + _encode(own)[1:] + "\n"


def _mention_fields(mention: Mention) -> dict[str, Any]:
    """Return a mention as a JSON object, its probability rounded to four places."""
    return {
        "start": mention.start,
        "end": mention.end,
        "token_start": mention.token_start,
        "token_end": mention.token_end,
        "text": mention.text,
        "label": mention.label,
        "score": round(mention.score, 4),
    }


# --- Columns ----------------------------------------------------------------------------------------------------------

# A token from JSON may hold what would end a line or a column.
_SEPARATORS = str.maketrans(dict.fromkeys("\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029", " "))


class ConllWriter:
    """Writes token TAB tag, an empty line after every passage and a second one between documents.

    Passages without tokens are left out; `-DOCSTART-` stays where it was: CoNLL input and output have the same lines.
    """

    def __init__(self) -> None:
        self._anything = False
        self._due = False

    def __call__(self, tagged: TaggedPassage) -> str:
        """Return the lines of one passage."""
        passage = tagged.passage
        if _is_marker(passage):
            self._anything = self._due = False
            return f"{DOCSTART}\t{OUTSIDE}\n\n"
        self._due |= passage.starts_document and self._anything
        if not passage.words:
            return ""
        border = "\n" if self._due else ""
        self._anything, self._due = True, False
        rows = [f"{word.translate(_SEPARATORS)}\t{tag}\n" for word, tag in zip(passage.words, tagged.tags, strict=True)]
        return f"{border}{''.join(rows)}\n"


# --- For the eye ------------------------------------------------------------------------------------------------------

# A terminal would obey control characters in the text: they become the pictures that Unicode has for them.
_VISIBLE = str.maketrans(
    {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"}
    | {0x7F: "\u2421"}
    | dict.fromkeys(range(0x80, 0xA0), "\ufffd")
)
_STYLES = ("bold magenta", "bold cyan", "bold green", "bold yellow", "bold blue", "bold red")


class PrettyWriter:
    """Writes the text with its mentions highlighted, or in brackets where nothing can be highlighted.

    Each label gets a colour when it first occurs. Lines are not wrapped, and control characters are shown, not sent.

    Args:
        console: What draws; its settings decide about colours.
    """

    def __init__(self, console: Console) -> None:
        from rich.text import Text

        self._console = console
        self._new_text = Text
        self._styles: dict[str, str] = {}

    def __call__(self, tagged: TaggedPassage) -> str:
        """Return one passage, drawn."""
        if _is_marker(tagged.passage):
            return ""
        text = tagged.passage.text.translate(_VISIBLE)
        if self._console.color_system is None:
            return _bracketed(text, tagged.mentions()) + "\n"
        drawn = self._new_text(text)
        for mention in tagged.mentions():
            drawn.stylize(self._style(mention.label), mention.start, mention.end)
        return self._draw(drawn)

    def _style(self, label: str) -> str:
        """Return the style of a label: the same from its first mention on."""
        return self._styles.setdefault(label, _STYLES[len(self._styles) % len(_STYLES)])

    def _draw(self, drawn: Text) -> str:
        """Return what the console would write."""
        with self._console.capture() as capture:
            self._console.print(drawn, soft_wrap=True)
        return capture.get()


def _bracketed(text: str, mentions: list[Mention]) -> str:
    """Put mentions into brackets, with their label unless they are persons."""
    parts: list[str] = []
    position = 0
    for mention in mentions:
        label = "" if mention.label == PERSON else f" {mention.label}"
        parts += text[position : mention.start], f"[{text[mention.start : mention.end]}{label}]"
        position = mention.end
    return "".join(parts) + text[position:]
