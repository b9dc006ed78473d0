"""A document's facts, stored together with the outcome of the step that makes them true."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.domain.document.events import DocumentEvent
from sagaledger.domain.document.state import Document, fold_document, unless_recorded
from sagaledger.domain.document.values import document_stream_of
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.definition import StepContext

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_store import EventStore

__all__ = ["known_document", "stage_fact"]


def known_document(log: EventStore, saga_id: UUID) -> Document:
    """The document of a saga, folded from its events.

    Raises:
        EventCorruptError: its history cannot be decoded.
    """
    stream = document_stream_of(saga_id)
    return fold_document(Document(stream), events_of(log.read_stream(stream)))


def stage_fact(
    log: EventStore, context: StepContext, fact: DocumentEvent, *, even_on_failure: bool = False
) -> None:
    """Stage a fact for the step's outcome, unless the log already holds it.

    Args:
        log: the event store with the document's history.
        context: the context of the step.
        fact: the fact that the step has made true.
        even_on_failure: whether the fact is true even if the step then fails.

    Raises:
        EventCorruptError: the document's history cannot be decoded.
    """
    document = known_document(log, UUID(fact.saga_id))
    if news := unless_recorded(document, fact):
        context.stage(document.id, document.version, news, even_on_failure=even_on_failure)
