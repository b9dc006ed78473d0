"""The records of a document, its chunks, passages and vectors for the downstream stores."""

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
    """A section of a document's text: a page of a PDF, a section or block of other formats."""

    number: int
    """The page number, from 1."""
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that is embedded and found as a unit."""

    number: int
    """The passage number within the document, from 0."""
    page: int
    """The page of its first word, from 1."""
    text: str


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """The text of a document. It can be read once."""

    media_type: str
    note: str
    """Why text is missing (`binary file`, `damaged PDF: …`), or empty."""
    pages: Iterator[Page]


@dataclass(frozen=True, slots=True)
class VectorRow:
    """One vector of a document."""

    passage: int
    vector: bytes


@dataclass(frozen=True, slots=True)
class VectorHit:
    """A passage that is similar to a query."""

    document_id: str
    saga_id: str
    passage: int
    score: float
    """Cosine similarity, from -1 to 1."""


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk's record in the downstream stores."""

    index: int
    size_bytes: int
    sha256: str
    key: str


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document's record in the graph and relational stores."""

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
    """When its saga started, in microseconds since the epoch."""

    @property
    def owner(self) -> DocumentOwner:
        """The key of all its rows."""
        return DocumentOwner(self.document_id, self.saga_id)

    @property
    def item_count(self) -> int:
        """The number of its nodes or rows: the document, its chunks and its passages."""
        return 1 + self.chunk_count + self.passage_count
