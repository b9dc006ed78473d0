"""What a store does not let go is named one by one, and removed once the store answers again."""

from __future__ import annotations

from pathlib import Path

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.housekeeping.events import OrphanRemoved
from sagaledger.domain.saga.events import CompensationAttempted
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.interface.certification.port_calls import PortCall
from sagaledger.interface.library.ledger import Ledger, open_ledger
from sagaledger.projections import SqliteOrphanDirectory

from tests.support.at_call import when
from tests.support.faults import Fault, break_port
from tests.support.ledgers import QUICK, events_of, what_is_left

STORES = {
    "manifests": "manifests",
    "vectors": "vector",
    "graph": "graph",
    "relational": "relational",
}
UNDONE = ["relational", "graph", "vector", "secure", "upload", "start"]


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("words that stay behind " * 50)
    return path


def ingest_and_fail(ledger: Ledger, text: Path, broken: list[str]) -> SagaStatus:
    """The last check before the decision fails, and these stores do not delete."""
    bare = {port: getattr(ledger.services, port) for port in STORES}
    counted = StorageBackendError("relational", "count", "injected")
    break_port(ledger, "relational", count=Fault(counted, times=3))
    for port in broken:
        refused = Fault(StorageBackendError(port, "delete", "injected"))
        break_port(ledger, port, delete=refused)
    saga = ledger.ingest(text).saga
    assert saga is not None
    for port, store in bare.items():
        setattr(ledger.services, port, store)
    return saga.status


@pytest.mark.parametrize("broken", [*([port] for port in STORES), list(STORES)], ids="+".join)
def test_stores_that_do_not_delete_are_listed_each_and_emptied_by_a_sweep(
    ledger: Ledger, text: Path, broken: list[str]
) -> None:
    status = ingest_and_fail(ledger, text, broken)

    assert status is SagaStatus.COMPENSATION_FAILED
    tried = events_of(ledger, CompensationAttempted)
    assert [event.step for event in tried if event.attempt == 1] == UNDONE
    orphans = SqliteOrphanDirectory(ledger.projector)
    assert {orphan.store for orphan in orphans.unresolved()} == {STORES[port] for port in broken}
    assert set(what_is_left(ledger)) == {STORES[port] for port in broken}

    report = ledger.sweep()

    assert report.failed == {}
    assert orphans.unresolved() == []
    assert what_is_left(ledger) == {}
    removed = {e.store for e in events_of(ledger, OrphanRemoved)}
    assert removed == {STORES[port] for port in broken}


@pytest.mark.parametrize(
    "call",
    [
        PortCall("chunks", "flush", 1),
        PortCall("vectors", "upsert", 1),
        PortCall("relational", "count", 1),
        PortCall("relational", "commit", 1),
    ],
    ids=str,
)
def test_sweep_beside_a_running_saga_touches_nothing_of_it(
    ledger: Ledger, tmp_path: Path, text: Path, call: PortCall
) -> None:
    reports = []

    def sweep_in_another_worker() -> None:
        with open_ledger(tmp_path / "data", QUICK) as other:
            reports.append(other.sweep())

    when(ledger, call, sweep_in_another_worker)

    result = ledger.ingest(text)

    (report,) = reports
    assert (report.removed, report.unknown, report.failed) == ([], [], {})
    assert result.document is not None
    assert ledger.documents.verify(result.document).holds
