"""The ledger: everything a data folder holds, wired together and ready to use."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
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
from sagaledger.domain.ports.ballast import Ballast
from sagaledger.domain.ports.event_observer import EventObserver
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.ports.lease_store import LeaseStore
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

__all__ = ["Ledger"]

_RECOVERED_AT_ONCE = 8
"""Events of sagas at work at once share durable commits; more of them gain next to nothing."""


class Ledger:
    """One data folder at work. Use it as a context manager, from any number of threads."""

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
        """Make a saga definition of your own known, so that its sagas can be recovered.

        Versions of one name stay registered side by side: keep registering an older one until the
        sagas that began under it have ended.
        """
        self.definitions.register(definition)

    def register_factory(self, name: str, version: int, factory: DefinitionFactory) -> None:
        """Make a definition known that depends on the parameters a saga is started with."""
        self.definitions.register_factory(name, version, factory)

    def register_ingestion(
        self, name: str, extend: Callable[[SagaDefinition], SagaDefinition], version: int = 1
    ) -> None:
        """Make an ingestion with steps of your own known, for `ingest` and for recovery.

        Args:
            name: what `ingest` is given, and what its sagas are called.
            extend: puts steps between those that ship, by `SagaDefinition.with_step`. It is called
                for each saga, a recovered one too.
            version: raise it when the steps change, and keep the older ones registered while sagas
                of theirs are open; `ingest` takes the newest.

        Raises:
            ValueError: the name is that of the shipped ingestion.
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
            VersionConflictError: a saga with this id exists.
            StorageBackendError: the event log cannot be written; a recovery goes on from there.
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
        """Bring a file in as a whole, or not at all.

        Args:
            path: the file; it is only read.
            config: limits, delays, classification; those of the ledger by default.
            definition: the name of an ingestion with steps of your own; see `register_ingestion`.
            saga_id: the id of the saga to be; a new one by default.
            progress: called on a thread of its own; whatever it does changes nothing.

        Raises:
            SagaStateError: no ingestion of that name is registered.
            SourceNotFoundError: there is no such file.
            SourceUnreadableError: it cannot be read as a regular file.
            StorageBackendError: a store could not even be asked; nothing was begun, or a recovery
                goes on from where it was.
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
        """Run the saga that a builder makes for a file, whatever documents exist already.

        Raises:
            VersionConflictError: a saga with this id exists.
            StorageBackendError: the event log cannot be written; a recovery goes on from there.
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
            StorageBackendError: the event log cannot be written.
        """
        parameters = deletion_parameters(document, self.services.downstream_names)
        definition = build_deletion_definition(self.services, parameters)
        return self._runs.run(uuid4(), definition, parameters, progress)

    def drive(self, saga_id: UUID, progress: ProgressCallback | None = None) -> SagaExecutionResult:
        """Take a saga over as it stands and drive it; see `Orchestrator.drive` for the errors."""
        with reporting(progress) as report:
            return self._runs.drive(saga_id, report)

    def recover(
        self, progress: ProgressCallback | None = None, *, at_once: int = _RECOVERED_AT_ONCE
    ) -> RecoveryReport:
        """Bring every open saga that nobody drives to its end, the oldest first, several at once.

        Steps of different sagas run in different threads then; with `at_once=1` in this one. An
        exception raised in this thread meanwhile, by Ctrl-C say, is raised when the sagas at work
        have ended; `stop` makes them end at their next checkpoint.
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
        """Remove what failed rollbacks and late writers left, and record it."""
        try:
            return self.sweeper.sweep(options)
        finally:
            self.monitor.refresh()

    def watch(self) -> None:
        """Raise and resolve the alerts that depend on time and place, and write the reports.

        Raises:
            AlertRulesError: the file of rules is not as it has to be; nothing was looked at.
            StorageBackendError: the log or the read models cannot be read or written.
        """
        if self._watch:
            self._watch.look(actor())
        self.monitor.refresh()

    def acknowledge(self, alert_id: str, note: str = "", by: str = "") -> Alert:
        """Say that somebody has seen an alert; `by` is the user of this process by default.

        Raises:
            NotFoundError: no alert that is not resolved yet has this id.
            SagaStateError: several have, or somebody was first.
            StorageBackendError: the log cannot be written.
        """
        return acknowledge(
            AlertDirectory(self.projector), self.housekeeping, alert_id, by or actor(), note
        )

    def plan(self, saga_id: UUID) -> list[PlannedUndo]:
        """What a rollback of a saga would go through; see `rollback_plan` for the errors."""
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
        """Make every saga at work here stop at its next checkpoint, undoing nothing."""
        self.orchestrator.stopping.set()

    def close(self) -> None:
        """Give back leases, and close every store, also where one of them cannot be closed."""
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
