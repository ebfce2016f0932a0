from __future__ import annotations

import bz2
import gzip
import lzma
import sys
from collections.abc import Callable
from itertools import islice

import pytest

from nertag import compression
from nertag.compression import Method, decompressed, may_become, recognized
from nertag.errors import InputError, MissingExtraError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESS: dict[Method, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
}
CONTENT = b"".join(b"Mira Olsen met Tom for the %d. time.\n" % number for number in range(2000))


def read(content: bytes, method: Method, piece: int = 1 << 16) -> bytes:
    chunks = iter([content[start : start + piece] for start in range(0, len(content), piece)])
    return b"".join(part for part in decompressed(chunks, method, "file") if part is not None)


@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
@pytest.mark.parametrize("method", COMPRESS)
def test_what_was_compressed_comes_back(method: Method, piece: int) -> None:
    assert read(COMPRESS[method](CONTENT), method, piece) == CONTENT
    assert read(COMPRESS[method](b""), method, piece) == b""


@pytest.mark.parametrize("piece", [1, 100, 1 << 16])
@pytest.mark.parametrize("method", COMPRESS)
def test_one_may_follow_another(method: Method, piece: int) -> None:
    both = COMPRESS[method](b"a\n") + COMPRESS[method](b"") + COMPRESS[method](b"b\n")
    assert read(both, method, piece) == b"a\nb\n"
    assert read(both + bytes(512), method, piece) == b"a\nb\n"


@pytest.mark.parametrize("method", COMPRESS)
def test_what_ends_too_early_gives_what_there_is_first(method: Method) -> None:
    whole = COMPRESS[method](CONTENT * 20)
    found = []
    with pytest.raises(InputError, match=f"^file: damaged: it ends in the middle of what {method} has made$"):
        for piece in decompressed(iter([whole[:-20]]), method, "file"):
            found.append(piece)
    assert (CONTENT * 20).startswith(b"".join(piece for piece in found if piece))
    assert found or method in ("bzip2", "zstd")  # These give nothing before a whole block.


@pytest.mark.parametrize("method", COMPRESS)
def test_damage_is_named(method: Method) -> None:
    for content in (b"no archive at all, just text", COMPRESS[method](CONTENT) + b"rubbish, not padding"):
        with pytest.raises(InputError, match=f"^file: damaged: from here on it is nothing that {method} has made"):
            read(content, method)
    with pytest.raises(InputError, match="^file: damaged: it ends"):
        read(b"", method)


@pytest.mark.parametrize("method", COMPRESS)
def test_a_change_inside_never_gives_another_text(method: Method) -> None:
    if method == "zstd":
        options = {int(zstd.CompressionParameter.checksum_flag): 1}
        whole = zstd.compress(CONTENT, options=options)
    else:
        whole = COMPRESS[method](CONTENT)
    for place in range(len(whole) // 3, len(whole), len(whole) // 7):
        changed = whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :]
        try:
            assert read(changed, method) == CONTENT  # A bit that says nothing.
        except InputError as error:
            assert error.message.startswith("damaged: ")


@pytest.mark.parametrize("method", COMPRESS)
def test_little_that_becomes_much_is_not_in_hand_at_once(method: Method) -> None:
    bomb = COMPRESS[method](bytes(1 << 24))
    assert len(bomb) < 1 << 15
    sizes = [len(piece) for piece in decompressed(iter([bomb]), method, "file") if piece]
    assert sum(sizes) == 1 << 24
    assert max(sizes) <= compression._PIECE


def test_a_pause_is_handed_on() -> None:
    first, second = gzip.compress(b"a\n"), gzip.compress(b"b\n")
    assert list(decompressed(iter([first, None, second, None]), "gzip", "-")) == [b"a\n", None, b"b\n", None]


def test_an_endless_stream_is_read_as_it_comes() -> None:
    def chunks() -> object:
        while True:
            yield gzip.compress(b"a\n")

    assert list(islice(decompressed(chunks(), "gzip", "-"), 3)) == [b"a\n"] * 3  # type: ignore[arg-type]


@pytest.mark.parametrize("method", COMPRESS)
def test_first_bytes_tell_the_method(method: Method) -> None:
    head = COMPRESS[method](CONTENT)
    assert recognized(head) == method
    assert may_become(head[:2])
    assert not may_become(head[:10])


@pytest.mark.parametrize("text", [b"", b"BZh9 was here", b"(c) Tom", b"B", b"BZ", b"plain", "\ufdff".encode()])
def test_text_is_not_taken_for_an_archive(text: bytes) -> None:
    assert recognized(text) is None


def test_zstandard_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("backports", "backports.zstd", "compression", "compression.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"x\.zst: .*needs backports\.zstd: run pip install 'nertag\[zstd\]'$"):
        list(decompressed(iter([b"x"]), "zstd", "x.zst"))
