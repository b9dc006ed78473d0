"""The formats that ship: each tells its files by their first bytes, then by the name.

The module that reads a format is imported with the first file of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from sagaledger.domain.document.records import ExtractedText
from sagaledger.domain.document.text_sample import TextSample
from sagaledger.infrastructure.text.decoding import decode_file, detect_encoding
from sagaledger.infrastructure.text.paging import paged

if TYPE_CHECKING:
    from sagaledger.domain.ports.text_format import TextFormat

__all__ = [
    "BINARY_MEDIA_TYPE",
    "PLAIN_MEDIA_TYPE",
    "SHIPPED_FORMATS",
    "HtmlFormat",
    "MarkdownFormat",
    "PdfFormat",
    "PlainFormat",
    "WordFormat",
]

PLAIN_MEDIA_TYPE = "text/plain"
BINARY_MEDIA_TYPE = "application/octet-stream"

_HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
_MARKDOWN_SUFFIXES = frozenset({".md", ".markdown"})
_PDF_MARK = b"%PDF-"
_PDF_MARK_WITHIN = 1024
_ZIP_MARK = b"PK\x03\x04"


class PdfFormat:
    """PDF files, also those with junk before their mark."""

    def extract(self, file: BinaryIO, sample: TextSample) -> ExtractedText | None:
        """The text page by page; None if the file has no mark of a PDF, or only mentions it."""
        if not _is_pdf(sample):
            return None
        from sagaledger.infrastructure.text.pdf import pdf_text

        return pdf_text(file)


class WordFormat:
    """Word documents. Other zip files are taken too: they hold no text."""

    def extract(self, file: BinaryIO, sample: TextSample) -> ExtractedText | None:
        """The text of paragraphs and tables; None if the file is no zip file."""
        if not sample.start.startswith(_ZIP_MARK):
            return None
        from sagaledger.infrastructure.text.docx import docx_text

        return docx_text(file, expected=sample.suffix == ".docx") or _binary()


class MarkdownFormat:
    """Text files that are Markdown by their name."""

    def extract(self, file: BinaryIO, sample: TextSample) -> ExtractedText | None:
        """The text section by section; None if the name is another one or the file is binary."""
        if sample.is_binary or sample.suffix not in _MARKDOWN_SUFFIXES:
            return None
        from sagaledger.infrastructure.text.markdown import MARKDOWN_MEDIA_TYPE, markdown_pages

        encoding = detect_encoding(sample.start)
        pages = markdown_pages(decode_file(file, encoding))
        return ExtractedText(MARKDOWN_MEDIA_TYPE, encoding.note, pages)


class HtmlFormat:
    """Text files that are HTML by their name, or begin like it."""

    def extract(self, file: BinaryIO, sample: TextSample) -> ExtractedText | None:
        """The text without markup; None if the file is binary or not HTML."""
        named = sample.suffix in _HTML_SUFFIXES
        # The HTML module is slow to import, and most texts do not begin with a tag.
        if sample.is_binary or not (named or sample.text.lstrip().startswith("<")):
            return None
        from sagaledger.infrastructure.text.html import (
            HTML_MEDIA_TYPE,
            declared_encoding,
            html_pages,
            looks_like_html,
        )

        if not (named or looks_like_html(sample.text)):
            return None
        encoding = declared_encoding(sample.start, detect_encoding(sample.start))
        pages = html_pages(decode_file(file, encoding))
        return ExtractedText(HTML_MEDIA_TYPE, encoding.note, pages)


class PlainFormat:
    """Every file that no other format took: plain text, or no text at all."""

    def extract(self, file: BinaryIO, sample: TextSample) -> ExtractedText:
        """The text block by block; no pages if the file is binary."""
        if sample.is_binary:
            return _binary()
        encoding = detect_encoding(sample.start)
        return ExtractedText(PLAIN_MEDIA_TYPE, encoding.note, paged(decode_file(file, encoding)))


SHIPPED_FORMATS: tuple[TextFormat, ...] = (
    PdfFormat(),
    WordFormat(),
    MarkdownFormat(),
    HtmlFormat(),
    PlainFormat(),
)
"""In the order in which they are asked."""


def _is_pdf(sample: TextSample) -> bool:
    """Whether the mark of a PDF is there; a text that only mentions it is no PDF."""
    if sample.start.startswith(_PDF_MARK):
        return True
    is_likely = sample.is_binary or sample.suffix == ".pdf"
    return is_likely and _PDF_MARK in sample.start[:_PDF_MARK_WITHIN]


def _binary() -> ExtractedText:
    return ExtractedText(BINARY_MEDIA_TYPE, "binary file: no text", iter(()))
