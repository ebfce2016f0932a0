"""Tagged passages in; the same text with its mentions marked or replaced out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nertag.json_text import put
from nertag.text import TaggedPassage
from nertag.writers.base import is_marker, noun
from nertag.writers.lines import encode, join_fields

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_NOT_IN_A_TAG = re.compile(r"[^\w.-]")


class Parts(NamedTuple):
    """A passage cut at its mentions.

    Attributes:
        between: What stands before, between and after the mentions: one more than there are mentions.
        names: Label and text of each mention.
        fields: The JSON object the passage came from, as in `Passage`.
        ending: What ended its line.
        place: Where among the fields the text stands, as in `Passage`.
    """

    between: Sequence[str]
    names: Sequence[tuple[str, str]]
    fields: Mapping[str, str] | None
    ending: str
    place: Sequence[str] = ()

    def joined(self, replacements: Sequence[str]) -> str:
        """Return the passage with these in place of its mentions: a JSON object if it was one, else text.

        Of an object's fields, those that could repeat the mentions, such as `tokens`, are left out.
        """
        pieces = [text for pair in zip(self.between, replacements, strict=False) for text in pair]
        text = "".join(pieces) + self.between[-1]
        if self.fields is None:
            return text + self.ending
        if not self.place:
            return join_fields(self.fields, [("text", text)])
        if not self.names and not text:  # A null stays one.
            return join_fields(self.fields, ())
        name, *inner = self.place
        return join_fields({**self.fields, name: put(self.fields[name], inner, encode(text))}, ())


def cut(tagged: TaggedPassage) -> Parts | None:
    """Cut a passage at its mentions; None for a marker, of which no text is left."""
    passage = tagged.passage
    if is_marker(passage):
        return None
    between: list[str] = []
    names: list[tuple[str, str]] = []
    position = 0
    for mention in tagged.mentions():
        between.append(passage.text[position : mention.start])
        names.append((mention.label, mention.text))
        position = mention.end
    return Parts([*between, passage.text[position:]], names, passage.fields, passage.ending, passage.place)


def markup(tagged: TaggedPassage) -> str:
    """Return the text with `<PER>` and `</PER>` around every mention; `&`, `<` and `>` of its own are escaped.

    Who takes the tags out and undoes the escapes has the text back, every character of it.
    """
    parts = cut(tagged)
    if parts is None:
        return ""
    escaped = parts._replace(between=[text.translate(_ESCAPES) for text in parts.between])
    tags = [(_tag_name(label), text.translate(_ESCAPES)) for label, text in parts.names]
    return escaped.joined([f"<{name}>{text}</{name}>" for name, text in tags])


def _tag_name(label: str) -> str:
    """Return a label as XML allows it in a tag."""
    name = _NOT_IN_A_TAG.sub("_", label)
    return name if name[0].isalpha() or name[0] == "_" else f"_{name}"


class Redactor:
    """Writes the text with a replacement in place of every mention.

    Args:
        replacement: What to write; None for `[PERSON]`, or the label in brackets where it is no person's.
    """

    def __init__(self, replacement: str | None = None) -> None:
        self._replacement = replacement

    def __call__(self, tagged: TaggedPassage) -> str:
        """Return one passage."""
        parts = cut(tagged)
        return "" if parts is None else parts.joined([self._for(label) for label, _ in parts.names])

    def _for(self, label: str) -> str:
        """Return what is written for a mention."""
        return f"[{noun(label)}]" if self._replacement is None else self._replacement
