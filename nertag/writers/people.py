"""Names in; who is meant out: one number for each person, all through a run.

The rule, in the order in which it is tried:

1. A name that was met before is the person it was then, unless it is a bare one (see 3). Case, white space, titles
   (*Dr*, *Ms.*, *Sir*), a possessive `'s` and lower-case particles (*van*, *de*) make no difference.
2. A given and a family name are the person with that family name whose given names agree, if there is only one. They
   agree if each is the same as its counterpart or one is the other's initial; missing middle names do not matter, but
   *Jr.* and *Sr.* do. (Unless hundreds have that family name and initial.)
3. A bare name, which is what a longer one begins or ends with (*Hermione*, *Granger*, *García Márquez*), is the person
   who was last called by such a longer name in this run.
4. A longer name is the person who was so far known by a bare one only, if it begins or ends with that.
5. Any other name is somebody new.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_TITLES = frozenset(
    "mr mrs ms miss mx messrs dr prof professor sir dame lord lady rev capt captain col colonel gen general lt sgt "
    "madame mme mlle monsieur herr frau".split()
)
_PARTICLES = frozenset("van von der den ten ter de da di del della du dos la le y bin ibn al".split())
_GENERATIONS = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "iii": "iii", "iv": "iv"}
# From so many people with one family name and initial on, a name that is not quite theirs is somebody else: to look at
# all of them for every new name would take ever longer.
_CROWD = 300
_AROUND = ".,;:!?\"'()[]“”‘’„«»–—-…"
_POSSESSIVE = re.compile(r"(?i)['’]s$")
_INITIALS = re.compile(r"(?:[^\W\d_]\.-?)+[^\W\d_]?\.?")


def normalize(name: str) -> str:
    """Return a name in NFC and without case, its white space single blanks: what is the same for every spelling."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return " ".join(folded.split())


class Form(NamedTuple):
    """What of a name tells people apart.

    Attributes:
        parts: Given names and family name, without case.
        generation: `jr`, `sr`, `ii`, `iii`, `iv` or nothing.
    """

    parts: tuple[str, ...]
    generation: str = ""

    @property
    def is_bare(self) -> bool:
        """Whether it is a single name."""
        return len(self.parts) == 1

    def shorter(self) -> Iterator[Form]:
        """Yield what it may be shortened to: what it ends with, longest first, then what it begins with."""
        size = len(self.parts)
        runs = [self.parts[start:] for start in range(1, size)] + [self.parts[:end] for end in range(size - 1, 0, -1)]
        for run in runs:
            if len(run) > 1 or len(run[0]) > 1:
                yield Form(run, self.generation)
                if self.generation:
                    yield Form(run)


@lru_cache(maxsize=1 << 14)
def form_of(name: str) -> Form:
    """Return what of a name tells people apart."""
    words = [_POSSESSIVE.sub("", _POSSESSIVE.sub("", word).strip(_AROUND)) for word in _split_initials(name)]
    words = [word for word in words if word]
    while len(words) > 1 and normalize(words[0]) in _TITLES:
        del words[0]
    generation = _GENERATIONS.get(normalize(words[-1]), "") if len(words) > 1 else ""
    if generation:
        del words[-1]
    parts = [word for word in words[:-1] if word not in _PARTICLES] + words[-1:]
    return Form(tuple(map(normalize, parts)) or (normalize(name),), generation)


def _split_initials(name: str) -> Iterator[str]:
    """Yield the words of a name, and J.R.R. as three."""
    for word in name.split():
        if _INITIALS.fullmatch(word):
            yield from re.findall(r"[^\W\d_]", word)
        else:
            yield word


def _agree(given: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether two people's given names can be the same, as far as both are known."""
    return all(
        one == other or (min(len(one), len(other)) == 1 and one[0] == other[0])
        for one, other in zip(given, others, strict=False)
    )


def _fuller(given: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """Return given names that agree, each as it is best known."""
    longer, shorter = (given, others) if len(given) >= len(others) else (others, given)
    return (*(max(pair, key=len) for pair in zip(longer, shorter, strict=False)), *longer[len(shorter) :])


class People:
    """Everybody met so far. Its memory grows with the number of different names, not with the text."""

    def __init__(self) -> None:
        self._forms: list[Form | None] = []  # Each person's fullest name; None while only bare ones are known.
        self._first: dict[Form, int] = {}  # Whom a name meant when it was first met.
        self._namesakes: dict[tuple[str, str], list[int]] = {}  # By family name and first letter of the given name.
        self._recent: dict[Form, int] = {}  # Who was last called by a name that can be shortened to this one.
        self._recalled: dict[Form, int] = {}  # The same, from earlier runs.

    def resolve(self, name: str) -> int:
        """Return the number of the person that a name means, counted from 0; the next free one for somebody new."""
        form = form_of(name)
        person = self._find(form)
        if person is None:
            person = len(self._forms)
            self._forms.append(None)
        self._note(form, person)
        return person

    def recall(self, name: str, person: int | None) -> int:
        """Take in who a name meant in an earlier run.

        Args:
            name: The name; those of a run come in the order in which they were met.
            person: The number of the person; None for a new one.

        Returns:
            The number of the person.

        Raises:
            ValueError: If the name, which is no bare one, means somebody else already.
        """
        form = form_of(name)
        if person is None:
            person = len(self._forms)
            self._forms.append(None)
        if not form.is_bare and self._first.get(form, person) != person:
            raise ValueError(f"{name!r} means two people")
        self._note(form, person)
        return person

    def start_run(self) -> None:
        """Let bare names mean whom they meant first, until somebody is called by a longer name again."""
        self._recalled, self._recent = self._recent, {}

    def _find(self, form: Form) -> int | None:
        """Return who is meant; None for somebody new."""
        if form.is_bare:
            found = (known.get(form) for known in (self._recent, self._first, self._recalled))
            return next((person for person in found if person is not None), None)
        if form in self._first:
            return self._first[form]
        namesakes = self._namesakes.get((form.parts[-1], form.parts[0][0]), ())
        agreeing = [person for person in namesakes if self._may_be(person, form)] if len(namesakes) < _CROWD else ()
        if len(agreeing) == 1:
            return agreeing[0]
        for known in (self._recent, self._recalled):
            if form in known:
                return known[form]
        known_by_less = (self._first[short] for short in form.shorter() if short in self._first)
        return next((person for person in known_by_less if self._forms[person] is None), None)

    def _may_be(self, person: int, form: Form) -> bool:
        """Whether a name fits the fullest one of a person with the same family name."""
        known = self._forms[person]
        return (
            known is not None
            and (not known.generation or not form.generation or known.generation == form.generation)
            and _agree(known.parts[:-1], form.parts[:-1])
        )

    def _note(self, form: Form, person: int) -> None:
        """Remember that a name means a person."""
        self._first.setdefault(form, person)
        if form.is_bare:
            return
        self._learn(form, person)
        for short in form.shorter():
            self._recent[short] = person

    def _learn(self, form: Form, person: int) -> None:
        """Remember a person's fullest name."""
        known = self._forms[person]
        if known is None:
            self._namesakes.setdefault((form.parts[-1], form.parts[0][0]), []).append(person)
            self._forms[person] = form
        elif known.parts[-1] == form.parts[-1] and _agree(known.parts[:-1], form.parts[:-1]):
            given = _fuller(known.parts[:-1], form.parts[:-1])
            self._forms[person] = Form((*given, form.parts[-1]), known.generation or form.generation)
