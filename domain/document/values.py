"""The identity of a document, its owner and its embedder."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

__all__ = [
    "Classification",
    "DocumentOwner",
    "EmbedderIdentity",
    "content_id_of",
    "document_id_of",
    "document_stream_of",
]


class Classification(StrEnum):
    """How confidential a document is, from least to most."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    SECRET = "secret"  # noqa: S105 - a classification level, not a password


@dataclass(frozen=True, slots=True)
class DocumentOwner:
    """The document and the saga that wrote its rows: the key of every item in a store."""

    document_id: str
    saga_id: str
    """The saga's id as 32 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class EmbedderIdentity:
    """The embedder of a store's vectors. A store never mixes vectors of two embedders."""

    name: str
    dimension: int


def content_id_of(namespace: str, sha256: bytes) -> str:
    """The content address within a namespace; equal for identical content."""
    return f"{namespace}:sha256:{sha256.hex()}"


def document_id_of(namespace: str, sha256: bytes, saga_id: UUID) -> str:
    """A document's id: namespace, content address, and the saga that owns the rows.

    The saga is part of the id because two documents may have the same content, and undoing one
    must never change the other (decision 0003).
    """
    return f"{namespace}-{sha256.hex()[:24]}-{saga_id.hex[:12]}"


def document_stream_of(saga_id: UUID) -> UUID:
    """The stream of the facts of the one document that a saga makes."""
    return uuid5(saga_id, "document")
