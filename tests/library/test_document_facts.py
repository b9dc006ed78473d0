"""Documents tell their own facts; what version 1 told in the outputs of steps still counts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from sagaledger import SagaStep
from sagaledger.application.documents.deletion import (
    build_deletion_definition,
    deletion_parameters,
)
from sagaledger.application.ingestion.chunked_upload import build_chunked_upload_definition
from sagaledger.application.ingestion.definition import build_ingestion_definition
from sagaledger.application.ingestion.document_facts import known_document
from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.domain.document.events import (
    DocumentCommitted,
    DocumentDeleted,
    DocumentEvent,
    DocumentHidden,
    DocumentIndexed,
    DocumentSecured,
    DocumentWithdrawn,
)
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.document.state import DocumentStatus
from sagaledger.domain.document.values import document_stream_of
from sagaledger.domain.errors import StorageBackendError, StorageFullError
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import events_of as flattened
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.events import SagaStarted, StepCompleted
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.values import Value
from sagaledger.interface.library.ledger import Ledger
from sagaledger.projections import open_projections

from tests.support.examination import settled_findings
from tests.support.faults import Fault, break_port
from tests.support.ledgers import QUICK, all_events, events_of, what_is_left
from tests.support.memory_ledgers import memory_ledger
from tests.support.step_faults import break_step, break_undo, mended_afterwards

REFUSED = StorageBackendError("store", "call", "injected")


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with memory_ledger() as made:
        yield made


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "birds.txt"
    path.write_text("the herring gull is found on every coast " * 60)
    return path


def ingested_by_version_1(
    ledger: Ledger, path: Path, definition: str = "streaming-upload"
) -> SagaExecutionResult:
    """An ingestion as 0.1.0 began it: without a list of stores, under version 1."""
    parameters = version_1(IngestionParameters.from_config(str(path), QUICK, ["-"]).to_stored())
    nine = build_ingestion_definition(ledger.services, parameters)
    assert nine.version == 1
    named = SagaDefinition(definition, nine.steps, 1, nine.pivot)
    saga_id = UUID(bytes=os.urandom(16))
    try:
        return ledger.orchestrator.run(saga_id, named, parameters)
    finally:
        ledger.services.forget(saga_id)


def deleted_by_version_1(ledger: Ledger, document: DocumentRecord) -> SagaExecutionResult:
    parameters = version_1(deletion_parameters(document, ["-"]))
    definition = build_deletion_definition(ledger.services, parameters)
    assert definition.version == 1
    return ledger.orchestrator.run(UUID(bytes=os.urandom(16)), definition, parameters)


def version_1(parameters: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in parameters.items() if name != "downstream_stores"}


def document_of(ledger: Ledger, result: SagaExecutionResult) -> DocumentRecord:
    document = ledger.document_of(result)
    assert document is not None
    return document


def facts_of(ledger: Ledger, saga_id: UUID) -> list[type[DocumentEvent]]:
    recorded = flattened(ledger.log.read_stream(document_stream_of(saga_id)))
    return [type(item.event) for item in recorded]  # type: ignore[misc]  # It holds no others.


def rows_of(ledger: Ledger) -> dict[str, dict[str, Any]]:
    rows = ledger.projector.rows("SELECT * FROM documents ORDER BY started_us, saga_id")
    return {row["saga_id"]: dict(row) for row in rows}


@contextmanager
def stopped(ledger: Ledger) -> Iterator[None]:
    """Sagas are begun in the block, and left open."""
    ledger.orchestrator.stopping.set()
    yield
    ledger.orchestrator.stopping.clear()


def test_document_tells_each_fact_once_from_its_manifest_to_its_deletion(
    ledger: Ledger, text: Path
) -> None:
    result = ledger.ingest(text)
    assert result.document is not None
    saga_id = UUID(result.document.saga_id)
    known = known_document(ledger.log, saga_id)
    deletion = ledger.delete(result.document)

    assert known.status is DocumentStatus.COMMITTED
    assert known_document(ledger.log, saga_id).status is DocumentStatus.DELETED
    secured, indexed, committed, hidden, deleted = (
        item.event for item in flattened(ledger.log.read_stream(document_stream_of(saga_id)))
    )
    document = result.document
    assert isinstance(secured, DocumentSecured)
    assert (secured.document_id, secured.sha256.hex()) == (document.document_id, document.sha256)
    assert indexed == DocumentIndexed(
        saga_id.hex, "text/plain", "", document.passage_count, document.embedder
    )
    assert committed == DocumentCommitted(saga_id.hex)
    assert hidden == DocumentHidden(saga_id.hex, deletion.saga_id.hex)
    assert deleted == DocumentDeleted(saga_id.hex, deletion.saga_id.hex)


def test_fact_is_stored_in_the_transaction_of_the_outcome_that_makes_it_true(
    ledger: Ledger, text: Path
) -> None:
    result = ledger.ingest(text)
    assert result.document is not None
    ledger.delete(result.document)

    names = [type(event).__name__ for event in all_events(ledger)]
    for fact in ("Secured", "Indexed", "Committed", "Hidden", "Deleted"):
        assert names[names.index(f"Document{fact}") + 1] == "StepCompleted"


@pytest.mark.parametrize(
    ("failing", "facts"),
    [
        ("upload", []),
        ("secure", []),
        ("vector", [DocumentSecured, DocumentWithdrawn]),
        ("relational", [DocumentSecured, DocumentIndexed, DocumentWithdrawn]),
    ],
)
def test_rollback_withdraws_a_document_that_was_secured(
    ledger: Ledger, text: Path, failing: str, facts: list[type[DocumentEvent]]
) -> None:
    break_step(ledger, failing, Fault(REFUSED))

    saga = ledger.ingest(text).saga

    assert saga is not None
    assert saga.status is SagaStatus.COMPENSATED
    assert facts_of(ledger, saga.saga_id) == facts
    assert {row["state"] for row in rows_of(ledger).values()} == {"rolled_back"}
    assert settled_findings(ledger.services) == []


def test_undo_that_raises_after_its_effect_withdraws_the_document_all_the_same(
    ledger: Ledger, text: Path
) -> None:
    break_step(ledger, "vector", Fault(REFUSED))
    break_undo(ledger, "secure", Fault(REFUSED, times=1, after=True))

    saga = ledger.ingest(text).saga

    assert saga is not None
    assert facts_of(ledger, saga.saga_id) == [DocumentSecured, DocumentWithdrawn]
    assert settled_findings(ledger.services) == []


def test_manifest_that_cannot_be_removed_is_withdrawn_once_it_can(
    ledger: Ledger, text: Path
) -> None:
    with mended_afterwards(ledger):
        break_step(ledger, "vector", Fault(REFUSED))
        break_undo(ledger, "secure", Fault(REFUSED))
        saga = ledger.ingest(text).saga
    assert saga is not None
    assert facts_of(ledger, saga.saga_id) == [DocumentSecured]
    assert rows_of(ledger)[saga.saga_id.hex]["state"] == "rollback_failed"

    ledger.sweep()

    assert facts_of(ledger, saga.saga_id) == [DocumentSecured, DocumentWithdrawn]
    assert rows_of(ledger)[saga.saga_id.hex]["state"] == "rolled_back"
    assert settled_findings(ledger.services) == []


class FullLog:
    """The real log, which has no room for what a step has come to."""

    def __init__(self, log: EventStore, step: str) -> None:
        self._log = log
        self._step = step

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def append(self, recorded: Sequence[RecordedEvent]) -> int:
        outcomes = [item.event for item in recorded if isinstance(item.event, StepCompleted)]
        if any(event.step == self._step for event in outcomes):
            raise StorageFullError("log", "append", "no room")
        return self._log.append(recorded)


@pytest.mark.parametrize("step", ["secure", "vector", "relational"])
def test_log_that_is_full_when_a_step_is_done_leaves_no_fact_that_is_not_so(
    ledger: Ledger, text: Path, step: str
) -> None:
    ledger.orchestrator.log = cast("EventStore", FullLog(ledger.log, step))

    saga = ledger.ingest(text).saga

    assert saga is not None
    assert (saga.status, saga.reason) == (SagaStatus.COMPENSATED, "storage_full")
    assert known_document(ledger.log, saga.saga_id).status in (
        DocumentStatus.WITHDRAWN,
        DocumentStatus.UNKNOWN,
    )
    assert settled_findings(ledger.services) == []


def test_plan_of_a_rollback_withdraws_nothing(ledger: Ledger, text: Path) -> None:
    with stopped(ledger):
        saga = ledger.stream(text)
    before = ledger.log.last_position()

    ledger.plan(saga.saga_id)

    assert ledger.log.last_position() == before


@pytest.mark.parametrize("port", ["manifests", "vectors", "relational"])
def test_step_that_is_run_again_tells_its_fact_once(ledger: Ledger, text: Path, port: str) -> None:
    method = {"manifests": "put", "vectors": "upsert", "relational": "commit"}[port]
    break_port(ledger, port, **{method: Fault(REFUSED, times=1, after=True)})

    saga = ledger.ingest(text).saga

    assert saga is not None
    assert saga.status is SagaStatus.COMPLETED
    assert facts_of(ledger, saga.saga_id) == [DocumentSecured, DocumentIndexed, DocumentCommitted]


def test_chunks_without_a_document_tell_no_fact_and_are_no_document(
    ledger: Ledger, text: Path
) -> None:
    result = ledger.stream(text, build=build_chunked_upload_definition)

    assert result.success
    assert [e for e in all_events(ledger) if isinstance(e, DocumentEvent)] == []
    assert rows_of(ledger) == {}


def test_step_that_is_only_called_as_one_of_ours_makes_no_document(ledger: Ledger) -> None:
    told: dict[str, Value] = {
        "document_id": "d",
        "content_id": "c",
        "key_id": "k",
        "media_type": "m",
        "passages": 1,
        "embedder": "e",
    }
    steps = [SagaStep(name, lambda _: told) for name in ("secure", "vector")]

    result = ledger.run(SagaDefinition("look-alike", steps))

    (row,) = ledger.projector.rows("SELECT * FROM sagas")
    assert (row["saga_id"], row["document_id"]) == (result.saga_id.hex, "")
    assert rows_of(ledger) == {}


def test_table_says_the_same_of_documents_of_both_versions(ledger: Ledger, text: Path) -> None:
    ids: dict[tuple[int, str], UUID] = {}
    for version in (1, 2):
        ingest = ledger.stream if version == 2 else lambda path: ingested_by_version_1(ledger, path)
        kept, gone, going = (ingest(text) for _ in range(3))
        delete = ledger.delete if version == 2 else lambda d: deleted_by_version_1(ledger, d)
        delete(document_of(ledger, gone))
        with mended_afterwards(ledger):
            break_port(ledger, "manifests", delete=Fault(REFUSED, also=ledger.stop))
            delete(document_of(ledger, going))
        ledger.orchestrator.stopping.clear()
        with mended_afterwards(ledger):
            break_step(ledger, "graph", Fault(REFUSED))
            undone = ingest(text)
            break_undo(ledger, "vector", Fault(REFUSED))
            left = ingest(text)
        for state, saga in (
            ("committed", kept),
            ("deleted", gone),
            ("deleting", going),
            ("rolled_back", undone),
            ("rollback_failed", left),
        ):
            ids[version, state] = saga.saga_id

    rows = rows_of(ledger)
    assert len(rows) == len(ids)
    for (version, state), saga_id in ids.items():
        row, twin = rows[saga_id.hex], rows[ids[3 - version, state].hex]
        assert row["state"] == state
        assert bool(row["committed_us"]) == (state in ("committed", "deleted", "deleting"))
        assert bool(row["ended_us"]) == (state not in ("committed", "deleting"))
        assert bool(row["deletion_saga_id"]) == (state in ("deleted", "deleting"))
        assert row["secured_us"] > 0
        names = ("namespace", "sha256", "classification", "signer", "media_type", "passages")
        assert [row[n] for n in (*names, "embedder")] == [twin[n] for n in (*names, "embedder")]
        assert row["document_id"].endswith(saga_id.hex[:12])
        (summary,) = ledger.directory.by_id_prefix(saga_id.hex)
        assert summary.document_id == row["document_id"]
    assert facts_of(ledger, ids[1, "deleted"]) == []
    rebuilt = open_projections(None, ledger.log)
    made_anew = rebuilt.rows("SELECT * FROM documents ORDER BY started_us, saga_id")
    assert [dict(row) for row in made_anew] == list(rows.values())
    rebuilt.close()


def test_own_ingestion_of_version_1_is_a_document_in_the_table(ledger: Ledger, text: Path) -> None:
    made = ingested_by_version_1(ledger, text, "approved-upload")

    assert rows_of(ledger)[made.saga_id.hex]["state"] == "committed"


@pytest.mark.parametrize("after", ["start", "secure", "vector", "graph"])
def test_open_ingestion_of_version_1_is_finished_under_version_1(
    ledger: Ledger, text: Path, after: str
) -> None:
    port, method = {
        "start": ("chunks", "flush"),
        "secure": ("manifests", "put"),
        "vector": ("vectors", "upsert"),
        "graph": ("graph", "upsert"),
    }[after]
    with mended_afterwards(ledger):
        fault = Fault(REFUSED, times=1, after=True, also=ledger.stop)
        break_port(ledger, port, **{method: fault})
        begun = ingested_by_version_1(ledger, text)
    assert begun.status is SagaStatus.RUNNING
    ledger.orchestrator.stopping.clear()

    (finished,) = ledger.recover().finished

    assert finished.status is SagaStatus.COMPLETED
    assert finished.outputs["vector"]["media_type"] == "text/plain"
    assert facts_of(ledger, finished.saga_id) == []
    assert rows_of(ledger)[finished.saga_id.hex]["state"] == "committed"
    assert ledger.documents.verify(document_of(ledger, finished)).holds
    assert settled_findings(ledger.services) == []


def test_open_deletion_of_version_1_is_finished_under_version_1(ledger: Ledger, text: Path) -> None:
    document = document_of(ledger, ingested_by_version_1(ledger, text))
    with mended_afterwards(ledger):
        break_port(ledger, "graph", delete=Fault(REFUSED, times=1, also=ledger.stop))
        begun = deleted_by_version_1(ledger, document)
    assert begun.status is SagaStatus.RUNNING
    ledger.orchestrator.stopping.clear()

    (finished,) = ledger.recover().finished

    assert finished.status is SagaStatus.COMPLETED
    assert rows_of(ledger)[document.saga_id]["state"] == "deleted"
    assert what_is_left(ledger) == {}


def test_document_of_version_1_tells_of_its_deletion_by_version_2(
    ledger: Ledger, text: Path
) -> None:
    made = ingested_by_version_1(ledger, text)

    ledger.delete(document_of(ledger, made))

    assert facts_of(ledger, made.saga_id) == [DocumentHidden, DocumentDeleted]
    assert rows_of(ledger)[made.saga_id.hex]["state"] == "deleted"
    assert {event.definition_version for event in events_of(ledger, SagaStarted)} == {1, 2}
    assert settled_findings(ledger.services) == []
