"""Runs and drives sagas for a ledger, and updates monitor and reports when they end."""

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
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.progress import Progress, ProgressCallback
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.values import Parameters
from sagaledger.interface.library.monitor import StreamingSagaMonitor

__all__ = ["Reporter", "SagaRuns", "reporting"]

Reporter: TypeAlias = Callable[[Progress], None]

_FAILURES = (SagaStatus.COMPENSATION_FAILED, SagaStatus.FAILED)


@dataclass(frozen=True, slots=True)
class SagaRuns:
    """Runs sagas, and updates the monitor and the reports for every saga that ends here."""

    orchestrator: Orchestrator
    services: IngestionServices
    monitor: StreamingSagaMonitor
    watch: Watch | None

    def run(
        self,
        saga_id: UUID,
        definition: SagaDefinition,
        parameters: Parameters,
        progress: ProgressCallback | None = None,
        deadline_s: float | None = None,
    ) -> SagaExecutionResult:
        """Run a new saga; see `Orchestrator.run` for the errors."""
        try:
            with reporting(progress) as report:
                return self._followed(
                    lambda: self.orchestrator.run(
                        saga_id, definition, parameters, deadline_s=deadline_s, report=report
                    )
                )
        finally:
            self.services.forget(saga_id)

    def drive(self, saga_id: UUID, report: Reporter) -> SagaExecutionResult:
        """Claim an existing saga and drive it; see `Orchestrator.drive` for the errors."""
        try:
            result = self._followed(lambda: self.orchestrator.drive(saga_id, report))
            if result.status is SagaStatus.COMPENSATED and self.watch:
                # The residue of an earlier round of the rollback is removed now.
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
    """A progress reporter during a block; the callback can neither fail nor delay the work."""
    reporter = IsolatedCallback("progress", progress)
    try:
        yield reporter
    finally:
        reporter.close()
