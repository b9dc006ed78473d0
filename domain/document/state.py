"""The document: what the log says is true of one, and which fact is new to it.

The history of a document that version 1 of an ingestion made has no facts before its deletion.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from sagaledger.domain.document.events import (
    DocumentCommitted,
    DocumentDeleted,
    DocumentEvent,
    DocumentHidden,
    DocumentIndexed,
    DocumentSecured,
    DocumentWithdrawn,
)
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.errors import EventCorruptError

__all__ = ["Document", "DocumentStatus", "fold_document", "unless_recorded"]


class DocumentStatus(StrEnum):
    """Where a document stands. Readers see it while it is `COMMITTED`."""

    UNKNOWN = "unknown"
    """The log holds no fact of it."""
    SECURED = "secured"
    INDEXED = "indexed"
    COMMITTED = "committed"
    HIDDEN = "hidden"
    DELETED = "deleted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Document:
    """One document, as its own facts tell it."""

    id: UUID
    """Of its stream."""
    version: int = 0
    """How many facts there are."""
    status: DocumentStatus = DocumentStatus.UNKNOWN
    recorded: frozenset[type[DocumentEvent]] = frozenset()
    """The types of the recorded facts: each is recorded once."""


def fold_document(document: Document, recorded: Iterable[RecordedEvent]) -> Document:
    """The document after these events.

    Raises:
        EventCorruptError: an event is no fact of a document.
    """
    for item in recorded:
        event = item.event
        if not isinstance(event, DocumentEvent):
            detail = f"{type(event).__name__} in the history of a document"
            raise EventCorruptError(item.originator_id.hex, item.originator_version, detail)
        document = Document(
            document.id,
            item.originator_version,
            _status_after(event),
            document.recorded | {type(event)},
        )
    return document


def unless_recorded(document: Document, fact: DocumentEvent) -> list[DocumentEvent]:
    """The fact, or nothing where the log holds it: a step may run again after it was stored."""
    return [] if type(fact) in document.recorded else [fact]


def _status_after(event: DocumentEvent) -> DocumentStatus:
    match event:
        case DocumentSecured():
            return DocumentStatus.SECURED
        case DocumentIndexed():
            return DocumentStatus.INDEXED
        case DocumentCommitted():
            return DocumentStatus.COMMITTED
        case DocumentHidden():
            return DocumentStatus.HIDDEN
        case DocumentDeleted():
            return DocumentStatus.DELETED
        case DocumentWithdrawn():
            return DocumentStatus.WITHDRAWN
        case _:
            assert_never(event)
