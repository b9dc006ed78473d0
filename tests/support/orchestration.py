"""An orchestrator on a log in memory, whose clock moves only when somebody waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sagaledger.application.engine.control import SagaControl
from sagaledger.application.engine.definitions import DefinitionRegistry
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.engine.lease_keeper import LeaseKeeper
from sagaledger.application.engine.orchestrator import Orchestrator
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.infrastructure.ballast import NoBallast
from sagaledger.infrastructure.event_store import MemoryEventStore
from sagaledger.infrastructure.leases.sqlite_leases import MemoryLeases, MemoryLeaseStore
from sagaledger.testing import ManualClock

__all__ = ["SAGA", "Worker", "worker"]

SAGA = UUID("00112233-4455-6677-8899-aabbccddeeff")
_E = TypeVar("_E")


@dataclass(slots=True)
class Worker:
    """One worker and the log that it shares with others."""

    orchestrator: Orchestrator
    clock: ManualClock
    log: MemoryEventStore
    leases: MemoryLeases

    @property
    def control(self) -> SagaControl:
        return SagaControl(self.log, EnvelopeFactory(self.clock, "somebody"))

    def run(
        self, definition: SagaDefinition, deadline_s: float | None = None
    ) -> SagaExecutionResult:
        self.orchestrator.definitions.register(definition)
        return self.orchestrator.run(SAGA, definition, {}, deadline_s=deadline_s)

    def drive(self) -> SagaExecutionResult:
        return self.orchestrator.drive(SAGA)

    def recorded(self) -> list[RecordedEvent]:
        return list(events_of(self.log.read_stream(SAGA)))

    def events(self, kind: type[_E]) -> list[_E]:
        events = [recorded.event for recorded in self.recorded()]
        return [event for event in events if isinstance(event, kind)]

    def kinds(self) -> list[str]:
        return [type(recorded.event).__name__ for recorded in self.recorded()]


@contextmanager
def worker(
    jitter: float = 0.5, name: str = "worker", beside: Worker | None = None
) -> Iterator[Worker]:
    """A worker, by itself or beside another one on the same log."""
    clock = beside.clock if beside else ManualClock()
    log = beside.log if beside else MemoryEventStore()
    leases = beside.leases if beside else MemoryLeases()
    store = MemoryLeaseStore(name, leases, clock)
    keeper = LeaseKeeper(store, 30.0)
    orchestrator = Orchestrator(
        log,
        clock,
        store,
        keeper,
        beside.orchestrator.definitions if beside else DefinitionRegistry(),
        NoBallast(),
        name,
        lambda: jitter,
    )
    try:
        yield Worker(orchestrator, clock, log, leases)
    finally:
        keeper.close()
        log.close()
