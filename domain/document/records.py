"""A document, its chunks, its passages and its vectors, as the downstream stores take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sagaledger.domain.document.values import DocumentOwner

__all__ = [
    "ChunkRow",
    "DocumentRecord",
    "ExtractedText",
    "Page",
    "Passage",
    "VectorHit",
    "VectorRow",
]


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a document's text: a page of a PDF, a section or block of other formats."""

    number: int
    """From 1."""
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that is embedded and found as one."""

    number: int
    """From 0, over the whole document."""
    page: int
    """The page it begins on, from 1."""
    text: str


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """The text of a document, to be read once."""

    media_type: str
    note: str
    """Why there is no text or not all of it (`binary file`, `damaged PDF: …`), or empty."""
    pages: Iterator[Page]


@dataclass(frozen=True, slots=True)
class VectorRow:
    """One vector of a document."""

    passage: int
    vector: bytes


@dataclass(frozen=True, slots=True)
class VectorHit:
    """A passage near to a query."""

    document_id: str
    saga_id: str
    passage: int
    score: float
    """Cosine similarity, from -1 to 1."""


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk as the downstream stores know it."""

    index: int
    size_bytes: int
    sha256: str
    key: str


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document as the graph and relational stores know it."""

    document_id: str
    saga_id: str
    upload_id: str
    namespace: str
    content_id: str
    sha256: str
    source_name: str
    size_bytes: int
    chunk_size_bytes: int
    chunk_count: int
    passage_count: int
    media_type: str
    text_note: str
    classification: str
    embedder: str
    created_us: int
    """When its saga began, in microseconds since the epoch."""

    @property
    def owner(self) -> DocumentOwner:
        """The key of all its rows."""
        return DocumentOwner(self.document_id, self.saga_id)

    @property
    def item_count(self) -> int:
        """How many nodes or rows stand for it: itself, its chunks and its passages."""
        return 1 + self.chunk_count + self.passage_count
