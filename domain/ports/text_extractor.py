"""The port of text extraction."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from sagaledger.domain.document.records import ExtractedText

__all__ = ["TextExtractor"]


class TextExtractor(Protocol):
    """Finds the text of a file, page by page, in memory that does not grow with the file."""

    def extract(self, file: BinaryIO, name: str) -> ExtractedText:
        """The text of a seekable file; `name` helps to tell the format.

        A file without text, or one whose damage shows at once, is not an error: the note says so.

        Raises:
            TextDamagedError: from `pages`, where damage shows only on the way.
        """
