"""Detects the encoding of a text file, and decodes it piece by piece."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

__all__ = ["TextEncoding", "decode_file", "detect_encoding", "is_binary", "read_sample"]

SAMPLE_BYTES = 64 * 1024
"""The size of the sample that determines a file's format and encoding."""
PIECE_BYTES = 64 * 1024
"""A file is read in pieces of this size."""
CONTROL_SHARE = 0.05
"""A file whose sample has a larger share of control characters is binary."""


@dataclass(frozen=True, slots=True)
class TextEncoding:
    """How to decode the bytes of a file. Decoding never fails."""

    codec: str
    errors: str
    mark_bytes: int = 0
    """The size of the byte order mark, which is not text."""
    note: str = ""
    """A remark on the choice for the reader, or empty."""

    def decode(self, sample: bytes) -> str:
        """Decode a file's first bytes; an incomplete last character is omitted."""
        decoder = codecs.getincrementaldecoder(self.codec)(self.errors)
        return decoder.decode(sample[self.mark_bytes :])


def read_sample(file: BinaryIO) -> bytes:
    """The first `SAMPLE_BYTES` of a file, or all of a shorter one."""
    file.seek(0)
    sample = b""
    while len(sample) < SAMPLE_BYTES:
        piece = file.read(SAMPLE_BYTES - len(sample))
        if not piece:
            break
        sample += piece
    return sample


def detect_encoding(sample: bytes) -> TextEncoding:
    """The encoding that the byte order mark names, else UTF-8, else Windows-1252.

    In a UTF-8 file, each byte that is not valid UTF-8 is read as Windows-1252. A Western text is
    therefore decoded correctly even if its first byte that is not ASCII comes after the sample.
    """
    for mark, codec in _MARKS:
        if sample.startswith(mark):
            return TextEncoding(codec, _errors_for(codec), len(mark))
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        if sample.decode("utf-8", errors="ignore").isascii():
            return TextEncoding("cp1252", "replace", note="not UTF-8: read as Windows-1252")
        note = "not all of it is UTF-8: the rest is read as Windows-1252"
        return TextEncoding("utf-8", _WINDOWS_1252, note=note)
    return TextEncoding("utf-8", _WINDOWS_1252)


def is_binary(sample: str) -> bool:
    """Whether a decoded sample is binary: it has a NUL or too many control characters."""
    return "\x00" in sample or len(_NOT_TEXT.findall(sample)) > CONTROL_SHARE * len(sample)


def decode_file(file: BinaryIO, encoding: TextEncoding) -> Iterator[str]:
    """Decode a whole file in pieces that are never empty."""
    file.seek(encoding.mark_bytes)
    decoder = codecs.getincrementaldecoder(encoding.codec)(encoding.errors)
    while data := file.read(PIECE_BYTES):
        if piece := decoder.decode(data):
            yield piece
    if piece := decoder.decode(b"", final=True):
        yield piece


def _errors_for(codec: str) -> str:
    return _WINDOWS_1252 if codec == "utf-8" else "replace"


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return wrong.decode("cp1252", errors="replace"), error.end


_WINDOWS_1252 = "sagaledger.windows-1252"
codecs.register_error(_WINDOWS_1252, _as_windows_1252)

# The byte order marks of UTF-32 start with those of UTF-16, so UTF-32 comes first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Text may contain white space, backspace (manual pages) and escape (coloured logs).
_NOT_TEXT = re.compile("[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd]")
