"""Bytes in, text out, as they come: UTF-8, the encoding that a byte order mark tells, a named one, or a guessed one.

What cannot be decoded is a fault after all text before it, or is replaced by U+FFFD and counted.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from nertag.errors import ConfigError, InputError, MissingExtraError

UTF8 = "utf-8"
AUTO = "auto"

# The mark of UTF-32, little-endian, begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ONLY_MARKED = ("utf-16", "utf-32")
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
# What is guessed among: the encodings of the web and of desktops, which contain ASCII, so that what has been read as
# UTF-8 before the first other byte was right; and those that have a NUL byte in every ASCII character.
_MOST_USED = "cp1252"
_WITH_ASCII = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp866", "cp874"),
    *("koi8_r", "iso8859_2", "cp932", "euc_jp", "gb18030", "big5", "cp949", "euc_kr"),
)
_WITH_NULS = ("utf_16_le", "utf_16_be", "utf_32_le", "utf_32_be")
_REPLACEMENT = "\ufffd"
_SHARE_OF_NULS = 0.2  # Of the first bytes: more than any text has, but for UTF-16 and UTF-32.
_FIRST = 1 << 10


class UndecodableError(InputError):
    """Bytes are no text in the encoding that they should have."""


def check_encoding(name: str) -> str:
    """Check the name of an encoding.

    Returns:
        Its usual name; `auto` as it is.

    Raises:
        ConfigError: If there is none of this name that is for text.
        MissingExtraError: If it is to be guessed, and what guesses is not installed.
    """
    if name.lower() == AUTO:
        from importlib.util import find_spec

        if find_spec("charset_normalizer") is None:
            raise MissingExtraError(
                "--encoding auto needs charset-normalizer: run pip install 'nertag[encodings]'",
                hint="Or name the encoding, such as --encoding windows-1252.",
            )
        return AUTO
    try:
        b"a".decode(name, "replace")  # Says no to what turns bytes into other bytes.
        usual = codecs.lookup(name).name
    except (LookupError, ValueError, UnicodeError):
        usual = "undefined"
    if usual in _NO_CHARSETS:
        hint = "Among them are utf-8, utf-16, latin-1, windows-1252, shift_jis and gb18030."
        raise ConfigError(f"there is no encoding {name!r}", hint=hint)
    return UTF8 if usual == "utf-8-sig" else usual


class Decoder:
    """Turns the bytes of one source into text.

    Args:
        source: The source as messages name it.
        encoding: As `check_encoding` returned it.
        replace: Whether to go on after what cannot be decoded.

    Attributes:
        fault: What is wrong after the text that has been returned; None if nothing is.
        replaced: Places that were replaced by U+FFFD.
        guessed: The encoding that `auto` chose; empty as long as UTF-8 does.
    """

    def __init__(self, source: str, encoding: str = UTF8, *, replace: bool = False) -> None:
        self.fault: InputError | None = None
        self.replaced = 0
        self.guessed = ""
        self._source = source
        self._encoding = encoding
        self._replace = replace
        self._guesses = encoding == AUTO
        self._marked = encoding in (UTF8, AUTO, *_ONLY_MARKED)
        self._held = b""
        self._offset = 0
        self._only_ascii = True
        self._other = None if self._marked else codecs.getincrementaldecoder(encoding)()

    def decode(self, chunk: bytes, *, final: bool = False) -> str:
        """Decode the next bytes, as far as they are whole characters.

        Args:
            chunk: The bytes.
            final: Whether they are the last.

        Returns:
            The text; if `fault` is set then, what comes before the fault.
        """
        if self._marked:
            chunk = self._held + chunk
            self._held = b""
            if not final and any(mark.startswith(chunk) and mark != chunk for mark, _ in _MARKS):
                self._held = chunk
                return ""
            self._marked = False
            self._look_at(chunk)
            if self.fault:
                return ""
        if self._other is not None:
            return self._decode_other(self._other, chunk, final=final)
        return self._decode_utf8(self._held + chunk if self._held else chunk, final=final)

    def _look_at(self, first: bytes) -> None:
        """Recognise UTF-16 and UTF-32 by the first bytes."""
        for mark, name in _MARKS:
            if first.startswith(mark):
                self._use(name)
                return
        if self._encoding in _ONLY_MARKED and first:
            hint = f"Say which it is: --encoding {self._encoding}-le or {self._encoding}-be."
            message = f"{self._encoding} text must begin with a byte order mark"
            self.fault = UndecodableError(message, hint=hint, path=self._source)
        head = first[:_FIRST]
        if self._guesses and head.count(b"\0") > _SHARE_OF_NULS * len(head):
            self._use(self._guess(first, _WITH_NULS))

    def _use(self, name: str) -> None:
        """Decode from here on with another encoding."""
        if name:
            self._encoding = name
            self._other = codecs.getincrementaldecoder(name)()

    def _decode_utf8(self, data: bytes, *, final: bool) -> str:
        """Decode UTF-8, which is what most text is, with nothing in between."""
        try:
            text, used = codecs.utf_8_decode(data, "strict", final)
        except UnicodeDecodeError as error:
            self._held = b""
            if self._guesses and self._only_ascii and data[: error.start].isascii():
                self._use(self._guess(data, _WITH_ASCII))
                if self._other is not None:
                    return self._decode_other(self._other, data, final=final)
            if not self._replace:
                self.fault = self._faulty(data, error.start, self._offset + error.start)
                return data[: error.start].decode(UTF8)
            text, used = codecs.utf_8_decode(data, "replace", final)
            self._count(text, codecs.utf_8_decode(data, "ignore", final)[0])
        self._only_ascii = self._only_ascii and self._guesses and text.isascii()
        self._held = data[used:]
        self._offset += used
        return text

    def _decode_other(self, decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> str:
        """Decode with a decoder of Python's, which keeps what is not yet a character."""
        before = decoder.getstate()
        self._offset += len(chunk)
        try:
            return decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            faulty = error
        kept = len(faulty.object) - len(chunk)
        decoder.setstate(before)
        if not self._replace:
            self.fault = self._faulty(faulty.object, faulty.start, self._offset - len(chunk) - kept + faulty.start)
            return decoder.decode(chunk[: max(faulty.start - kept, 0)])
        decoder.errors = "ignore"
        without = decoder.decode(chunk, final)
        decoder.setstate(before)
        decoder.errors = "replace"
        text = decoder.decode(chunk, final)
        decoder.errors = "strict"
        self._count(text, without)
        return text

    def _count(self, replaced: str, ignored: str) -> None:
        """Count what has been replaced: U+FFFD may also stand in the text itself."""
        self.replaced += replaced.count(_REPLACEMENT) - ignored.count(_REPLACEMENT)

    def _faulty(self, data: bytes, position: int, offset: int) -> UndecodableError:
        """Return what to say of a byte that cannot be decoded."""
        name = "UTF-8" if self._encoding in (UTF8, AUTO) else self._encoding
        hint = "Name the encoding, such as --encoding windows-1252, or go on with --errors replace."
        if b"\0" in data[: position + 1]:
            hint = "It has NUL bytes, as programs, pictures and archives have: it may be no text at all."
        if self._guesses and name == "UTF-8" and not hint.startswith("It"):
            hint = f"It is none that can be guessed. {hint}"
        message = f"byte 0x{data[position]:02x} at offset {offset} is not {name}"
        return UndecodableError(message, hint=hint, path=self._source)

    def _guess(self, sample: bytes, candidates: Sequence[str]) -> str:
        """Return the likeliest encoding of some bytes; nothing if there is none that fits.

        Where another is as likely as the most used one, that one is taken.
        """
        from charset_normalizer import from_bytes

        matches = list(from_bytes(sample, cp_isolation=[*candidates]))
        best = matches[:1] + [match for match in matches[1:] if match.chaos == matches[0].chaos]
        if not best:
            return ""
        common = any(_MOST_USED in (match.encoding, *match.could_be_from_charset) for match in best)
        self.guessed = _MOST_USED if common else best[0].encoding
        return self.guessed
