"""`StreamingSagaMonitor`: running sagas, outcomes, and alerts for people."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Lock

from sagaledger.application.engine.callbacks import IsolatedCallback
from sagaledger.domain.document.saga_summary import SagaSummary
from sagaledger.domain.errors import SagaledgerError
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.projections import (
    Alert,
    AlertDirectory,
    GroupKey,
    LiveSaga,
    Orphan,
    Overview,
    Projector,
    RollbackDirectory,
    RollbackFigures,
    RollbackGroup,
    SqliteOrphanDirectory,
    SqliteSagaDirectory,
    live_sagas,
    overview,
)

__all__ = ["StreamingSagaMonitor"]

_logger = logging.getLogger(__name__)


class StreamingSagaMonitor:
    """Reads from the event log, so that a restart changes nothing. Thread-safe."""

    def __init__(self, projector: Projector) -> None:
        """Watch the log that a projector follows; `Ledger.monitor` is one."""
        self._projector = projector
        self._sagas = SqliteSagaDirectory(projector)
        self._rollbacks = RollbackDirectory(projector)
        self._orphans = SqliteOrphanDirectory(projector)
        self._alerts = AlertDirectory(projector)
        self._guests: list[IsolatedCallback[Alert]] = []
        self._reported_position = 0
        self._lock = Lock()

    def active(self) -> Sequence[SagaSummary]:
        """Sagas that have not ended, oldest first."""
        return self._sagas.open_sagas()

    def completed(self, limit: int = 1000) -> Sequence[SagaSummary]:
        """Sagas whose every step is done, newest first."""
        return self._sagas.with_status(SagaStatus.COMPLETED, limit)

    def rolled_back(self, limit: int = 1000) -> Sequence[SagaSummary]:
        """Sagas that were rolled back without residue, newest first."""
        return self._sagas.with_status(SagaStatus.COMPENSATED, limit)

    def rollback_failed(self, limit: int = 1000) -> Sequence[SagaSummary]:
        """Sagas whose rollback left residue that no sweep has removed yet, newest first."""
        return self._sagas.with_status(SagaStatus.COMPENSATION_FAILED, limit)

    def statistics(self) -> RollbackFigures:
        """Counts over all sagas."""
        return self._rollbacks.figures()

    def statistics_by(self, key: GroupKey) -> Sequence[RollbackGroup]:
        """The figures of each day, reason, step or definition, in the order of their keys."""
        return self._rollbacks.by(key)

    def overview(self) -> Overview:
        """The number of sagas by status, and of orphans and alerts."""
        return overview(self._projector)

    def at_work(self) -> Sequence[LiveSaga]:
        """Sagas that have not ended, oldest first, with the progress of their uploads."""
        return live_sagas(self._projector)

    def orphans(self) -> Sequence[Orphan]:
        """Orphans that are neither adopted nor waived, oldest first."""
        return self._orphans.unresolved()

    def alerts(self) -> Sequence[Alert]:
        """Alerts that are open or acknowledged, oldest first."""
        return self._alerts.unresolved()

    def on_alert(self, callback: Callable[[Alert], object]) -> None:
        """Call a callback with every alert that occurs from now on, on its own thread.

        A callback that raises is not called again. One that hangs delays nothing.
        """
        guest = IsolatedCallback("alert", callback)
        with self._lock:
            if not self._guests:
                self._reported_position = self._projector.catch_up()
            self._guests.append(guest)

    def refresh(self) -> None:
        """Call the callbacks with new alerts of the log; `Ledger` does so when a saga ends."""
        with self._lock:
            if not self._guests:
                return
            try:
                raised = self._alerts.raised_after(self._reported_position)
            except SagaledgerError as error:
                # A watcher must not fail the work; the next refresh reports the alerts.
                _logger.warning("alerts cannot be reported now: %s", error)
                return
            for alert in raised:
                self._reported_position = max(self._reported_position, alert.position)
                for guest in self._guests:
                    guest(alert)

    def close(self) -> None:
        """Deliver the queued alerts to the callbacks, then drop the callbacks."""
        with self._lock:
            for guest in self._guests:
                guest.close()
            self._guests.clear()
