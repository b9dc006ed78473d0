"""Deterministic rows of documents, which the contract classes write."""

from __future__ import annotations

from array import array

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage, VectorRow
from sagaledger.domain.document.values import DocumentOwner, EmbedderIdentity

__all__ = [
    "DIMENSION",
    "EMBEDDER",
    "chunk_rows",
    "document_of",
    "owner_of",
    "passage_rows",
    "vector",
    "vector_rows",
]

DIMENSION = 4
EMBEDDER = EmbedderIdentity("test", DIMENSION)


def owner_of(number: int) -> DocumentOwner:
    """The owner of one document."""
    return DocumentOwner(f"default-aa-{number:08d}", f"{number:032x}")


def document_of(number: int, content: str = "aa", created_us: int = 1) -> DocumentRecord:
    """A document; documents with the same content hold the same bytes."""
    owner = owner_of(number)
    return DocumentRecord(
        document_id=owner.document_id,
        saga_id=owner.saga_id,
        upload_id=f"{number + 1:032x}",
        namespace="default",
        content_id=f"default-{content}",
        sha256=content * 32,
        source_name=f"file {number}.txt",
        size_bytes=1000,
        chunk_size_bytes=100,
        chunk_count=10,
        passage_count=5,
        media_type="text/plain",
        text_note="",
        classification="internal",
        embedder="hashing-v1",
        created_us=created_us,
    )


def chunk_rows(count: int) -> list[ChunkRow]:
    """Chunks 0 and up."""
    return [ChunkRow(index, 100, f"{index:064x}", f"prefix/{index:08d}") for index in range(count)]


def passage_rows(count: int, text: str = "words") -> list[Passage]:
    """Passages 0 and up, three to a page."""
    return [Passage(number, 1 + number // 3, f"{text} {number}") for number in range(count)]


def vector(*numbers: float) -> bytes:
    """A vector of four numbers, of any length."""
    return array("f", [*numbers, *([0.0] * (DIMENSION - len(numbers)))]).tobytes()


def vector_rows(count: int) -> list[VectorRow]:
    """Vectors of passages 0 and up, no two in the same direction."""
    return [VectorRow(number, vector(1.0, number / max(count, 1))) for number in range(count)]
