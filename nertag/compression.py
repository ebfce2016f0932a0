"""Compressed bytes in, plain ones out, as they come: gzip, bzip2, xz and Zstandard."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, Protocol

from nertag.errors import InputError, MissingExtraError

Method = Literal["gzip", "bzip2", "xz", "zstd"]

# What bzip2 makes begins like a text; with its tenth byte none does any more.
_MAGIC: dict[bytes, Method] = {
    b"\x1f\x8b\x08": "gzip",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    **{b"BZh%d1AY&SY" % level: "bzip2" for level in range(1, 10)},
}
_MEMORY = 1 << 30  # Bytes that an xz file may ask for; `xz -9` asks for 65 MiB.
_PIECE = 1 << 18  # The most bytes that are made at once, however well they were packed.

_Chunks = Iterator["bytes | None"]


class _Decompressor(Protocol):
    """What the decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool:
        """Whether what it decompresses has ended."""

    @property
    def unused_data(self) -> bytes:
        """What follows it."""

    @property
    def needs_input(self) -> bool:
        """Whether there is no more to come without more data."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Decompress."""


def recognized(head: bytes) -> Method | None:
    """Return the method that bytes at the start of a source tell; None if they are none of a compressed source."""
    return next((method for magic, method in _MAGIC.items() if head.startswith(magic)), None)


def may_become(head: bytes) -> bool:
    """Whether more bytes are needed to tell."""
    return any(len(head) < len(magic) and magic.startswith(head) for magic in _MAGIC)


def decompressed(chunks: _Chunks, method: Method, source: str) -> _Chunks:
    """Decompress a source, which may be several compressed ones one after another.

    Args:
        chunks: Its bytes, and None where it pauses.
        method: How it is compressed.
        source: Its name for messages.

    Yields:
        Pieces of at least one byte; None where it pauses.

    Raises:
        InputError: If it is damaged or ends too early, after what could be decompressed.
        MissingExtraError: If what decompresses it is not installed.
    """
    new, error = _tools(method, source)
    decompressor: _Decompressor | None = None  # None between two of them.
    begun = False
    for chunk in chunks:
        if chunk is None:
            yield None
            continue
        data = chunk
        while True:
            if decompressor is None:
                data = data.lstrip(b"\0") if begun else data  # Tapes and xz leave room between two.
                if not data:
                    break
                decompressor, begun = new(), True
            try:
                piece = decompressor.decompress(data, _PIECE)
            except error as fault:
                message = f"damaged: from here on it is nothing that {method} has made ({fault})"
                raise InputError(message, path=source) from None
            data = b""
            if decompressor.eof:
                data, decompressor = decompressor.unused_data, None
            if piece:
                yield piece
            if decompressor is not None and decompressor.needs_input:
                break
    if decompressor is not None or not begun:
        raise InputError(f"damaged: it ends in the middle of what {method} has made", path=source)


def _tools(method: Method, source: str) -> tuple[Callable[[], _Decompressor], type[Exception]]:
    """Return what makes decompressors, and what they raise if the bytes are damaged.

    Raises:
        MissingExtraError: If this Python has nothing for the method.
    """
    if method == "gzip":
        import zlib

        return _Gzip, zlib.error
    if method == "bzip2":
        import bz2

        return bz2.BZ2Decompressor, OSError
    if method == "xz":
        import lzma

        return partial(lzma.LZMADecompressor, memlimit=_MEMORY), lzma.LZMAError
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        message = "to read .zst files, nertag needs backports.zstd: run pip install 'nertag[zstd]'"
        raise MissingExtraError(message, path=source) from None
    return zstd.ZstdDecompressor, zstd.ZstdError


class _Gzip:
    """Decompresses one member of a gzip file, with the manners of the other decompressors."""

    def __init__(self) -> None:
        import zlib

        self._stream = zlib.decompressobj(wbits=31)
        self._tail = b""
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        """What follows the member."""
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Decompress; what would be more than `max_length` bytes comes with the next call."""
        piece = self._stream.decompress(self._tail + data, max_length)
        self._tail = self._stream.unconsumed_tail
        self.needs_input = not self._tail and len(piece) < max_length
        return piece
