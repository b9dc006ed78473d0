"""The port of text extraction."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from sagaledger.domain.document.records import ExtractedText

__all__ = ["TextExtractor"]


class TextExtractor(Protocol):
    """Extracts the text of a file, page by page, in memory independent of the file's size."""

    def extract(self, file: BinaryIO, name: str) -> ExtractedText:
        """The text of a seekable file; `name` helps to detect the format.

        A file without text, or with damage that is found at once, is not an error: see the note.

        Raises:
            TextDamagedError: from `pages`, if the damage is found while reading.
        """
