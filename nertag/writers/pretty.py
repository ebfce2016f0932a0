"""Tagged passages in; text highlighted for a terminal out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nertag.labels import PERSON
from nertag.text import Mention, TaggedPassage
from nertag.writers.base import is_marker

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# A terminal would obey control characters in the text: they become the pictures that Unicode has for them.
VISIBLE = str.maketrans(
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
        if is_marker(tagged.passage):
            return ""
        # A line's end inside the text, of lines that share a name, is no picture; offsets stay.
        text = tagged.passage.text.replace("\r\n", " \n").translate(VISIBLE)
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
