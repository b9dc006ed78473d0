"""Two failures in a row: neither is silent (found by trying faults in pairs)."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sagaledger.domain.errors import StorageBackendError, describe
from sagaledger.domain.saga.events import CompensationAttempted, StepFailed
from sagaledger.interface.library.ledger import Ledger

from tests.support.faults import Fault, break_port
from tests.support.ledgers import QUICK, events_of


class _RefusingFailures:
    """A log that takes every event but those of one kind."""

    def __init__(self, inner: Any, kind: type) -> None:
        self._inner = inner
        self._kind = kind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def append(self, recorded: Any) -> None:
        if any(isinstance(item.event, self._kind) for item in recorded):
            raise StorageBackendError("event log", "append", "refused by the log")
        self._inner.append(recorded)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("words that are told " * 50)
    return path


def refuse(ledger: Ledger, kind: type) -> Any:
    bare = ledger.services.log
    ledger.orchestrator.log = ledger.services.log = _RefusingFailures(bare, kind)  # type: ignore[assignment]  # It has all that it wraps.
    return bare


def test_step_failure_that_the_log_refuses_is_told_to_the_caller(
    ledger: Ledger, text: Path
) -> None:
    refuse(ledger, StepFailed)
    break_port(ledger, "graph", upsert=Fault(StorageBackendError("graph", "upsert", "no room")))

    with pytest.raises(StorageBackendError, match="refused by the log") as failure:
        ledger.ingest(text)

    assert "step graph failed: graph store: upsert failed: no room" in describe(failure.value)


def test_step_failure_that_the_log_refuses_is_told_by_the_recovery(
    ledger: Ledger, text: Path
) -> None:
    refuse(ledger, StepFailed)
    break_port(ledger, "graph", upsert=Fault(StorageBackendError("graph", "upsert", "no room")))
    with pytest.raises(StorageBackendError):
        ledger.ingest(text)

    ((_, told),) = ledger.recover().failed.items()

    assert "refused by the log" in told
    assert "step graph failed: graph store: upsert failed: no room" in told


def test_chunk_that_cannot_be_taken_back_when_the_saga_is_paused_is_told(
    ledger: Ledger, tmp_path: Path
) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(b"")
    os.truncate(large, 40_000_000)
    create = ledger.services.chunks.create

    def stubborn(key: str) -> Any:
        writer = create(key)
        abort = writer.abort

        def refuse() -> None:
            abort()
            raise StorageBackendError("chunks", "abort", "stuck")

        (open_saga,) = ledger.directory.open_sagas()
        ledger.control.pause(open_saga.saga_id, "ada")
        # Until the reader is far ahead, and due to ask the log again.
        time.sleep(0.3)
        return _Refusing(writer, refuse)

    ledger.services.chunks.create = stubborn  # type: ignore[method-assign]  # A port, wrapped.

    ledger.ingest(large, replace(QUICK, chunk_size_bytes=40_000_000))

    assert any("stuck" in failed.error for failed in events_of(ledger, StepFailed))


class _Refusing:
    """A chunk that is written as any other, and not taken back."""

    def __init__(self, inner: Any, abort: Any) -> None:
        self.write = inner.write
        self.commit = inner.commit
        self.abort = abort


def test_undo_and_probe_that_both_fail_are_both_told(ledger: Ledger, text: Path) -> None:
    break_port(ledger, "relational", count=Fault(StorageBackendError("relational", "count", "no")))
    broken = {"delete": Fault(StorageBackendError("graph", "delete", "held"))}
    broken["count"] = Fault(StorageBackendError("graph", "count", "gone away"))
    break_port(ledger, "graph", **broken)

    ledger.ingest(text, QUICK)

    (tried, *_) = [e for e in events_of(ledger, CompensationAttempted) if e.step == "graph"]
    told = repr(tried)
    assert "delete failed: held" in told
    assert "count failed: gone away" in told


def test_chunks_that_stay_and_the_listing_that_fails_are_all_told(
    ledger: Ledger, text: Path
) -> None:
    break_port(ledger, "graph", upsert=Fault(StorageBackendError("graph", "upsert", "no room")))
    listing = Fault(StorageBackendError("chunks", "list", "gone away"))
    bare = ledger.services.chunks
    kept = Fault(
        StorageBackendError("chunks", "delete", "held"),
        also=lambda: break_port(ledger, "chunks", list=listing),
    )
    break_port(ledger, "chunks", delete=kept)

    ledger.ingest(text, QUICK)

    ledger.services.chunks = bare
    (tried, *_) = [e for e in events_of(ledger, CompensationAttempted) if e.step == "upload"]
    assert "held" in tried.error
    assert "cannot be asked what is left: chunks store: list failed: gone away" in tried.error
    assert [residue.ref.rpartition("/")[2] for residue in tried.residue] == ["00000000"]
    assert not tried.probed
