"""Running and driving sagas for a ledger, with all that has to follow from how they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from sagaledger.application.engine.callbacks import IsolatedCallback
from sagaledger.application.engine.orchestrator import Orchestrator
from sagaledger.application.housekeeping.alerts import Watch
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.saga.progress import Progress, ProgressCallback
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.interface.library.monitor import StreamingSagaMonitor

__all__ = ["Reporter", "SagaRuns", "reporting"]

Reporter: TypeAlias = Callable[[Progress], None]

_FAILURES = (SagaStatus.COMPENSATION_FAILED, SagaStatus.FAILED)


@dataclass(frozen=True, slots=True)
class SagaRuns:
    """Sees to it that the monitor and the reports learn of every saga that ends here."""

    orchestrator: Orchestrator
    services: IngestionServices
    monitor: StreamingSagaMonitor
    watch: Watch | None

    def run(
        self, progress: ProgressCallback | None, work: Callable[[Reporter], SagaExecutionResult]
    ) -> SagaExecutionResult:
        """Do the work that runs a new saga, and tell a callback of its progress."""
        with reporting(progress) as report:
            return self._followed(lambda: work(report))

    def drive(self, saga_id: UUID, report: Reporter) -> SagaExecutionResult:
        """Take a saga over as it stands and drive it; see `Orchestrator.drive` for the errors."""
        try:
            result = self._followed(lambda: self.orchestrator.drive(saga_id, report))
            if result.status is SagaStatus.COMPENSATED and self.watch:
                # What an earlier round of the rollback had left is gone now.
                self.watch.report()
            return result
        finally:
            self.services.forget(saga_id)

    def _followed(self, work: Callable[[], SagaExecutionResult]) -> SagaExecutionResult:
        try:
            result = work()
        finally:
            self.monitor.refresh()
        if result.status in _FAILURES and self.watch:
            self.watch.report()
        return result


@contextmanager
def reporting(progress: ProgressCallback | None) -> Iterator[Reporter]:
    """A reporter for the length of a block; what the callback does changes nothing."""
    reporter = IsolatedCallback("progress", progress)
    try:
        yield reporter
    finally:
        reporter.close()
