"""Shortest ways to extract text from bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable

from sagaledger.domain.document.records import ExtractedText, Page
from sagaledger.infrastructure.text import DocumentTextExtractor

__all__ = ["extract", "words"]


def extract(content: bytes, name: str = "document") -> ExtractedText:
    """What the extractor makes of a file with this content."""
    return DocumentTextExtractor().extract(io.BytesIO(content), name)


def words(pages: Iterable[Page]) -> list[str]:
    """The words of all pages in order."""
    return " ".join(page.text for page in pages).split()
