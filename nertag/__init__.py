"""nertag finds person names in text.

>>> import nertag
>>> tagger = nertag.load()
>>> [mention.text for mention in tagger.tag("Harry Potter and Hermione Granger invented a new spell")]
['Harry Potter', 'Hermione Granger']

Importing the package loads nothing but its version; ONNX Runtime comes with the first `load`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nertag._version import __version__

if TYPE_CHECKING:
    from nertag.errors import NertagError
    from nertag.tagger import Tagger, load
    from nertag.text import Mention, Passage, TaggedPassage

__all__ = ["Mention", "NertagError", "Passage", "TaggedPassage", "Tagger", "__version__", "load"]

_HOMES = {
    "Mention": "nertag.text",
    "NertagError": "nertag.errors",
    "Passage": "nertag.text",
    "TaggedPassage": "nertag.text",
    "Tagger": "nertag.tagger",
    "load": "nertag.tagger",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the names have different types, which type checkers see above
    """Import a public name when it is first asked for.

    Returns:
        What the name stands for.

    Raises:
        AttributeError: If there is no such name.
    """
    if name not in _HOMES:
        raise AttributeError(f"module 'nertag' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, whether they have been imported or not."""
    return sorted({*globals(), *__all__})
