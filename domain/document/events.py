"""The events of a document.

A stored event type is never changed: a new field or meaning is a new version with an upcaster in
the codec. Fields are stored by position, so their order is part of the format.
"""

from __future__ import annotations

from dataclasses import dataclass

from sagaledger.domain.history.envelope import Event

__all__ = [
    "DocumentCommitted",
    "DocumentDeleted",
    "DocumentEvent",
    "DocumentHidden",
    "DocumentIndexed",
    "DocumentSecured",
    "DocumentWithdrawn",
]


@dataclass(frozen=True, slots=True)
class DocumentSecured(Event):
    """The document has an id and a signed manifest. No reader sees it yet."""

    saga_id: str
    """The saga that makes the document and owns its rows, as 32 hexadecimal digits."""
    document_id: str
    namespace: str
    content_id: str
    sha256: bytes
    """Of the whole file."""
    classification: str
    key_id: str
    """Of the key that signed the manifest."""


@dataclass(frozen=True, slots=True)
class DocumentIndexed(Event):
    """The document's text was read, and the first downstream store holds all of it."""

    saga_id: str
    media_type: str
    note: str
    """Why there is no text or not all of it, or empty."""
    passages: int
    embedder: str
    """The name of the embedder whose vectors go with the document."""


@dataclass(frozen=True, slots=True)
class DocumentCommitted(Event):
    """Readers see the document, whole and in every store."""

    saga_id: str


@dataclass(frozen=True, slots=True)
class DocumentHidden(Event):
    """Readers no longer see the document: its deletion has begun, and only goes forward."""

    saga_id: str
    deletion_saga_id: str
    """The saga that deletes it, as 32 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class DocumentDeleted(Event):
    """Every store was emptied of the document, and asked for it afterwards."""

    saga_id: str
    deletion_saga_id: str


@dataclass(frozen=True, slots=True)
class DocumentWithdrawn(Event):
    """A rollback has removed the manifest: no reader has seen the document, and none will."""

    saga_id: str


DocumentEvent = (
    DocumentSecured
    | DocumentIndexed
    | DocumentCommitted
    | DocumentHidden
    | DocumentDeleted
    | DocumentWithdrawn
)
