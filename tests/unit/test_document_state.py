"""A document is what its facts say, and each fact is told once."""

from __future__ import annotations

from uuid import UUID

import pytest
from sagaledger.domain.document.events import (
    DocumentCommitted,
    DocumentDeleted,
    DocumentEvent,
    DocumentHidden,
    DocumentIndexed,
    DocumentSecured,
    DocumentWithdrawn,
)
from sagaledger.domain.document.state import (
    Document,
    DocumentStatus,
    fold_document,
    unless_recorded,
)
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.errors import EventCorruptError
from sagaledger.domain.saga.events import SagaCompleted

SAGA, DELETION = "11" * 16, "22" * 16
SECURED = DocumentSecured(SAGA, "default-aa", "default", "default:sha256:aa", b"a", "internal", "k")
INDEXED = DocumentIndexed(SAGA, "text/plain", "", 3, "hashing")
COMMITTED = DocumentCommitted(SAGA)
HIDDEN, DELETED = DocumentHidden(SAGA, DELETION), DocumentDeleted(SAGA, DELETION)
NOTHING = Document(UUID(int=1))


def after(*events: Event) -> Document:
    recorded = [
        RecordedEvent(NOTHING.id, number, 0, "w", 1, event)
        for number, event in enumerate(events, start=1)
    ]
    return fold_document(NOTHING, recorded)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ([], DocumentStatus.UNKNOWN),
        ([SECURED], DocumentStatus.SECURED),
        ([SECURED, INDEXED], DocumentStatus.INDEXED),
        ([SECURED, INDEXED, COMMITTED], DocumentStatus.COMMITTED),
        ([SECURED, INDEXED, COMMITTED, HIDDEN], DocumentStatus.HIDDEN),
        ([SECURED, INDEXED, COMMITTED, HIDDEN, DELETED], DocumentStatus.DELETED),
        ([SECURED, DocumentWithdrawn(SAGA)], DocumentStatus.WITHDRAWN),
        ([HIDDEN, DELETED], DocumentStatus.DELETED),
    ],
)
def test_document_stands_where_its_last_fact_says(
    facts: list[DocumentEvent], status: DocumentStatus
) -> None:
    document = after(*facts)

    assert (document.status, document.version) == (status, len(facts))


def test_fact_that_the_log_holds_is_not_told_again() -> None:
    document = after(SECURED)

    assert unless_recorded(document, SECURED) == []
    assert unless_recorded(document, INDEXED) == [INDEXED]


def test_event_that_is_no_fact_of_a_document_is_damage() -> None:
    with pytest.raises(EventCorruptError, match="SagaCompleted in the history of a document"):
        after(SECURED, SagaCompleted())
