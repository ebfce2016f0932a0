from __future__ import annotations

import codecs
import sys
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertag.charset import Decoder, check_encoding
from nertag.errors import ConfigError, MissingExtraError

TEXT = "Zoë met \u201cDr. Müller\u201d\r\nin Łódź, \u05e9\u05dc\u05d5\u05dd \U0001f469\u200d\U0001f680\0\x85\f\n"


def decode(
    content: bytes, encoding: str = "utf-8", piece: int = 1 << 16, *, replace: bool = False
) -> tuple[str, str | None, Decoder]:
    """Return the text of some bytes that come in pieces, what is wrong after it, and what decoded it."""
    decoder = Decoder("file", encoding, replace=replace)
    text = ""
    for start in range(0, len(content), piece):
        text += decoder.decode(content[start : start + piece])
        if decoder.fault:
            break
    else:
        text += decoder.decode(b"", final=True)
    return text, decoder.fault.message if decoder.fault else None, decoder


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_tells_the_encoding(mark: bytes, encoding: str, piece: int) -> None:
    text, fault, decoder = decode(mark + TEXT.encode(encoding), piece=piece)
    assert (text.removeprefix("\ufeff"), fault, decoder.guessed) == (TEXT, None, "")


@pytest.mark.parametrize("content", [b"", b"\xff", b"\xfe", b"\xff\xfe", b"\0", b"\0\0", b"\xef\xbb\xbf", b"\0\0a"])
@pytest.mark.parametrize("piece", [1, 100])
def test_what_is_as_short_as_a_mark_is_not_lost(content: bytes, piece: int) -> None:
    text, fault, _ = decode(content, piece=piece)
    if content in (b"\xff", b"\xfe"):
        assert (text, fault) == ("", f"byte 0x{content[0]:02x} at offset 0 is not UTF-8")
    elif content == b"\xff\xfe":
        assert (text, fault) == ("\ufeff", None)
    else:
        assert (text, fault) == (content.decode(), None)


@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("content", "encoding", "text", "fault"),
    [
        (b"Zo\xeb", "utf-8", "Zo", "byte 0xeb at offset 2 is not UTF-8"),
        ("Zoë".encode() + b"\xe2\x82", "utf-8", "Zoë", "byte 0xe2 at offset 4 is not UTF-8"),
        ("Zoë".encode() + b"\xe2\x82(", "utf-8", "Zoë", "byte 0xe2 at offset 4 is not UTF-8"),
        ("Zoë ".encode("utf-16-le") + b"\x00\xdc..", "utf-16-le", "Zoë ", "byte 0x00 at offset 8 is not utf-16-le"),
        ("Zoë ".encode("utf-16-le") + b"x", "utf-16-le", "Zoë ", "byte 0x78 at offset 8 is not utf-16-le"),
        (b"Zoe \x81", "cp1252", "Zoe ", "byte 0x81 at offset 4 is not cp1252"),
        ("夏目 ".encode("shift_jis") + b"\x81 ", "shift_jis", "夏目 ", "byte 0x81 at offset 5 is not shift_jis"),
        ("夏目".encode("iso2022_jp") + b" \xff", "iso2022_jp", "夏目 ", "byte 0xff at offset 11 is not iso2022_jp"),
    ],
)
def test_a_bad_byte_is_named_after_the_text_before_it(
    content: bytes, encoding: str, text: str, fault: str, piece: int
) -> None:
    assert decode(content, encoding, piece)[:2] == (text, fault)


@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("content", "encoding", "text", "count"),
    [
        (b"Zo\xeb \xff\xffx", "utf-8", "Zo\ufffd \ufffd\ufffdx", 3),
        ("a \ufffd b".encode() + b"\xeb", "utf-8", "a \ufffd b\ufffd", 1),
        (b"a \x81 b", "cp1252", "a \ufffd b", 1),
        ("\ufffd".encode("utf-16-le") + b"\x00\xdc" + b"a\0", "utf-16-le", "\ufffd\ufffda", 1),
        (b"a\0b", "utf-16-le", "a\ufffd", 1),
        (b"fine", "ascii", "fine", 0),
    ],
)
def test_what_cannot_be_decoded_is_replaced_and_counted(
    content: bytes, encoding: str, text: str, count: int, piece: int
) -> None:
    found, fault, decoder = decode(content, encoding, piece, replace=True)
    assert (found, fault, decoder.replaced) == (text, None, count)


@given(st.binary(max_size=40), st.sampled_from(["utf-8", "utf-16-le", "cp1252", "shift_jis", "iso2022_jp"]), st.data())
def test_pieces_make_no_difference(content: bytes, encoding: str, data: st.DataObject) -> None:
    piece = data.draw(st.integers(1, 10))
    for replace in (False, True):
        whole, parts = (decode(content, encoding, size, replace=replace) for size in (100, piece))
        assert whole[:2] == parts[:2]
        assert whole[2].replaced == parts[2].replaced


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(1, 9))
def test_every_text_survives_utf8(text: str, piece: int) -> None:
    assert decode(text.encode(), piece=piece)[:2] == (text, None)


def test_nul_bytes_make_it_likely_that_this_is_no_text() -> None:
    decoder = Decoder("file")
    decoder.decode(b"\x7fELF\x02\x01\0\0\0\xff")
    assert decoder.fault is not None
    assert decoder.fault.message == "byte 0xff at offset 9 is not UTF-8"
    assert decoder.fault.hint is not None and "may be no text at all" in decoder.fault.hint


@pytest.mark.parametrize(
    ("name", "usual"),
    [("UTF8", "utf-8"), ("utf-8-sig", "utf-8"), ("latin1", "iso8859-1"), ("windows-1252", "cp1252"), ("AUTO", "auto")],
)
def test_an_encoding_has_many_names(name: str, usual: str) -> None:
    assert check_encoding(name) == usual


@pytest.mark.parametrize("name", ["klingon", "", "rot13", "hex", "idna", "unicode_escape", "undefined", "a\0b", "é"])
def test_what_is_no_encoding_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"there is no encoding '.*'\n  hint: Among them are utf-8, utf-16"):
        check_encoding(name)


def test_guessing_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "charset_normalizer", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"--encoding auto needs .*pip install 'nertag\[encodings\]'"):
        check_encoding("auto")


GUESSED = {
    "cp1252": "Élodie a rencontré François à la gare, près de l'hôtel où est née Zoé.\n",
    "cp1251": "Мы встретили Ивана Сорокина вчера вечером у вокзала.\n",
    "koi8_r": "Мы встретили Ивана Сорокина вчера вечером у вокзала.\n",
    "cp1253": "Χθες συναντήσαμε τον Νίκο Ανδρέου στην Αθήνα.\n",
    "cp932": "昨日、山田花子さんに東京で会いました。\n",
    "gb18030": "昨天我们在北京见到了王小明,他很高兴。\n",
    "utf_16_le": "Zoë met Łukasz at the station yesterday.\n",
    "utf_16_be": "Zoë met Łukasz at the station yesterday.\n",
}


@pytest.mark.skipif(find_spec("charset_normalizer") is None, reason="charset-normalizer is not installed")
@pytest.mark.parametrize("encoding", GUESSED)
def test_an_encoding_is_guessed(encoding: str) -> None:
    content = (GUESSED[encoding] * 3).encode(encoding)
    text, fault, decoder = decode(content, "auto")
    assert (text, fault, decoder.guessed) == (GUESSED[encoding] * 3, None, encoding)


@pytest.mark.skipif(find_spec("charset_normalizer") is None, reason="charset-normalizer is not installed")
def test_nothing_is_guessed_where_it_is_utf8() -> None:
    assert decode(TEXT.encode(), "auto")[:2] == (TEXT, None)
    assert decode(TEXT.encode(), "auto")[2].guessed == ""
    text, fault, decoder = decode("Zoë waved ".encode() + b"\xe9\n", "auto")
    assert (text, fault, decoder.guessed) == ("Zoë waved ", "byte 0xe9 at offset 11 is not UTF-8", "")


@pytest.mark.skipif(find_spec("charset_normalizer") is None, reason="charset-normalizer is not installed")
def test_the_first_byte_that_is_no_ascii_decides() -> None:
    before = "Tom waved.\n" * 20
    after = "Élodie était là, près de François.\n" * 3
    text, fault, decoder = decode(before.encode() + after.encode("cp1252"), "auto", 100)
    assert (text, fault, decoder.guessed) == (before + after, None, "cp1252")


@pytest.mark.parametrize("name", ["utf-16", "utf-32"])
@pytest.mark.parametrize("replace", [False, True])
def test_without_its_mark_nobody_knows_which_utf16_it_is(name: str, replace: bool) -> None:
    for content in (b"\x00\xdf", "Zoë".encode(f"{name}-le")):
        assert decode(content, name, replace=replace)[1] == f"{name} text must begin with a byte order mark"
    assert decode("Zoë".encode(name), name, 1)[:2] == ("\ufeffZoë", None)
    assert decode(b"", name)[:2] == ("", None)
