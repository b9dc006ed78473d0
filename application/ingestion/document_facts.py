"""A document's facts, stored together with the outcome of the step that makes them true."""

from __future__ import annotations

from uuid import UUID

from sagaledger.domain.document.events import DocumentEvent
from sagaledger.domain.document.state import Document, fold_document, unless_told
from sagaledger.domain.document.values import document_stream_of
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.definition import StepContext

__all__ = ["known_document", "stage_fact"]


def known_document(log: EventStore, saga_id: UUID) -> Document:
    """The document that a saga makes, as the log knows it.

    Raises:
        EventCorruptError: its history cannot be decoded.
    """
    stream = document_stream_of(saga_id)
    return fold_document(Document(stream), events_of(log.read_stream(stream)))


def stage_fact(
    log: EventStore, context: StepContext, fact: DocumentEvent, *, even_on_failure: bool = False
) -> None:
    """Have a fact stored with the step's outcome, unless the log holds it already.

    Args:
        log: where the document's history is.
        context: that of the step.
        fact: what the step has made true.
        even_on_failure: whether it is true also where the step then fails.

    Raises:
        EventCorruptError: the document's history cannot be decoded.
    """
    document = known_document(log, UUID(fact.saga_id))
    if news := unless_told(document, fact):
        context.stage(document.id, document.version, news, even_on_failure=even_on_failure)
