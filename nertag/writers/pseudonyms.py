"""Tagged passages in; the same text with a pseudonym for every name out."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from itertools import islice

from nertag.errors import ConfigError
from nertag.labels import PERSON
from nertag.text import TaggedPassage
from nertag.writers.base import Sink, noun
from nertag.writers.made_up import made_up_name
from nertag.writers.mapping import Entry, read_mapping, write_mapping
from nertag.writers.people import People, normalize
from nertag.writers.replaced import Parts, cut

_CHARACTERS = 10  # Of base32: 50 bits.


class KeyedWriter:
    """Writes a keyed hash of every name: the same wherever the key is the same, and nothing is remembered.

    Args:
        key: The secret.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, tagged: TaggedPassage) -> str:
        """Return one passage."""
        parts = cut(tagged)
        return "" if parts is None else parts.joined([self.pseudonym(*name) for name in parts.names])

    def pseudonym(self, label: str, name: str) -> str:
        """Return `PERSON_` and the start, in base32, of the HMAC-SHA256 of the normalised name."""
        content = normalize(name).encode("utf-8", "surrogatepass")
        digest = hmac.new(self._key, content, hashlib.sha256).digest()
        return f"{noun(label)}_{base64.b32encode(digest).decode('ascii')[:_CHARACTERS]}"


class Pseudonyms:
    """Gives every person a pseudonym, the same all through the run, and other mentions one for each spelling.

    Args:
        entries: Names with their pseudonyms from an earlier run, in order.
        made_up: Whether people get made-up names instead of numbers.

    Raises:
        ValueError: If the entries contradict one another.
    """

    def __init__(self, entries: Iterable[Entry] = (), made_up: bool = False) -> None:
        self._made_up = made_up
        self._people = People()
        self._pseudonyms: list[str] = []  # By the number of the person.
        self._others: dict[tuple[str, str], str] = {}
        self._entries: dict[tuple[str, str, str], Entry] = {}
        self._owners: dict[str, tuple[str, int | None]] = {}  # Label and, for a person, number behind a pseudonym.
        self._counts: dict[str, int] = {}
        self._names: set[str] = set()  # The real ones, so that no made-up one is among them.
        for entry in entries:
            self._recall(entry)
        self._people.start_run()

    def __getitem__(self, key: tuple[str, str]) -> str:
        """Return the pseudonym of a mention, given its label and text."""
        label, name = key
        pseudonym = self._of_person(name) if label == PERSON else self._of_other(label, name)
        self._note(Entry(label, " ".join(name.split()), pseudonym))
        return pseudonym

    def __len__(self) -> int:
        """Return how many names with their pseudonyms there are."""
        return len(self._entries)

    def entries(self) -> Iterable[Entry]:
        """Return all names with their pseudonyms, in the order in which they were met."""
        return self._entries.values()

    def _recall(self, entry: Entry) -> None:
        """Take in an entry of an earlier run.

        Raises:
            ValueError: If it contradicts one before it.
        """
        label, number = self._owners.get(entry.pseudonym, (entry.label, None))
        if label != entry.label:
            raise ValueError(f"{entry.pseudonym!r} stands for a {label} and a {entry.label}")
        if label == PERSON:
            person = self._people.recall(entry.name, number)
            if number is None:
                self._pseudonyms.append(entry.pseudonym)
            self._owners[entry.pseudonym] = (label, person)
        else:
            if self._others.setdefault((label, normalize(entry.name)), entry.pseudonym) != entry.pseudonym:
                raise ValueError(f"{entry.name!r} means two things")
            self._owners[entry.pseudonym] = (label, None)
        self._note(entry)

    def _of_person(self, name: str) -> str:
        """Return the pseudonym of the person who is meant."""
        self._names.add(normalize(name))
        person = self._people.resolve(name)
        if person == len(self._pseudonyms):
            pseudonym = self._new(PERSON)
            self._pseudonyms.append(pseudonym)
            self._owners[pseudonym] = (PERSON, person)
        return self._pseudonyms[person]

    def _of_other(self, label: str, name: str) -> str:
        """Return the pseudonym of what is no person: the same for the same name."""
        key = label, normalize(name)
        if key not in self._others:
            self._others[key] = self._new(label)
            self._owners[self._others[key]] = (label, None)
        return self._others[key]

    def _new(self, label: str) -> str:
        """Return a pseudonym that nobody has."""
        while True:
            number = self._counts[label] = self._counts.get(label, 0) + 1
            invented = label == PERSON and self._made_up
            pseudonym = made_up_name(number - 1) if invented else f"{noun(label)}_{number}"
            if pseudonym not in self._owners and normalize(pseudonym) not in self._names:
                return pseudonym

    def _note(self, entry: Entry) -> None:
        """Remember which pseudonym a name had, once for every spelling."""
        name = normalize(entry.name)
        self._names.add(name)
        self._entries.setdefault((entry.label, name, entry.pseudonym), entry)


class PseudonymSink(Sink):
    """Writes pseudonyms in place of names; what they stand for is kept in memory and, if wanted, in a mapping file.

    Args:
        mapping: The file; None for none.
        made_up: Whether people get made-up names instead of numbers.

    Raises:
        ConfigError: If the mapping is none.
    """

    def __init__(self, mapping: str | None, made_up: bool) -> None:
        self._mapping = mapping
        self._made_up = made_up
        try:
            self._names = Pseudonyms(read_mapping(mapping) if mapping else (), made_up)
        except ValueError as error:
            raise ConfigError(f"this mapping contradicts itself: {error}", path=mapping) from None

    def write(self, piece: Parts | None) -> str:
        """Return one passage."""
        return "" if piece is None else piece.joined([self._names[name] for name in piece.names])

    @property
    def size(self) -> int:
        """Names with their pseudonyms so far; those of the mapping are among them."""
        return len(self._names)

    def rewind(self, size: int) -> None:
        """Go on as a run would that begins with so many names in its mapping."""
        self._names = Pseudonyms(list(islice(self._names.entries(), size)), self._made_up)

    def close(self) -> None:
        """Write the mapping."""
        if self._mapping:
            write_mapping(self._mapping, self._names.entries())
