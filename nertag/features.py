"""Tokens in; word, character and shape ids out: the same for training and tagging.

What the network sees of a token depends on its form alone, so every distinct form is encoded once and kept. Most tokens
of a text have a form that came before, and a lookup is all that is left to do for them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

PADDING = 0
UNKNOWN = 1
RESERVED = 2

LONGEST_FORM = 20
"""Characters of a word that the network sees: of a longer one the first and the last ten."""

PARTS = 3
"""Known words that an unknown form's vector is the mean of, at most."""

_LEAST_HALF = 3
_LONGEST_COMPOUND = 100  # Characters: what is longer is no word that somebody made of others.
_LETTERS = re.compile(r"[^\W\d_]+")
_CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_STRETCHED = re.compile(r"(.)\1{2,}")

_FOLDED = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201b": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"',
        "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-",
        "\u00ad": None, "\u200b": None, "\u200c": None, "\u200d": None, "\u2060": None, "\ufeff": None,
        **dict.fromkeys(map(chr, range(0xD800, 0xE000)), "\ufffd"),
    }
)  # fmt: skip

SHAPES = (
    "padding",
    "lower",
    "title",
    "upper",
    "capital",
    "initials",
    "inner capitals",
    "capital in lower",
    "hyphenated titles",
    "uncased letters",
    "number",
    "number with letters",
    "sentence end",
    "comma",
    "quote",
    "bracket",
    "hyphen",
    "other sign",
    "address",
)
_SHAPE_ID = {name: index for index, name in enumerate(SHAPES)}
NAME_SHAPES = frozenset(_SHAPE_ID[name] for name in ("title", "inner capitals", "hyphenated titles"))
"""Shapes of a word that looks like part of a name wherever names are capitalised."""

_SIGNS = {
    **dict.fromkeys(".!?\u2026", "sentence end"),
    **dict.fromkeys(",;:", "comma"),
    **dict.fromkeys("\"'", "quote"),
    **dict.fromkeys("()[]{}<>", "bracket"),
    **dict.fromkeys("-_", "hyphen"),
}


def fold(form: str) -> str:
    """Replace typographic quotes and dashes by plain ones and drop invisible characters and soft hyphens.

    Half a surrogate pair, which no file can hold, becomes the replacement character.

    Returns:
        The folded form; it may be empty.
    """
    return form if form.isascii() else form.translate(_FOLDED)


def clip(form: str) -> str:
    """Return the first and the last characters of a form that is longer than `LONGEST_FORM`."""
    return form if len(form) <= LONGEST_FORM else form[: LONGEST_FORM // 2] + form[-LONGEST_FORM // 2 :]


def strip_marks(form: str) -> str:
    """Return the form without diacritics: `Zoë` is `Zoe`."""
    return "".join(char for char in unicodedata.normalize("NFKD", form) if not unicodedata.combining(char))


def part_ids(form: str, find: Callable[[Sequence[str]], Sequence[int]]) -> list[int]:
    """Say which known words a form that is none is made of: `#AnnaKurz`, `Ortiz-Webb`, `GaryHolm`, `noooo`.

    Letters that stand three times or more are taken for one or two, and the rest is cut where a sign or a capital cuts
    it; a hashtag without either is cut in two where the more frequent words come out.

    Args:
        form: Folded and unknown.
        find: Gives the ids of words as they stand; the more frequent a word, the smaller its id.

    Returns:
        The ids of its first known parts, at most `PARTS`; of the unknown word alone if it has none.
    """
    if len(form) > _LONGEST_COMPOUND or _shape_name(form) == "address":
        return [UNKNOWN]
    plain = form if form.isascii() else strip_marks(form)
    lower = plain.lower()
    if _STRETCHED.search(lower):
        shorter = find([_STRETCHED.sub(times, lower) for times in (r"\1\1", r"\1")])
        known = [found for found in shorter if found != UNKNOWN]
        if known:
            return [min(known)]
    parts = [part.lower() for run in _LETTERS.findall(plain) for part in _CAPITALS.split(run)]
    long = [part for part in parts if len(part) > 1]
    known = [found for found in find(long) if found != UNKNOWN][:PARTS]
    if not known and form[0] == "#" and len(long) == 1:
        known = _best_halves(long[0][:LONGEST_FORM], find)
    return known or [UNKNOWN]


def _best_halves(word: str, find: Callable[[Sequence[str]], Sequence[int]]) -> list[int]:
    """Cut a word into the two most frequent words that it can be made of; none if there are no such two."""
    places = range(_LEAST_HALF, len(word) - _LEAST_HALF + 1)
    halves = find([half for place in places for half in (word[:place], word[place:])])
    pairs = [pair for pair in zip(halves[::2], halves[1::2], strict=True) if UNKNOWN not in pair]
    return list(min(pairs, key=lambda pair: pair[0] * pair[1], default=()))


def shape_of(form: str) -> int:
    """Return the id of a folded form's shape, an index into `SHAPES` that is never 0."""
    return _SHAPE_ID[_shape_name(form)]


def _shape_name(form: str) -> str:
    """Say which of `SHAPES` a folded form has."""
    letters: Sequence[str] = form
    if not form.isalpha():
        if form[:1] == "@" and len(form) > 1 or "@" in form[1:-1] or "://" in form or form[:4] == "www.":
            return "address"
        letters = [char for char in form if char.isalpha()]
        if any(map(str.isdigit, form)):
            return "number with letters" if letters else "number"
        if not letters:
            return _SIGNS.get(form[:1], "other sign")
    if form.islower():
        return "lower"
    if form.isupper():
        if "." in form:
            return "initials"
        return "capital" if len(letters) == 1 else "upper"
    if not any(char.isupper() or char.istitle() for char in letters):
        return "uncased letters"
    if "-" in form and all(part[:1].isupper() and part[1:].islower() for part in form.split("-") if part):
        return "hyphenated titles"
    if not form[0].isupper():
        return "capital in lower"
    return "title" if form[1:].islower() else "inner capitals"


@dataclass(frozen=True)
class Vocabulary:
    """The words and characters that a network knows.

    Attributes:
        words: Known words; the id of `words[i]` is `i + RESERVED`.
        characters: Known characters; the id of `characters[i]` is `i + RESERVED`.
        parts: Whether a form that is unknown is looked up by its parts, see `part_ids`.
    """

    words: Sequence[str]
    characters: str
    parts: bool = False
    _word_ids: dict[str, int] = field(init=False, repr=False, compare=False)
    _character_ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the look-ups.

        Raises:
            ValueError: If a word or character occurs twice.
        """
        words = dict(zip(self.words, range(RESERVED, RESERVED + len(self.words)), strict=True))
        if len(words) < len(self.words) or len(set(self.characters)) < len(self.characters):
            raise ValueError("a vocabulary's words and characters must be different from one another")
        object.__setattr__(self, "_word_ids", words)
        object.__setattr__(self, "_character_ids", {char: i + RESERVED for i, char in enumerate(self.characters)})

    @property
    def size(self) -> int:
        """Rows of an embedding for these words, padding and the unknown word included."""
        return len(self.words) + RESERVED

    def word_id(self, form: str) -> int:
        """Return the id of a folded form: as it stands, else lower-cased, else without diacritics, else unknown."""
        ids = self._word_ids
        found = ids.get(form)
        if found is None:
            lower = form.lower()
            found = ids.get(lower)
            if found is None:
                found = UNKNOWN if lower.isascii() else ids.get(strip_marks(lower), UNKNOWN)
        return found

    def word_ids(self, form: str) -> list[int]:
        """Return the ids of the words that a folded form is made of, at most `PARTS`; usually of the word it is."""
        found = self.word_id(form)
        if found != UNKNOWN or not self.parts or not form:
            return [found]
        return part_ids(form, lambda words: [self._word_ids.get(word, UNKNOWN) for word in words])

    def character_ids(self, form: str) -> list[int]:
        """Return the ids of a folded form's characters, at most `LONGEST_FORM`.

        A character that is unknown with its diacritics is looked up without.
        """
        return [self._character_id(char) for char in clip(form)]

    def _character_id(self, char: str) -> int:
        """Return the id of a character, or of the letter below its diacritics, or unknown."""
        found = self._character_ids.get(char)
        return self._character_ids.get(strip_marks(char), UNKNOWN) if found is None else found


def count_words(forms: Iterable[str]) -> Counter[str]:
    """Count folded forms as they stand."""
    return Counter(fold(form) for form in forms)


def known_characters(counts: Counter[str], least: int = 3) -> str:
    """Return the characters seen at least `least` times, the most frequent first, ties in code point order."""
    seen: Counter[str] = Counter()
    for form, count in counts.items():
        for char in form:
            seen[char] += count
    return "".join(sorted((c for c, n in seen.items() if n >= least), key=lambda char: (-seen[char], char)))


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows as the network takes them: what is true of a form once per distinct form, padded windows of form numbers.

    Attributes:
        word_ids: The words that a form is made of, int64, (forms, words), words at most `PARTS`; 0 is padding, on the
            right.
        character_ids: int64, (forms, characters); 0 is padding, on the right.
        shape_ids: int64, (forms,).
        forms: Row of the arrays above for every token, int64, (batch, time); padding is 0 and means nothing.
        lengths: Tokens of each window, int64, (batch,), each at least 1.
    """

    word_ids: npt.NDArray[np.int64]
    character_ids: npt.NDArray[np.int64]
    shape_ids: npt.NDArray[np.int64]
    forms: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]


class FormTable:
    """Every form met so far with its ids, encoded on first sight.

    Args:
        vocabulary: The words and characters to look up.
        capacity: Forms after which the table starts afresh, so that memory does not grow with the input.
    """

    def __init__(self, vocabulary: Vocabulary, capacity: int = 200_000) -> None:
        self.vocabulary = vocabulary
        self.capacity = capacity
        self._clear()

    def _clear(self) -> None:
        """Forget every form."""
        size = 1 << 12
        self._rows: dict[str, int] = {}
        self._word_ids = np.zeros((size, PARTS), np.int64)
        self._shape_ids = np.zeros(size, np.int64)
        self._character_ids = np.zeros((size, LONGEST_FORM), np.int64)
        self._words: dict[str, int] = {}
        self._word_numbers = np.zeros(size, np.int64)

    def reserve(self) -> None:
        """Start afresh if the table is full. Row numbers handed out before are void afterwards."""
        if len(self._rows) >= self.capacity:
            self._clear()

    def rows(self, words: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the row of every token, int64, (len(words),)."""
        known = self._rows
        try:
            return np.fromiter(map(known.__getitem__, words), np.int64, len(words))
        except KeyError:
            add = self._add
            return np.fromiter((known[word] if word in known else add(word) for word in words), np.int64, len(words))

    @property
    def forms(self) -> list[str]:
        """Every form in the table, in the order of the rows."""
        return list(self._rows)

    def shape(self, row: int) -> int:
        """Return the shape id of a row."""
        return int(self._shape_ids[row])

    def shapes(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the shape ids of tokens given by row, (tokens,)."""
        return self._shape_ids[rows]

    def words(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return a number for the word of every token given by row, (tokens,): the same in whatever case."""
        return self._word_numbers[rows]

    def _add(self, word: str) -> int:
        """Encode a form and return its row."""
        row = len(self._rows)
        if row == len(self._word_ids):
            self._word_ids = np.concatenate([self._word_ids, np.zeros_like(self._word_ids)])
            self._shape_ids = np.concatenate([self._shape_ids, np.zeros_like(self._shape_ids)])
            self._character_ids = np.concatenate([self._character_ids, np.zeros_like(self._character_ids)])
            self._word_numbers = np.concatenate([self._word_numbers, np.zeros_like(self._word_numbers)])
        form = fold(word)
        characters = self.vocabulary.character_ids(form)
        words = self.vocabulary.word_ids(form)
        self._word_ids[row, : len(words)] = words
        self._shape_ids[row] = shape_of(form)
        self._character_ids[row, : len(characters)] = characters
        self._word_numbers[row] = self._words.setdefault(form.lower(), len(self._words))
        self._rows[word] = row
        return row

    def batch(self, windows: Sequence[npt.NDArray[np.int64]]) -> Batch:
        """Put windows of rows together.

        Args:
            windows: Rows of each window's tokens, at least one window, each at least one token.

        Returns:
            The windows in the given order.
        """
        lengths = np.fromiter(map(len, windows), np.int64, len(windows))
        distinct, numbers = np.unique(np.concatenate(windows), return_inverse=True)
        forms = np.zeros((len(windows), int(lengths.max())), np.int64)
        forms[np.arange(forms.shape[1]) < lengths[:, None]] = numbers
        characters = self._character_ids[distinct]
        longest = max(1, int((characters != PADDING).sum(axis=1).max()))
        words = self._word_ids[distinct]
        most = max(1, int((words != PADDING).sum(axis=1).max()))
        return Batch(words[:, :most], characters[:, :longest], self._shape_ids[distinct], forms, lengths)
