"""Text in; tokens with character offsets and windows out. Home of `Token`, `Mention`, `Passage` and `TaggedPassage`.

A **passage** is what gets one answer: a line of text, a JSON object, a sentence of tokens. A **document** is a run of
passages, the first of which has `starts_document` set: a stream never holds a whole document, so none is built. A
**window** is the run of tokens that the network sees at once: it may join passages of one document and cut a long one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from nertag.labels import OUTSIDE, spans_of

# What stands for the start of a document in CoNLL files.
DOCSTART = "-DOCSTART-"


class Token(NamedTuple):
    """A token and where it stands: `source[start:end] == text`, in code points, half-open."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Mention:
    """A name as it stands in the text.

    Attributes:
        start: First code point in the passage's text.
        end: One past the last code point.
        token_start: First token of the passage.
        token_end: One past the last token.
        text: `passage.text[start:end]`.
        label: Its label, such as `PER`.
        score: Probability, 0 to 1: that of the mention's least certain token.
    """

    start: int
    end: int
    token_start: int
    token_end: int
    text: str
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A line, a JSON object or a sentence: what gets one answer.

    Attributes:
        text: The text as it was given; for token input the tokens joined by single spaces.
        words: The tokens' texts in order. Each stands in `text`, in order and without overlap.
        starts_document: Whether a new document starts here, so that no window joins it to what came before.
        ends_sentence: Whether a sentence surely ends with it (token input does; a line of running text need not).
        fields: The JSON object it came from, without the fields that nertag writes itself: name to the value's JSON as
            it was written, in their order; None for other inputs.
        source: The file it came from as the user named it, `-` for standard input.
        line: Its line in the source, counted from 1.
        ending: What ended it there, exactly: a line feed, perhaps after a carriage return, or nothing at the end of a
            file. Formats that give the text back write it again.
        place: The names that lead to the text among `fields`, outermost first; empty if it is not among them.
    """

    text: str
    words: Sequence[str]
    starts_document: bool = False
    ends_sentence: bool = False
    fields: Mapping[str, str] | None = None
    source: str = "-"
    line: int = 0
    ending: str = "\n"
    place: Sequence[str] = ()

    def tokens(self) -> list[Token]:
        """Return the tokens with their offsets into `text`."""
        tokens: list[Token] = []
        position = 0
        for word in self.words:
            start = self.text.index(word, position)
            position = start + len(word)
            tokens.append(Token(word, start, position))
        return tokens


@dataclass(frozen=True, slots=True)
class TaggedPassage:
    """A passage with one tag and one probability for every token.

    Attributes:
        passage: What was tagged.
        tags: Strict IOB2, one for every token; valid for the passage alone: a mention that runs over a line end is cut.
        scores: The probability of each token's tag, 0 to 1.
        continues: Whether its first token goes on with a mention at the end of the passage before.
    """

    passage: Passage
    tags: Sequence[str]
    scores: Sequence[float]
    continues: bool = False

    @property
    def labels(self) -> list[int]:
        """1 for every token inside a mention, 0 for every other."""
        return [0 if tag == OUTSIDE else 1 for tag in self.tags]

    def mentions(self) -> list[Mention]:
        """Return the mentions in order, with offsets into the passage's text."""
        if self.tags.count(OUTSIDE) == len(self.tags):
            return []
        text, words = self.passage.text, self.passage.words
        mentions: list[Mention] = []
        position = index = 0
        for first, past, label in spans_of(self.tags):
            for word in words[index:first]:
                position = text.index(word, position) + len(word)
            start = text.index(words[first], position)
            for word in words[first:past]:
                position = text.index(word, position) + len(word)
            index = past
            score = float(min(self.scores[first:past]))
            mentions.append(Mention(start, position, first, past, text[start:position], label, score))
        return mentions


# --- Tokens -----------------------------------------------------------------------------------------------------------

# Characters that are never part of a word by themselves: ASCII punctuation, the Latin-1 and General Punctuation blocks
# (without the zero-width joiners, which belong to the word around them), symbols, CJK punctuation, full-width forms,
# emoji. Everything else but white space is a word character: letters and digits of every script, combining marks.
_ASCII_PUNCTUATION = r"!-/:-@\[-`{-~"
_PUNCTUATION = (
    r"\u00a1-\u00a9\u00ab\u00ac\u00ae-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7"
    r"\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2100-\u2bff\u2e00-\u2e5d\u3001-\u3020\u3030\u303d"
    r"\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\U0001f000-\U0001faff"
)
_LETTER = r"[^\W\d_]"
_JOINER = r"[\u200d\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff]"  # What makes one emoji of several, or changes its look.
_ABBREVIATIONS = (
    "Mr Mrs Ms Mx Mme Mlle Messrs Dr Drs Prof St Ste Jr Sr Esq Gen Col Maj Capt Cpt Cmdr Lt Lieut Sgt Cpl Pvt Adm Brig "
    "Rev Fr Hon Sen Rep Gov Pres Atty Supt Insp Amb Msgr MR MRS MS DR REV ST JR SR Wm Chas Thos Geo Jas Jno Robt Benj "
    "Edw Saml Inc Ltd Co Corp Bros Mt Ft Ave Blvd vs viz cf al etc approx dept est Ph.D "
    "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec"
)


# The first alternative that matches wins. Each takes time in proportion to what it consumes, or looks at no more than a
# few dozen characters: no input makes the whole quadratic.
@lru_cache(maxsize=2)
def _rules(is_ascii: bool) -> re.Pattern[str]:
    """Compile the rules for a token; those for ASCII alone take a fifth of the time that all of them take."""
    word = rf"[^\s{_ASCII_PUNCTUATION}{'' if is_ascii else _PUNCTUATION}]"
    rules = rf"""
      (?:https?://|www\.)[^\s<>"]*[^\s<>"'.,;:!?()\[\]{{}}\u2018-\u201f\u2026\u00bb]   # an address on the web
    | {word}[\w.+-]{{0,63}}@{word}+(?:[.-]{word}+)*\.{word}+                           # an e-mail address
    | @\w{{1,64}} | \#\d{{0,9}}[^\W\d]\w{{0,63}}                                       # an account, a hashtag
    | &(?:amp|lt|gt|quot|apos|nbsp|\#\d{{1,6}});                                       # a character in HTML
    | {_LETTER}\.(?:-?{_LETTER}\.)+(?:{_LETTER}(?![\w.]))?(?:-{word}+)*                # J.R.R., J.-P., P.O.P, U.S.-led
    | {_LETTER}\.{_LETTER}(?![\w.])(?:-{word}+)*                                       # U.S, U.S-led
    | (?!I\.){_LETTER}\.(?=$|\W|{_LETTER}{{2}})(?<![a-z]\.)                            # an initial
    | (?:{"|".join(map(re.escape, _ABBREVIATIONS.split()))})\.(?=$|[^\w.]|[A-Z\d])     # Mr.
    | \d+(?:[.,:/]\d+)+{word}*(?:-{word}+)*                                            # 10,000 12:30 1/2 1,500-metre
    | ['\u2019](?:[smdSMD]|ll|re|ve|LL|RE|VE|em|n|til|cause)(?!{word})                 # 's after a full stop, 'em
    | {word}+(?:(?:['\u2019\u2010\u2011&]|[-_](?![-_])|\.(?=[a-z\d])){word}+)*         # a word, O'Connor, Jean-Luc
    | [:;=]-?(?:[()]+|[DPp/](?![\w/]))                                                 # :-)
    | (?P<same>[^\w\s"()\[\]{{}}\u201c\u201d]|_)(?P=same)+                             # ... -- !!!
    """
    return re.compile(rules + (r"| [^\s]" if is_ascii else _SIGNS), re.VERBOSE)


_SIGNS = rf"""
    | [\U0001f1e6-\U0001f1ff]{{2}}                                                     # a flag
    | [^\s](?:{_JOINER}+[\u2190-\u2bff\U0001f000-\U0001faff]?)*                        # a sign, an emoji
"""
# The possessive and the contractions that the Penn Treebank splits off, which is how most corpora come.
_CLITIC = re.compile(r"(?i)(?<=\w)(?:n['\u2019]t|['\u2019](?:s|m|d|ll|re|ve))$")


# Chunks longer than this are not kept in the cache.
_LONG_CHUNK = 64
# Texts longer than this are cut into chunks one by one: all at once would take ten times the size of a huge line.
_LONG_TEXT = 1 << 16
_CHUNK = re.compile(r"\S+")


# What most words of ASCII have around them, if anything: signs that the rules part from any word and from one another.
_AROUND = '"\u201c\u201d(),;:!?.'
_BEFORE = {signs: tuple(signs) for signs in ("", '"', "\u201c", "(")}
_QUOTES = ("", '"', "\u201d")
_AFTER = {signs + quote: tuple(signs + quote) for signs in ("", *",;:!?.", ")", "),", ").", ");") for quote in _QUOTES}
_DOTTED = frozenset(_ABBREVIATIONS.split())


def split_chunk(chunk: str) -> tuple[str, ...]:
    """Split a run without white space into tokens; their concatenation is the run."""
    if chunk.isalpha() and chunk.isascii():
        return (chunk,)
    core = chunk.strip(_AROUND)
    words = _split_letters(core) if core.isascii() else None
    if words:
        start = chunk.index(core)
        before, after = _BEFORE.get(chunk[:start]), _AFTER.get(chunk[start + len(core) :])
        last = words[-1]
        if before is not None and after is not None and (after[:1] != (".",) or last not in _DOTTED and len(last) > 1):
            return (*before, *words, *after)
    return _split_by_rules(chunk, _rules(chunk.isascii()))


def _split_letters(core: str) -> tuple[str, ...] | None:
    """Do what `split_chunk` does for ASCII letters with a hyphen, a dash or an apostrophe between them; else None."""
    if core.isalpha():
        return (core,)
    if "-" in core:
        first, dash, rest = core.partition("--")
        if dash:
            return (first, dash, rest) if first.isalpha() and rest.isalpha() else None
        return (core,) if all(map(str.isalpha, core.split("-"))) else None
    first, _, rest = core.partition("'")
    if first.isalpha() and rest.isalpha():
        clitic = _CLITIC.search(core) if len(core) < _LONG_CHUNK else None
        return (core[: clitic.start()], clitic.group()) if clitic and clitic.start() else (core,)
    return None


def _split_by_rules(chunk: str, rules: re.Pattern[str]) -> tuple[str, ...]:
    """Do what `split_chunk` does for any run."""
    words: list[str] = []
    for match in rules.finditer(chunk):
        word = match.group()
        clitic = _CLITIC.search(word) if len(word) < _LONG_CHUNK and ("'" in word or "\u2019" in word) else None
        if clitic and clitic.start():
            words += (word[: clitic.start()], word[clitic.start() :])
        else:
            words.append(word)
    return tuple(words)


_split_known_chunk = lru_cache(maxsize=1 << 16)(split_chunk)


def chunks_of(text: str) -> Iterable[str]:
    """Part text at white space."""
    return text.split() if len(text) < _LONG_TEXT else map(re.Match.group, _CHUNK.finditer(text))


def split_words(text: str) -> list[str]:
    """Split text into the texts of its tokens.

    White space always parts tokens. Punctuation and the possessive `'s` are split off; O'Connor, Jean-Luc, J.R.R., Mr.,
    e-mail and web addresses, @accounts, #hashtags, numbers and emoji with joiners stay whole. The conventions are those
    of the Penn Treebank, which most corpora follow.

    Returns:
        The tokens' texts in order: every character that is not white space is in exactly one of them.
    """
    words: list[str] = []
    for chunk in chunks_of(text):
        words += _split_known_chunk(chunk) if len(chunk) < _LONG_CHUNK else split_chunk(chunk)
    return words


def tokenize(text: str) -> list[Token]:
    """Split text into tokens with offsets, as `split_words` does."""
    return Passage(text, split_words(text)).tokens()


# --- Windows ----------------------------------------------------------------------------------------------------------

_SENTENCE_END = frozenset({".", "!", "?", "...", "…", "!!", "??", "?!", "!!!", "。"})
_CLOSING = frozenset({'"', "''", "”", "’", ")", "]", "»", "'"})

ENDS_SENTENCE, CLOSES = 1, 2
"""Kinds of forms that decide where a sentence ends; 0 is every other."""


def form_kind(form: str) -> int:
    """Say whether a token of this form ends a sentence, closes one that has ended, or does neither."""
    return ENDS_SENTENCE if form in _SENTENCE_END else CLOSES if form in _CLOSING else 0


def cut_window(words: Sequence[str], borders: Mapping[int, bool], start: int, limit: int) -> int:
    """Choose where a window that starts at `start` ends.

    The cut falls after the last sentence end in the second half of the allowed length, else after the last border, else
    at the limit. What is less than twice the limit long is cut near its middle, so that no window is a short remainder.
    The choice looks at no more than the next `2 * limit` tokens: a stream that holds as many cuts as a whole document
    would be.

    Args:
        words: The document's tokens from at least `start` on.
        borders: Token indices before which a passage ends, and whether a sentence surely ends with it.
        start: First token of the window.
        limit: The most tokens a window may have, at least 2.

    Returns:
        One past the window's last token, greater than `start`.
    """
    remaining = len(words) - start
    if remaining <= limit:
        return len(words)
    longest = start + limit
    shortest = start + limit // 2
    if remaining < 2 * limit:
        shortest = max(remaining - limit, remaining // 4) + start
        longest = min(longest, start + remaining * 5 // 8)
    fallback = 0
    for end in range(longest, max(shortest, start + 1) - 1, -1):
        if borders.get(end) or ends_sentence(words, end, start):
            return end
        if not fallback and end in borders:
            fallback = end
    return fallback or longest


def ends_sentence(words: Sequence[str], end: int, start: int = 0) -> bool:
    """Whether a sentence, read from `start` on, ends before `end`: after `.`, `!` or `?` and quotes or brackets."""
    if end < len(words) and words[end] in _CLOSING:
        return False
    last = end - 1
    while last > start and words[last] in _CLOSING:
        last -= 1
    return words[last] in _SENTENCE_END


def cut_windows(words: Sequence[str], borders: Mapping[int, bool], limit: int) -> Iterator[tuple[int, int]]:
    """Cut a whole document into windows of at most `limit` tokens: half-open token ranges that follow one another."""
    start = 0
    while start < len(words):
        end = cut_window(words, borders, start, limit)
        yield start, end
        start = end
