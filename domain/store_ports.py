"""The ports of the downstream stores and of what prepares documents for them.

Every row carries its owner: the document and the saga that made it. `upsert` leaves exactly the
given rows for the owner, however often and from whatever state it is run; `delete` and `count`
touch no other owner's rows. On return the effect is durable.

Two workers may write for one owner: one that was stopped for a while, and the one that took its
saga over. `upsert` and `put` are therefore given a fence, and change nothing once it has raised
(decision 0007).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeAlias

from sagaledger.domain.values import DocumentOwner, EmbedderIdentity

__all__ = [
    "ChunkRow",
    "DocumentRecord",
    "Embedder",
    "ExtractedText",
    "Fence",
    "GraphStore",
    "ManifestStore",
    "Page",
    "Passage",
    "RelationalStore",
    "Signer",
    "TextExtractor",
    "VectorHit",
    "VectorRow",
    "VectorStore",
]


Fence: TypeAlias = Callable[[], None]
"""Raises what ends the writer's right to write. A store calls it in every transaction that writes,
once nobody else can write: whoever may not write any more then changes nothing of what the next
owner wrote, and whoever takes over later writes after this transaction."""


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


class TextExtractor(Protocol):
    """Finds the text of a file, page by page, in memory that does not grow with the file."""

    def extract(self, file: BinaryIO, name: str) -> ExtractedText:
        """The text of a seekable file; `name` helps to tell the format.

        A file without text, or one whose damage shows at once, is not an error: the note says so.

        Raises:
            TextDamagedError: from `pages`, where damage shows only on the way.
        """


class Embedder(Protocol):
    """Turns passages into vectors, the same for the same text."""

    @property
    def identity(self) -> EmbedderIdentity:
        """Name and dimension, stored with the vectors."""

    def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        """A vector of unit length (or zero) per text, as little-endian 32-bit floats."""


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


class VectorStore(Protocol):
    """Vectors of passages."""

    @property
    def name(self) -> str:
        """What events and residue call this store."""

    def prepare(self, embedder: EmbedderIdentity) -> None:
        """Bind the store to one embedder, the first time for good.

        Raises:
            EmbedderMismatchError: it holds vectors of another one.
        """

    def upsert(self, owner: DocumentOwner, rows: Iterable[VectorRow], fence: Fence) -> int:
        """Leave exactly these vectors for the owner. Returns how many.

        Raises:
            VectorInvalidError: one is of another length, or not made of numbers.
        """

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's vectors. Returns how many there were."""

    def count(self, owner: DocumentOwner) -> int:
        """How many vectors the owner has."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has vectors."""

    def search(self, vector: bytes, limit: int) -> Sequence[VectorHit]:
        """The nearest vectors of any owner, nearest first."""

    def close(self) -> None:
        """Release files."""


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


class GraphStore(Protocol):
    """Document, chunk and passage nodes with their relations.

    Chunk and passage nodes are part of, and extracted from, their document and lead to the next;
    documents with the same content are linked both ways.
    """

    @property
    def name(self) -> str:
        """What events and residue call this store."""

    def upsert(
        self,
        document: DocumentRecord,
        chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        fence: Fence,
    ) -> int:
        """Leave exactly these nodes and their relations for the owner. Returns how many nodes."""

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's nodes and every relation of theirs. Returns how many nodes."""

    def count(self, owner: DocumentOwner) -> int:
        """How many nodes the owner has."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has nodes."""

    def same_content(self, document_id: str) -> Sequence[str]:
        """Ids of the other documents linked as holding the same bytes."""

    def close(self) -> None:
        """Release files."""


class RelationalStore(Protocol):
    """Rows of documents, chunks and passages; what readers may see is decided here."""

    @property
    def name(self) -> str:
        """What events and residue call this store."""

    def upsert(
        self,
        document: DocumentRecord,
        chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        fence: Fence,
    ) -> int:
        """Leave exactly these rows for the owner, in state `pending`. Returns how many.

        Rows that are committed already stay committed.
        """

    def commit(self, owner: DocumentOwner) -> int:
        """Flip the owner's rows from `pending` to `committed` in one transaction.

        Returns:
            How many document rows are committed now: 1, or 0 if there is no such document.
        """

    def hide(self, owner: DocumentOwner) -> int:
        """Take a committed document out of readers' sight in one transaction, before deletion."""

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's rows. Returns how many there were."""

    def count(self, owner: DocumentOwner) -> int:
        """How many rows the owner has, in any state."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has rows."""

    def documents(self, limit: int = 1000) -> Sequence[DocumentRecord]:
        """Committed documents, newest first."""

    def find(self, id_prefix: str) -> Sequence[DocumentRecord]:
        """Committed documents whose id begins so."""

    def with_size(self, namespace: str, size_bytes: int) -> Sequence[DocumentRecord]:
        """Committed documents of a namespace with this size: candidates for equal content."""

    def committed_among(self, owners: Sequence[DocumentOwner]) -> frozenset[DocumentOwner]:
        """Which of these owners' documents are committed."""

    def passages(self, owner: DocumentOwner, numbers: Sequence[int]) -> dict[int, Passage]:
        """Committed passages by number; absent ones are left out."""

    def close(self) -> None:
        """Release files and connections."""


class Signer(Protocol):
    """Signs manifests with this installation's key."""

    @property
    def key_id(self) -> str:
        """A fingerprint of the public key."""

    @property
    def public_key(self) -> bytes:
        """The raw public key, stored beside each signature."""

    def sign(self, message: bytes) -> bytes:
        """The signature over a message."""

    def is_valid(self, message: bytes, signature: bytes, public_key: bytes) -> bool:
        """Whether the signature over the message was made with the key that belongs to this."""


class ManifestStore(Protocol):
    """Signed manifests, one record per document."""

    @property
    def name(self) -> str:
        """What events and residue call this store."""

    def put(self, owner: DocumentOwner, manifest: bytes, fence: Fence) -> None:
        """Store or replace the owner's manifest, durably."""

    def get(self, document_id: str) -> bytes | None:
        """The manifest, or None."""

    def delete(self, owner: DocumentOwner) -> bool:
        """Remove the owner's manifest. False if there was none."""

    def count(self, owner: DocumentOwner) -> int:
        """1 if the owner has a manifest, else 0."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has a manifest."""
