"""Stored events in `logging`: levels, and the ids that each record is about."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from uuid import UUID

import pytest
from sagaledger.application.engine.attribution import acting_saga, on_behalf_of
from sagaledger.application.engine.observed_event_store import ObservedEventStore
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.housekeeping.events import OrphanAdopted
from sagaledger.domain.saga.events import CompensationAttempted, SagaCompleted, StepFailed
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.upload.events import ChunkDeletionFailed, ChunksDeleted
from sagaledger.infrastructure.event_logging import EventLogger
from sagaledger.infrastructure.event_store import MemoryEventStore

SAGA, DELETION, UPLOAD = UUID(int=1), UUID(int=2), UUID(int=3)
LEFT = Residue("graph", "d", 2, "still held")


@pytest.fixture
def store() -> Iterator[ObservedEventStore]:
    made = ObservedEventStore(MemoryEventStore(), immediate=[EventLogger()])
    yield made
    made.close()


def append(store: ObservedEventStore, stream: UUID, *events: Event) -> None:
    store.append(
        [RecordedEvent(stream, number, 1, "w", 0, e) for number, e in enumerate(events, 1)]
    )


def ids(record: logging.LogRecord) -> tuple[object, object]:
    return getattr(record, "saga_id", None), getattr(record, "upload_id", None)


def test_record_names_the_saga_that_acted_and_the_upload_that_it_acted_on(
    store: ObservedEventStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sagaledger.events")
    with on_behalf_of(DELETION):
        append(store, UPLOAD, ChunksDeleted(3, 30))
    append(store, UUID(int=9), OrphanAdopted(SAGA.hex, "graph", "d", "ada", "mine"))

    assert [ids(record) for record in caplog.records] == [
        (DELETION.hex, UPLOAD.hex),
        (SAGA.hex, ""),
    ]
    assert [getattr(record, "recorded").position for record in caplog.records] == [1, 2]  # noqa: B009 - set by `extra`


def test_failures_are_warnings_and_the_rest_is_information(
    store: ObservedEventStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sagaledger.events")
    append(
        store,
        SAGA,
        StepFailed("graph", 1, "step_failed", "busy", "E", 1.0),
        CompensationAttempted("graph", 1, 0, (LEFT,), "", True, 1.0),
        CompensationAttempted("graph", 2, 1, (), "", True, 1.0),
        SagaCompleted(),
    )

    assert [record.levelname for record in caplog.records] == [
        "WARNING",
        "WARNING",
        "INFO",
        "INFO",
    ]


def test_only_failures_are_logged_where_warnings_are_asked_for(
    store: ObservedEventStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "sagaledger.events")
    append(store, UPLOAD, ChunksDeleted(3, 30), ChunkDeletionFailed("u/0", "busy"))

    assert [record.getMessage() for record in caplog.records] == [
        "saga -: ChunkDeletionFailed(key='u/0', error='busy')"
    ]


def test_nobody_acts_once_the_block_has_ended() -> None:
    with on_behalf_of(SAGA):
        with on_behalf_of(DELETION):
            assert acting_saga() == DELETION
        assert acting_saga() == SAGA
    assert acting_saga() is None
