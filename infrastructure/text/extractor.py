"""Tells a document's format and hands it to the module that reads it."""

from __future__ import annotations

from pathlib import PurePath
from typing import BinaryIO

from sagaledger.domain.document.records import ExtractedText
from sagaledger.infrastructure.text.decoding import (
    TextEncoding,
    decode_file,
    detect_encoding,
    is_binary,
    read_sample,
)
from sagaledger.infrastructure.text.paging import paged

__all__ = ["BINARY_MEDIA_TYPE", "PLAIN_MEDIA_TYPE", "DocumentTextExtractor"]

PLAIN_MEDIA_TYPE = "text/plain"
BINARY_MEDIA_TYPE = "application/octet-stream"


class DocumentTextExtractor:
    """Reads PDF, Word, HTML, Markdown and plain text; the content outranks the file's name.

    Errors of the file itself pass through unchanged.
    """

    def extract(self, file: BinaryIO, name: str) -> ExtractedText:
        """The text of a seekable file; `name` helps to tell the format.

        Raises:
            TextDamagedError: from `pages`, where damage shows only on the way.
            StorageBackendError: from `pages`, if a temporary file cannot be written.
        """
        sample = read_sample(file)
        if not sample:
            return ExtractedText(BINARY_MEDIA_TYPE, "empty file", iter(()))
        encoding = detect_encoding(sample)
        # A NUL settles it, and other bytes than text are slow to decode.
        has_nul = not encoding.mark_bytes and b"\x00" in sample
        text = "" if has_nul else encoding.decode(sample)
        binary = has_nul or is_binary(text)
        suffix = PurePath(name).suffix.lower()
        if _is_pdf(sample, suffix, binary=binary):
            from sagaledger.infrastructure.text.pdf import pdf_text

            return pdf_text(file)
        if sample.startswith(b"PK\x03\x04"):
            return _from_zip(file, suffix)
        if binary:
            return _binary()
        return _from_text(file, suffix, sample, encoding, text)


_HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
_MARKDOWN_SUFFIXES = frozenset({".md", ".markdown"})
_PDF_MARK = b"%PDF-"
_PDF_MARK_WITHIN = 1024


def _is_pdf(sample: bytes, suffix: str, *, binary: bool) -> bool:
    """Whether the mark of a PDF is there; a text that only mentions it is no PDF."""
    if sample.startswith(_PDF_MARK):
        return True
    return _PDF_MARK in sample[:_PDF_MARK_WITHIN] and (binary or suffix == ".pdf")


def _from_zip(file: BinaryIO, suffix: str) -> ExtractedText:
    from sagaledger.infrastructure.text.docx import docx_text

    return docx_text(file, expected=suffix == ".docx") or _binary()


def _binary() -> ExtractedText:
    return ExtractedText(BINARY_MEDIA_TYPE, "binary file: no text", iter(()))


def _from_text(
    file: BinaryIO, suffix: str, sample: bytes, encoding: TextEncoding, text: str
) -> ExtractedText:
    if suffix in _MARKDOWN_SUFFIXES:
        from sagaledger.infrastructure.text.markdown import MARKDOWN_MEDIA_TYPE, markdown_pages

        pages = markdown_pages(decode_file(file, encoding))
        return ExtractedText(MARKDOWN_MEDIA_TYPE, encoding.note, pages)
    # The HTML module is slow to import, and most texts do not begin with a tag.
    if suffix in _HTML_SUFFIXES or text.lstrip().startswith("<"):
        from sagaledger.infrastructure.text.html import (
            HTML_MEDIA_TYPE,
            declared_encoding,
            html_pages,
            looks_like_html,
        )

        if suffix in _HTML_SUFFIXES or looks_like_html(text):
            encoding = declared_encoding(sample, encoding)
            pages = html_pages(decode_file(file, encoding))
            return ExtractedText(HTML_MEDIA_TYPE, encoding.note, pages)
    return ExtractedText(PLAIN_MEDIA_TYPE, encoding.note, paged(decode_file(file, encoding)))
