"""The ledger: an open data folder with all its parts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sagaledger.application.closing import close_all
from sagaledger.application.documents.deletion import (
    build_deletion_definition,
    deletion_parameters,
)
from sagaledger.application.documents.reading import Documents
from sagaledger.application.engine.control import SagaControl
from sagaledger.application.engine.definitions import DefinitionFactory
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.engine.failures import adding_to
from sagaledger.application.engine.lease_keeper import LeaseKeeper
from sagaledger.application.engine.observed_event_store import ObservedEventStore
from sagaledger.application.engine.orchestrator import Orchestrator
from sagaledger.application.engine.plan import PlannedUndo, rollback_plan
from sagaledger.application.engine.recovery import RecoveryReport, recover
from sagaledger.application.housekeeping.adoption import AdoptionGuard
from sagaledger.application.housekeeping.alerts import Watch, WatchedPlace, acknowledge
from sagaledger.application.housekeeping.notes import Housekeeping
from sagaledger.application.housekeeping.saga_requests import SagaRequests
from sagaledger.application.housekeeping.sweep import Sweeper, SweepOptions, SweepReport
from sagaledger.application.ingestion.definition import (
    INGESTION,
    IngestionBuilder,
    build_ingestion_definition,
    extended_ingestion,
)
from sagaledger.application.ingestion.outcome import IngestResult, document_of, readers_of
from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.application.standard_definitions import standard_definitions
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.document.saga_summary import SagaSummary
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.saga.progress import ProgressCallback
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.domain.values import Parameters
from sagaledger.infrastructure.event_logging import EventLogger
from sagaledger.interface.library.actor import actor
from sagaledger.interface.library.monitor import StreamingSagaMonitor
from sagaledger.interface.library.saga_runs import SagaRuns, reporting
from sagaledger.projections import (
    Alert,
    AlertDirectory,
    Projector,
    SqliteAlertConditions,
    SqliteOrphanDirectory,
    SqliteSagaDirectory,
)

if TYPE_CHECKING:
    from sagaledger.domain.ports.ballast import Ballast
    from sagaledger.domain.ports.event_observer import EventObserver
    from sagaledger.domain.ports.event_store import EventStore
    from sagaledger.domain.ports.lease_store import LeaseStore

__all__ = ["Ledger"]

_RECOVERED_AT_ONCE = 8
"""Parallel sagas share durable commits; more of them gain almost nothing."""


class Ledger:
    """One open data folder. Use it as a context manager, from any number of threads."""

    def __init__(
        self,
        services: IngestionServices,
        leases: LeaseStore,
        reserve: Ballast,
        projector: Projector,
        config: StreamingSagaConfig,
        place: WatchedPlace | None = None,
        observers: Sequence[EventObserver] = (),
    ) -> None:
        """Wire the given parts together; `open_ledger` does it for a data folder."""
        log = ObservedEventStore(services.log, observers, immediate=[EventLogger()])
        services = replace(services, log=log)
        self.services = services
        self.config = config
        self.projector = projector
        self.directory = SqliteSagaDirectory(projector)
        self.orphans = SqliteOrphanDirectory(projector)
        self.adoptions = AdoptionGuard(self.orphans)
        self.monitor = StreamingSagaMonitor(projector)
        self.definitions = standard_definitions(services)
        self._ingestions: dict[str, tuple[int, IngestionBuilder]] = {
            INGESTION: (0, build_ingestion_definition)
        }
        worker = leases.owner.rpartition(":")[2]
        self._leases = leases
        self._reserve = reserve
        self._keeper = LeaseKeeper(leases, config.lease_s)
        self.envelope_factory = EnvelopeFactory(services.clock, worker)
        self.orchestrator = Orchestrator(
            log=services.log,
            clock=services.clock,
            leases=leases,
            keeper=self._keeper,
            definitions=self.definitions,
            reserve=reserve,
            worker=worker,
            jitter=random.random,
            admit=self.adoptions.admit,
        )
        self.control = SagaControl(services.log, self.envelope_factory)
        self.documents = Documents(services, self.envelope_factory)
        self.housekeeping = Housekeeping(services.log, self.envelope_factory)
        self.sweeper = Sweeper(
            self.orchestrator, services, self.directory, self.orphans, self.housekeeping
        )
        self._watch = (
            Watch(
                AlertDirectory(projector),
                SqliteAlertConditions(projector),
                self.housekeeping,
                services.clock,
                place,
            )
            if place
            else None
        )
        self._runs = SagaRuns(self.orchestrator, services, self.monitor, self._watch)
        self.requests = SagaRequests(
            services.log,
            self.control,
            self.definitions,
            leases,
            self.adoptions,
            services.clock,
            self.drive,
        )

    @property
    def log(self) -> EventStore:
        """The event log."""
        return self.services.log

    def register(self, definition: SagaDefinition) -> None:
        """Register a saga definition of your own, so that its sagas can be recovered.

        All versions of a name stay registered: keep registering an older one until the sagas that
        started under it have ended.
        """
        self.definitions.register(definition)

    def register_factory(self, name: str, version: int, factory: DefinitionFactory) -> None:
        """Register a definition that depends on the parameters of the saga."""
        self.definitions.register_factory(name, version, factory)

    def register_ingestion(
        self, name: str, extend: Callable[[SagaDefinition], SagaDefinition], version: int = 1
    ) -> None:
        """Register an ingestion with steps of your own, for `ingest` and for recovery.

        Args:
            name: the `definition` argument of `ingest`, and the name of its saga definition.
            extend: adds steps between the shipped ones, by `SagaDefinition.with_step`. It is called
                for each saga, including recovered ones.
            version: raise it when the steps change, and keep the older ones registered while their
                sagas are open; `ingest` takes the newest.

        Raises:
            ValueError: The name is that of the shipped ingestion.
        """
        if name == INGESTION:
            raise ValueError(f"{name!r} is the shipped ingestion: give yours a name of its own")
        build = extended_ingestion(name, version, extend)
        newest, _ = self._ingestions.get(name, (0, build))
        if version >= newest:
            self._ingestions[name] = version, build
        self.register_factory(name, version, lambda parameters: build(self.services, parameters))

    def run(
        self,
        definition: SagaDefinition,
        parameters: Parameters | None = None,
        *,
        saga_id: UUID | None = None,
        deadline_s: float | None = None,
        progress: ProgressCallback | None = None,
    ) -> SagaExecutionResult:
        """Run a saga of your own to its end.

        Raises:
            VersionConflictError: A saga with this id exists.
            StorageBackendError: The event log cannot be written; a recovery continues the saga.
        """
        self.register(definition)
        chosen_id = saga_id or uuid4()
        return self._runs.run(chosen_id, definition, dict(parameters or {}), progress, deadline_s)

    def ingest(
        self,
        path: str | Path,
        config: StreamingSagaConfig | None = None,
        *,
        definition: str = INGESTION,
        saga_id: UUID | None = None,
        progress: ProgressCallback | None = None,
    ) -> IngestResult:
        """Ingest a file, all or nothing.

        Args:
            path: the file; it is only read.
            config: limits, delays, classification; the configuration of the ledger by default.
            definition: the name of an ingestion with steps of your own; see `register_ingestion`.
            saga_id: the id of the new saga; a random one by default.
            progress: called on its own thread; it can neither fail nor delay the work.

        Raises:
            SagaStateError: No ingestion with this name is registered.
            SourceNotFoundError: The file does not exist.
            SourceUnreadableError: The file cannot be read as a regular file.
            StorageBackendError: A store is unavailable. Either no saga was started, or a recovery
                continues it.
        """
        chosen = config or self.config
        if definition not in self._ingestions:
            advice = "pass it to Ledger.register_ingestion() before"
            raise SagaStateError(f"no ingestion {definition!r} is registered; {advice}")
        _, build = self._ingestions[definition]
        source = str(Path(path).absolute())
        if not chosen.again:
            existing = self.documents.same_content(source, chosen.namespace)
            if existing is not None:
                return IngestResult(existing, None)
        shared_with = tuple(s.saga_id for s in self.readers_of(source))
        saga = self.stream(source, chosen, build=build, saga_id=saga_id, progress=progress)
        return IngestResult(self.document_of(saga), saga, shared_with)

    def stream(
        self,
        path: str | Path,
        config: StreamingSagaConfig | None = None,
        *,
        build: IngestionBuilder = build_ingestion_definition,
        saga_id: UUID | None = None,
        progress: ProgressCallback | None = None,
    ) -> SagaExecutionResult:
        """Run the saga that a builder makes for a file, even if its document already exists.

        Raises:
            VersionConflictError: A saga with this id exists.
            StorageBackendError: The event log cannot be written; a recovery continues the saga.
        """
        chosen = config or self.config
        source = str(Path(path).absolute())
        stores = self.services.downstream_names
        parameters = IngestionParameters.from_config(source, chosen, stores).to_stored()
        definition = build(self.services, parameters)
        chosen_id = saga_id or uuid4()
        return self._runs.run(chosen_id, definition, parameters, progress, chosen.deadline_s)

    def delete(
        self, document: DocumentRecord, progress: ProgressCallback | None = None
    ) -> SagaExecutionResult:
        """Delete a document from every store, checked and recorded.

        Raises:
            StorageBackendError: The event log cannot be written.
        """
        parameters = deletion_parameters(document, self.services.downstream_names)
        definition = build_deletion_definition(self.services, parameters)
        return self._runs.run(uuid4(), definition, parameters, progress)

    def drive(self, saga_id: UUID, progress: ProgressCallback | None = None) -> SagaExecutionResult:
        """Claim an existing saga and drive it; see `Orchestrator.drive` for the errors."""
        with reporting(progress) as report:
            return self._runs.drive(saga_id, report)

    def recover(
        self, progress: ProgressCallback | None = None, *, at_once: int = _RECOVERED_AT_ONCE
    ) -> RecoveryReport:
        """Drive every open saga that no worker drives to its end, oldest first, in parallel.

        Steps of different sagas run in different threads; with `at_once=1`, in this thread. An
        exception in this thread, such as Ctrl-C, is raised once the running sagas have ended;
        `stop` makes them end at their next checkpoint.
        """
        self._reserve.restore()
        with reporting(progress) as report:
            return recover(
                self.directory,
                lambda saga_id: self._runs.drive(saga_id, report),
                self.orchestrator.stopping.is_set,
                at_once,
            )

    def sweep(self, options: SweepOptions | None = None) -> SweepReport:
        """Remove the residue of failed rollbacks and late writers, and record it."""
        try:
            return self.sweeper.sweep(options)
        finally:
            self.monitor.refresh()

    def watch(self) -> None:
        """Raise and resolve the alerts that depend on time or on the disk, and write the reports.

        Raises:
            AlertRulesError: The file of rules is invalid; nothing was checked.
            StorageBackendError: The log or the read models cannot be read or written.
        """
        if self._watch:
            self._watch.look(actor())
        self.monitor.refresh()

    def acknowledge(self, alert_id: str, note: str = "", by: str = "") -> Alert:
        """Acknowledge an alert; `by` is the user of this process by default.

        Raises:
            NotFoundError: No unresolved alert matches.
            SagaStateError: Several match, or the alert is already acknowledged.
            StorageBackendError: The log cannot be written.
        """
        return acknowledge(
            AlertDirectory(self.projector), self.housekeeping, alert_id, by or actor(), note
        )

    def plan(self, saga_id: UUID) -> list[PlannedUndo]:
        """The steps of a rollback of the saga; see `rollback_plan` for the errors."""
        return rollback_plan(
            self.log, self.definitions, self.envelope_factory, self._reserve, saga_id
        )

    def readers_of(self, source: str) -> Sequence[SagaSummary]:
        """Open sagas that have the same file as their source."""
        return readers_of(self.services, self.directory, source)

    def document_of(self, saga: SagaExecutionResult) -> DocumentRecord | None:
        """The committed document that an ingestion made."""
        return document_of(self.services, saga)

    def stop(self) -> None:
        """Make every saga that runs here stop at its next checkpoint and undo nothing."""
        self.orchestrator.stopping.set()

    def close(self) -> None:
        """Release leases, and close every store, even if closing one of them fails."""
        close_all(
            self._keeper,
            self._leases,
            self.monitor,
            *self.services.closeable_stores,
            self.projector,
            self.services.snapshots,
            self.services.log,
        )

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with adding_to(error, "closing the ledger failed too"):
            self.close()
