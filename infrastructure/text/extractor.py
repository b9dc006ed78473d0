"""Tries the formats for a document's text, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO

from sagaledger.domain.document.records import ExtractedText
from sagaledger.domain.document.text_sample import TextSample
from sagaledger.infrastructure.text.decoding import detect_encoding, is_binary, read_sample
from sagaledger.infrastructure.text.formats import BINARY_MEDIA_TYPE, SHIPPED_FORMATS

if TYPE_CHECKING:
    from sagaledger.domain.ports.text_format import TextFormat

__all__ = ["DocumentTextExtractor"]


class DocumentTextExtractor:
    """Reads PDF, Word, HTML, Markdown and plain text. Content takes precedence over the file name.

    Errors of the file itself pass through unchanged.
    """

    def __init__(self, formats: Sequence[TextFormat] = SHIPPED_FORMATS) -> None:
        """Try these formats, in this order; the last one must accept every file."""
        self._formats = formats

    def extract(self, file: BinaryIO, name: str) -> ExtractedText:
        """The text of a seekable file; `name` helps to detect the format.

        Raises:
            TextDamagedError: From `pages`, if damage is detected while reading.
            StorageBackendError: from `pages`, if a temporary file cannot be written.
        """
        start = read_sample(file)
        if not start:
            return ExtractedText(BINARY_MEDIA_TYPE, "empty file", iter(()))
        sample = _sample_of(start, PurePath(name).name)
        found = (text_format.extract(file, sample) for text_format in self._formats)
        text = next((text for text in found if text is not None), None)
        assert text is not None, "the last format takes every file"
        return text


def _sample_of(start: bytes, name: str) -> TextSample:
    encoding = detect_encoding(start)
    # A NUL settles it, and other bytes than text are slow to decode.
    has_nul = not encoding.mark_bytes and b"\x00" in start
    text = "" if has_nul else encoding.decode(start)
    return TextSample(name, start, text, is_binary=has_nul or is_binary(text))
