"""The monitor follows every saga's life, counts, and tells what needs a person."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sagaledger import Alert, Ledger, SagaStatus, StreamingSagaMonitor, open_ledger
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.housekeeping.alerts import AlertRule, AlertState, Severity

from tests.support.faults import CorruptingChunks, FaultyChunks, flip
from tests.support.ledgers import QUICK


@pytest.fixture
def failed_rollback(ledger: Ledger, chunks: FaultyChunks, source: Path) -> Ledger:
    """A ledger with one saga whose rollback left a chunk."""
    chunks.fail_creates, chunks.fail_deletes = set(range(4, 100)), {0}
    result = ledger.ingest(source)
    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATION_FAILED
    return ledger


def test_saga_is_active_while_it_runs_and_completed_after(ledger: Ledger, source: Path) -> None:
    seen = []

    def look(_: object) -> None:
        seen.append([saga.status for saga in ledger.monitor.active()])

    ledger.ingest(source, progress=look)

    assert [SagaStatus.RUNNING] in seen
    assert ledger.monitor.active() == []
    assert [saga.source for saga in ledger.monitor.completed()] == [str(source)]
    assert ledger.monitor.alerts() == []


def test_statistics_count_every_outcome(ledger: Ledger, chunks: FaultyChunks, source: Path) -> None:
    ledger.ingest(source)
    source.write_bytes(b"something else" * 20_000)
    chunks.creates, chunks.fail_creates = 0, set(range(2, 100))
    ledger.ingest(source)
    chunks.creates, chunks.fail_deletes = 0, {0}
    ledger.ingest(source)

    figures = ledger.monitor.statistics()

    assert (figures.sagas, figures.open, figures.completed) == (3, 0, 1)
    assert (figures.rolled_back, figures.rollback_failed) == (1, 1)
    assert figures.rollback_success_rate == 0.5
    assert figures.retries == 4
    assert figures.by_reason == {"max_retries_exceeded": 2}
    assert figures.by_step == {"upload": 2}
    assert figures.compensation_attempts_failed == 6
    assert figures.residue == 2
    assert figures.rollback_longest_s >= figures.rollback_median_s > 0


def test_statistics_of_an_empty_log_are_all_nothing(ledger: Ledger) -> None:
    figures = ledger.monitor.statistics()

    assert (figures.sagas, figures.rollback_success_rate, figures.by_reason) == (0, 1.0, {})


def test_failed_rollback_raises_a_critical_alert_until_it_is_swept(
    failed_rollback: Ledger, chunks: FaultyChunks
) -> None:
    critical = [a for a in failed_rollback.monitor.alerts() if a.severity is Severity.CRITICAL]

    assert [alert.rule for alert in critical] == [AlertRule.ROLLBACK_FAILED]
    assert critical[0].message == "the rollback left something in: upload, start"
    assert len(failed_rollback.monitor.rollback_failed()) == 1

    chunks.fail_deletes = set()
    failed_rollback.sweep()

    assert failed_rollback.monitor.alerts() == []
    assert len(failed_rollback.monitor.rolled_back()) == 1


def test_failed_rollback_seen_again_is_the_same_alert(failed_rollback: Ledger) -> None:
    failed_rollback.sweep()

    (critical,) = [a for a in failed_rollback.monitor.alerts() if a.severity is Severity.CRITICAL]
    assert (critical.count, critical.state) == (2, AlertState.OPEN)
    assert critical.last_us > critical.first_us


def test_failed_integrity_raises_a_warning_until_the_upload_is_given_up(
    ledger: Ledger, tmp_path: Path, source: Path
) -> None:
    ledger.services.chunks = CorruptingChunks(tmp_path / "data" / "chunks", flip, chunk_count=10)
    told: list[Alert] = []
    ledger.monitor.on_alert(told.append)

    ledger.ingest(source)
    ledger.monitor.close()

    assert [(alert.rule, alert.severity) for alert in told] == [
        (AlertRule.INTEGRITY_FAILED, Severity.WARNING)
    ]
    assert told[0].message.startswith("check 'chunk': expected ")
    assert ledger.monitor.alerts() == []


def test_restart_changes_nothing_that_the_monitor_says(
    failed_rollback: Ledger, tmp_path: Path
) -> None:
    before = failed_rollback.monitor

    with open_ledger(tmp_path / "data", QUICK) as reopened:
        after = reopened.monitor

        assert after.statistics() == before.statistics()
        assert after.alerts() == before.alerts()
        assert after.rollback_failed() == before.rollback_failed()


def test_alert_callbacks_are_told_once_and_change_nothing(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    told: list[str] = []
    hanging = threading.Event()

    def explode(_: Alert) -> None:
        raise RuntimeError("a guest misbehaves")

    def hang(_: Alert) -> None:
        hanging.wait(30)

    for callback in (explode, hang, lambda alert: told.append(alert.rule)):
        ledger.monitor.on_alert(callback)
    chunks.fail_creates, chunks.fail_deletes = set(range(4, 100)), {0}

    result = ledger.ingest(source)
    ledger.monitor.refresh()
    hanging.set()
    ledger.monitor.close()

    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATION_FAILED
    assert sorted(told) == ["partial_rollback", "rollback_failed"]


def test_monitor_of_a_log_that_does_not_answer_raises_for_who_asks_only(
    ledger: Ledger, source: Path
) -> None:
    monitor = StreamingSagaMonitor(ledger.projector)
    told: list[Alert] = []
    monitor.on_alert(told.append)
    ledger.ingest(source)
    ledger.projector.close()

    monitor.refresh()

    with pytest.raises(StorageBackendError, match="projections store"):
        monitor.statistics()
