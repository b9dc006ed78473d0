"""`StreamingSagaMonitor`: what every saga is doing, what became of it, and what needs a person."""

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
    """Answers from the event log, so that a restart changes nothing. Safe for several threads."""

    def __init__(self, projector: Projector) -> None:
        """Watch the log that a projector follows; `Ledger.monitor` is one."""
        self._projector = projector
        self._sagas = SqliteSagaDirectory(projector)
        self._rollbacks = RollbackDirectory(projector)
        self._orphans = SqliteOrphanDirectory(projector)
        self._alerts = AlertDirectory(projector)
        self._guests: list[IsolatedCallback[Alert]] = []
        self._told_position = 0
        self._lock = Lock()

    def active(self) -> Sequence[SagaSummary]:
        """Sagas that have not ended, oldest first."""
        return self._sagas.open_sagas()

    def completed(self, limit: int = 1000) -> Sequence[SagaSummary]:
        """Sagas whose every step is done, newest first."""
        return self._sagas.with_status(SagaStatus.COMPLETED, limit)

    def rolled_back(self, limit: int = 1000) -> Sequence[SagaSummary]:
        """Sagas that were undone with nothing left, newest first."""
        return self._sagas.with_status(SagaStatus.COMPENSATED, limit)

    def rollback_failed(self, limit: int = 1000) -> Sequence[SagaSummary]:
        """Sagas whose rollback left something that no sweep has removed yet, newest first."""
        return self._sagas.with_status(SagaStatus.COMPENSATION_FAILED, limit)

    def statistics(self) -> RollbackFigures:
        """Counts over all sagas."""
        return self._rollbacks.figures()

    def statistics_by(self, key: GroupKey) -> Sequence[RollbackGroup]:
        """The figures of each day, reason, step or definition, in the order of their keys."""
        return self._rollbacks.by(key)

    def overview(self) -> Overview:
        """How many sagas stand how, and what needs a person."""
        return overview(self._projector)

    def at_work(self) -> Sequence[LiveSaga]:
        """Sagas that have not ended, oldest first, with how far their uploads are."""
        return live_sagas(self._projector)

    def orphans(self) -> Sequence[Orphan]:
        """What rollbacks could not remove and nobody has decided about, oldest first."""
        return self._orphans.unresolved()

    def alerts(self) -> Sequence[Alert]:
        """Alerts that are open or acknowledged, oldest first."""
        return self._alerts.unresolved()

    def on_alert(self, callback: Callable[[Alert], object]) -> None:
        """Tell a callback of every alert that is seen from now on, on a thread of its own.

        A callback that raises is not called again, and one that hangs holds up nothing.
        """
        guest = IsolatedCallback("alert", callback)
        with self._lock:
            if not self._guests:
                self._told_position = self._projector.catch_up()
            self._guests.append(guest)

    def refresh(self) -> None:
        """Tell the callbacks what the log holds by now; `Ledger` does so whenever a saga ends."""
        with self._lock:
            if not self._guests:
                return
            try:
                raised = self._alerts.raised_after(self._told_position)
            except SagaledgerError as error:
                # Whoever watches changes nothing: the next refresh tells it.
                _logger.warning("alerts cannot be told now: %s", error)
                return
            for alert in raised:
                self._told_position = max(self._told_position, alert.position)
                for guest in self._guests:
                    guest(alert)

    def close(self) -> None:
        """Hand over what callbacks are still to be told, and let them go."""
        with self._lock:
            for guest in self._guests:
                guest.close()
            self._guests.clear()
