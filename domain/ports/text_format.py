"""The port of one document format."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from sagaledger.domain.document.records import ExtractedText
from sagaledger.domain.document.text_sample import TextSample

__all__ = ["TextFormat"]


class TextFormat(Protocol):
    """Reads the text of files of one format.

    Formats are asked one after the other, those of other packages before those that ship, and the
    first that gives a text is taken. What a format makes of a file depends on its bytes and name
    alone: the text is read again wherever a saga goes on.
    """

    def extract(self, file: BinaryIO, sample: TextSample) -> ExtractedText | None:
        """The text of a seekable file, or None if the file is of another format.

        The file may be at any position. Memory must not grow with the file. An error of the file
        itself passes through unchanged.

        Raises:
            TextDamagedError: from `pages`, where damage shows only on the way.
        """
