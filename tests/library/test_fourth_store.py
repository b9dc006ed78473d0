"""A downstream store of a new kind joins the list, and no module of the package knows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import pytest
from sagaledger.application.closing import close_all
from sagaledger.application.documents.reading import StoreCount
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.housekeeping.events import OrphanFound, OrphanRemoved
from sagaledger.domain.ports.downstream_store import DownstreamStore
from sagaledger.domain.ports.relational_store import RelationalStore
from sagaledger.domain.saga.events import SagaStarted, StepStarted
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.infrastructure.ballast import NoBallast
from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.infrastructure.embedders.hashing import HashingEmbedder
from sagaledger.infrastructure.leases.sqlite_leases import SqliteLeaseStore
from sagaledger.infrastructure.system_clock import SystemClock
from sagaledger.interface.bootstrap.embedded_stores import embedded_services
from sagaledger.interface.certification.cases import SCENARIOS
from sagaledger.interface.certification.environment import Environment
from sagaledger.interface.certification.guarantees import Guarantee
from sagaledger.interface.certification.runner import Plan, certify
from sagaledger.interface.library.ledger import Ledger
from sagaledger.projections import open_projections
from sagaledger.testing.document_rows import chunk_rows, document_of, passage_rows

from tests.support.examination import settled_findings
from tests.support.faults import Fault
from tests.support.ledgers import QUICK, events_of, what_is_left
from tests.support.search_index import SearchIndex

WORDS = "the herring gull is found on every coast; the kittiwake keeps to the cliffs. " * 40
NAMES = ("vector", "graph", "search", "relational")


class Wrapped:
    """The real store, some of whose methods do as they are told."""

    def __init__(self, inner: object, **methods: Callable[..., Any]) -> None:
        self._inner = inner
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        return self._methods.get(name) or getattr(self._inner, name)


def services_of(folder: DataFolder) -> IngestionServices:
    """The embedded stores, and the index among them."""
    services = embedded_services(folder, HashingEmbedder(), SystemClock())
    services.further_stores = (SearchIndex(folder.root / "search.db"),)
    return services


@contextmanager
def opened(data: Path, *, with_index: bool = True) -> Iterator[Ledger]:
    folder = DataFolder.open(data)
    services = services_of(folder)
    if not with_index:
        services.further_stores[0].close()
        services.further_stores = ()
    leases = SqliteLeaseStore(folder.leases_db, folder.workers, services.clock)
    projector = open_projections(folder.projections_db, services.log)
    with Ledger(services, leases, NoBallast(), projector, QUICK) as ledger:
        yield ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path / "data") as made:
        yield made


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "birds.txt"
    path.write_text(WORDS)
    return path


def index_of(ledger: Ledger) -> DownstreamStore:
    (index,) = ledger.services.further_stores
    return index


def exchange(ledger: Ledger, **methods: Callable[..., Any]) -> None:
    """Have methods of the index do something else."""
    ledger.services.further_stores = (
        cast("DownstreamStore", Wrapped(index_of(ledger), **methods)),
    )


def refuse(ledger: Ledger, upsert: Callable[..., Any]) -> None:
    """Have the relational store, which comes behind the index, fail."""
    wrapped = Wrapped(ledger.services.relational, upsert=upsert)
    ledger.services.relational = cast("RelationalStore", wrapped)


def raising(fault: Fault) -> Callable[..., Any]:
    def call(*_: Any) -> Any:
        assert fault.error is not None
        raise fault.error

    return call


def ingested(ledger: Ledger, text: Path) -> DocumentRecord:
    document = ledger.ingest(text).document
    assert document is not None
    return document


def test_document_goes_into_the_index_in_a_step_of_its_own(ledger: Ledger, text: Path) -> None:
    document = ingested(ledger, text)

    index = index_of(ledger)
    assert isinstance(index, SearchIndex)
    found = index.find("kittiwake herring")
    assert {document_id for document_id, _ in found} == {document.document_id}
    assert len(found) == index.count(document.owner) == document.passage_count > 1
    (started,) = events_of(ledger, SagaStarted)
    assert started.parameters["downstream_stores"] == list(NAMES)
    assert started.steps[5:] == (*NAMES, "finalize")
    assert settled_findings(ledger.services) == []


@pytest.mark.parametrize("failing", ["search", "relational"])
def test_failure_in_the_index_or_behind_it_is_rolled_back_from_it(
    ledger: Ledger, text: Path, failing: str
) -> None:
    inner = index_of(ledger)

    def half(*arguments: Any) -> int:
        inner.upsert(*arguments)
        raise StorageBackendError(failing, "upsert", "injected")

    if failing == "search":
        exchange(ledger, upsert=half)
    else:
        refuse(ledger, half)

    saga = ledger.ingest(text).saga

    assert saga is not None
    assert (saga.status, saga.residue) == (SagaStatus.COMPENSATED, ())
    assert what_is_left(ledger) == {}
    assert list(inner.owners()) == []
    assert settled_findings(ledger.services) == []


def test_index_that_cannot_be_emptied_is_told_of_and_swept_once_it_answers(
    ledger: Ledger, text: Path
) -> None:
    refused = Fault(StorageBackendError("search", "delete", "injected"))
    refuse(ledger, raising(Fault(StorageBackendError("relational", "upsert", "injected"))))
    whole = index_of(ledger)
    exchange(ledger, delete=raising(refused))

    saga = ledger.ingest(text).saga
    ledger.services.further_stores = (whole,)
    swept = ledger.sweep()

    assert saga is not None
    assert saga.status is SagaStatus.COMPENSATION_FAILED
    assert [residue.store for residue in saga.residue] == ["search"]
    assert [removed.store for removed in swept.removed] == ["search"]
    assert list(whole.owners()) == []


def test_orphan_planted_in_the_index_is_swept(ledger: Ledger, text: Path) -> None:
    refuse(ledger, raising(Fault(StorageBackendError("relational", "upsert", "injected"))))
    saga = ledger.ingest(text).saga
    assert saga is not None
    late = DocumentOwner(str(saga.outputs["secure"]["document_id"]), saga.saga_id.hex)
    written = replace(document_of(1), document_id=late.document_id, saga_id=late.saga_id)
    index = index_of(ledger)
    index.upsert(written, chunk_rows(0), passage_rows(3), lambda: None)

    ledger.sweep()

    assert list(index.owners()) == []
    assert [(found.store, found.ref) for found in events_of(ledger, OrphanFound)] == [
        ("search", late.document_id)
    ]
    assert [removed.removed for removed in events_of(ledger, OrphanRemoved)] == [3]


def test_entries_lost_before_the_decision_are_found_out(ledger: Ledger, text: Path) -> None:
    inner = index_of(ledger)

    def forget(document: DocumentRecord, *arguments: Any) -> int:
        stored = inner.upsert(document, *arguments)
        inner.delete(document.owner)
        return stored

    exchange(ledger, upsert=forget)

    saga = ledger.ingest(text).saga

    assert saga is not None
    assert saga.status is SagaStatus.COMPENSATED
    assert "search store: count failed: it holds 0 items of" in saga.errors[0]


def test_entries_lost_after_the_decision_are_told_by_verify_and_by_the_oracle(
    ledger: Ledger, text: Path
) -> None:
    document = ingested(ledger, text)
    assert ledger.documents.verify(document).holds

    index_of(ledger).delete(document.owner)

    verification = ledger.documents.verify(document)
    assert not verification.holds
    assert StoreCount("search", document.passage_count, 0) in verification.stores
    expected = f"{document.document_id}: search holds 0 of {document.passage_count}"
    assert settled_findings(ledger.services) == [(Guarantee.G2, expected)]


def test_deletion_empties_the_index_before_the_rows(ledger: Ledger, text: Path) -> None:
    document = ingested(ledger, text)

    deleted = ledger.delete(document)

    assert deleted.status is SagaStatus.COMPLETED
    assert deleted.outputs["search"] == {"removed": document.passage_count}
    assert what_is_left(ledger) == {}
    assert list(index_of(ledger).owners()) == []
    begun = [event.step for event in events_of(ledger, StepStarted)]
    assert begun[-3:] == ["manifest", "chunks", "relational"]
    assert settled_findings(ledger.services) == []


def test_document_of_before_the_index_is_verified_and_deleted_without_it(
    tmp_path: Path, text: Path
) -> None:
    with opened(tmp_path / "data", with_index=False) as before:
        document = ingested(before, text)

    with opened(tmp_path / "data") as ledger:
        verification = ledger.documents.verify(document)
        findings = settled_findings(ledger.services)
        deleted = ledger.delete(document)

        assert verification.holds
        assert [count.store for count in verification.stores] == ["vector", "graph", "relational"]
        assert findings == []
        assert deleted.status is SagaStatus.COMPLETED
        assert what_is_left(ledger) == {}


@pytest.mark.parametrize("decided", [False, True], ids=["ingestion", "deletion"])
def test_open_saga_goes_on_with_the_list_that_it_began_with(
    tmp_path: Path, text: Path, decided: bool
) -> None:
    with opened(tmp_path / "data", with_index=False) as before:
        document = ingested(before, text) if decided else None
        before.stop()
        begun = before.delete(document) if document else before.stream(text)
        assert begun.status is SagaStatus.RUNNING

    with opened(tmp_path / "data") as ledger:
        (finished,) = ledger.recover().finished

        assert finished.status is SagaStatus.COMPLETED
        assert "search" not in finished.outputs
        assert settled_findings(ledger.services) == []


def test_open_saga_whose_index_is_not_configured_waits_for_it(tmp_path: Path, text: Path) -> None:
    with opened(tmp_path / "data") as before:
        before.stop()
        begun = before.stream(text)

    with opened(tmp_path / "data", with_index=False) as without:
        recovered = without.recover()
        assert "search store: open failed: it is not configured" in recovered.failed[begun.saga_id]

    with opened(tmp_path / "data") as ledger:
        (finished,) = ledger.recover().finished
        assert finished.status is SagaStatus.COMPLETED
        assert len(list(index_of(ledger).owners())) == 1


@pytest.mark.parametrize("name", ["vector", "manifests", "finalize", ""])
def test_store_with_a_name_that_is_taken_is_refused(tmp_path: Path, name: str) -> None:
    folder = DataFolder.open(tmp_path / "data")
    services = embedded_services(folder, HashingEmbedder(), SystemClock())
    index = SearchIndex(tmp_path / "search.db")
    ports: dict[str, Any] = {f.name: getattr(services, f.name) for f in fields(services)}

    class Named(Wrapped):
        """The index under another name."""

    Named.name = name  # type: ignore[attr-defined]  # Looked up before the wrapper looks inside.
    with pytest.raises(ValueError, match=f"a name of its own, not {name!r}"):
        IngestionServices(**(ports | {"further_stores": (Named(index),)}))
    close_all(*services.downstream, index, services.log)


def test_index_with_faults_at_its_calls_is_certified(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    environment = Environment(
        folder=folder,
        content=WORDS.encode(),
        open_services=services_of,
        shares_stores=False,
        namespace="certified",
        chunk_size_bytes=2048,
    )
    seen: list[str] = []
    chosen = tuple(s for s in SCENARIOS if s.name in ("commit", "deletion"))
    plan = Plan(seed=3, max_cases=16, jobs=1, scenarios=chosen)

    certificate = certify(environment, plan, lambda result, _: seen.append(result.case))

    assert certificate.failures == []
    assert any(" at search." in case for case in seen)
