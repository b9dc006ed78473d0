"""The text layer of PDF files, through pdfium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import RLock
from typing import BinaryIO

import pypdfium2  # type: ignore[import-untyped]  # it ships no types
from pypdfium2 import raw as pdfium
from sagaledger.domain.document.errors import TextDamagedError
from sagaledger.domain.document.records import ExtractedText, Page
from sagaledger.infrastructure.text.kept_failure import FailureKeepingFile
from sagaledger.infrastructure.text.paging import clean_text

__all__ = ["PAGES_PER_OPENING", "PDF_MEDIA_TYPE", "pdf_text"]

PDF_MEDIA_TYPE = "application/pdf"
PAGES_PER_OPENING = 1000
"""pdfium frees memory only when a document is closed, so it is reopened after this many pages."""


def pdf_text(file: BinaryIO) -> ExtractedText:
    """The text of each page; empty for a page that has only pictures."""
    try:
        with _opened(file) as (document, _):
            page_count = len(document)
    except pypdfium2.PdfiumError as error:
        return ExtractedText(PDF_MEDIA_TYPE, _note(error), iter(()))
    return ExtractedText(PDF_MEDIA_TYPE, "", _pages(file, page_count))


# pdfium is not thread-safe. The lock is held during each call, but not while the consumer has a
# page. It is reentrant, because the garbage collector may close an abandoned iterator and its
# document during a call for another document.
_PDFIUM = RLock()

# The character that pdfium returns for a hyphen at the end of a line.
_LINE_END_HYPHEN = "\ufffe"


def _pages(file: BinaryIO, page_count: int) -> Iterator[Page]:
    for first in range(0, page_count, PAGES_PER_OPENING):
        try:
            with _opened(file) as (document, source):
                for index in range(first, min(first + PAGES_PER_OPENING, page_count)):
                    yield Page(index + 1, _page_text(document, index, source))
        except pypdfium2.PdfiumError as error:
            raise TextDamagedError(_note(error)) from error


@contextmanager
def _opened(file: BinaryIO) -> Iterator[tuple[pypdfium2.PdfDocument, FailureKeepingFile]]:
    source = FailureKeepingFile(file)
    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(source)
        except pypdfium2.PdfiumError:
            source.raise_failure()
            raise
    try:
        # After a failed read pdfium may have opened an incomplete document.
        source.raise_failure()
        yield document, source
    finally:
        with _PDFIUM:
            document.close()


def _page_text(document: pypdfium2.PdfDocument, index: int, source: FailureKeepingFile) -> str:
    try:
        with _PDFIUM, closing(document[index]) as page, closing(page.get_textpage()) as text_page:
            text: str = text_page.get_text_range()
    except pypdfium2.PdfiumError as error:
        source.raise_failure()
        raise TextDamagedError(f"damaged PDF: page {index + 1} cannot be read") from error
    source.raise_failure()
    return clean_text(text.replace(_LINE_END_HYPHEN, ""))


def _note(error: pypdfium2.PdfiumError) -> str:
    match error.err_code:
        case pdfium.FPDF_ERR_PASSWORD:
            return "encrypted PDF: a password is needed"
        case pdfium.FPDF_ERR_SECURITY:
            return "encrypted PDF: an unknown kind of encryption"
        case pdfium.FPDF_ERR_SUCCESS:
            return "damaged PDF: it has no pages"
        case _:
            return "damaged PDF: its structure cannot be read"
