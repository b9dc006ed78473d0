"""The ledger: everything a data folder holds, wired together and ready to use."""

from __future__ import annotations

import getpass
import random
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID, uuid4

from sagaledger.application.closing import close_all
from sagaledger.application.documents.deletion import (
    build_deletion_definition,
    deletion_parameters,
)
from sagaledger.application.documents.reading import Documents
from sagaledger.application.engine.callbacks import IsolatedCallback
from sagaledger.application.engine.control import SagaControl
from sagaledger.application.engine.definitions import DefinitionFactory
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.engine.failures import adding_to
from sagaledger.application.engine.lease_keeper import LeaseKeeper
from sagaledger.application.engine.orchestrator import Orchestrator
from sagaledger.application.engine.plan import PlannedUndo, rollback_plan
from sagaledger.application.engine.recovery import RecoveryReport, recover
from sagaledger.application.housekeeping.notes import Housekeeping
from sagaledger.application.housekeeping.sweep import Sweeper, SweepOptions, SweepReport
from sagaledger.application.ingestion.definition import build_ingestion_definition
from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.application.ingestion.steps.validate import opened_source
from sagaledger.application.standard_definitions import standard_definitions
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.ports.ballast import Ballast
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.ports.lease_store import LeaseStore
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.progress import Progress, ProgressCallback
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.domain.saga.summary import SagaSummary
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.values import Parameters
from sagaledger.interface.library.monitor import StreamingSagaMonitor
from sagaledger.interface.library.watch import Watch, WatchedPlace, acknowledge
from sagaledger.projections import (
    Alert,
    Projector,
    SqliteOrphanDirectory,
    SqliteSagaDirectory,
)

if TYPE_CHECKING:
    from sagaledger.domain.ports.embedder import Embedder

__all__ = ["IngestResult", "Ledger", "actor", "open_ledger"]

Reporter: TypeAlias = Callable[[Progress], None]

_RECOVERED_AT_ONCE = 8
"""Events of sagas at work at once share durable commits; more of them gain next to nothing."""
_FAILURES = (SagaStatus.COMPENSATION_FAILED, SagaStatus.FAILED)


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What came of ingesting one file."""

    document: DocumentRecord | None
    """The committed document, or None if there is none."""
    saga: SagaExecutionResult | None
    """How the saga went; None where a document with the same content existed."""
    shared_with: tuple[UUID, ...] = ()
    """Other sagas that were reading the same file when this one began."""

    @property
    def existed(self) -> bool:
        """Whether a document with the same content was there before."""
        return self.saga is None


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
    ) -> None:
        """Wire the given parts together; `open_ledger` does it for a data folder."""
        self.services = services
        self.config = config
        self.projector = projector
        self.directory = SqliteSagaDirectory(projector)
        self.orphans = SqliteOrphanDirectory(projector)
        self.monitor = StreamingSagaMonitor(projector)
        self.definitions = standard_definitions(services)
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
        )
        self.control = SagaControl(services.log, self.envelope_factory)
        self.documents = Documents(services, self.envelope_factory)
        self.housekeeping = Housekeeping(services.log, self.envelope_factory)
        self.sweeper = Sweeper(
            self.orchestrator, services, self.directory, self.orphans, self.housekeeping
        )

        self._watch = Watch(projector, self.housekeeping, services.clock, place) if place else None

    @property
    def log(self) -> EventStore:
        """The event log."""
        return self.services.log

    def register(self, definition: SagaDefinition) -> None:
        """Make a saga definition of your own known, so that its sagas can be recovered."""
        self.definitions.register(definition)

    def register_factory(self, name: str, version: int, factory: DefinitionFactory) -> None:
        """Make a definition known that depends on the parameters a saga is started with."""
        self.definitions.register_factory(name, version, factory)

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
        return self._with_reporter(
            progress,
            lambda report: self.orchestrator.run(
                saga_id or uuid4(),
                definition,
                dict(parameters or {}),
                deadline_s=deadline_s,
                report=report,
            ),
        )

    def ingest(
        self,
        path: str | Path,
        config: StreamingSagaConfig | None = None,
        *,
        saga_id: UUID | None = None,
        progress: ProgressCallback | None = None,
    ) -> IngestResult:
        """Bring a file in as a whole, or not at all.

        Raises:
            SourceNotFoundError: there is no such file.
            SourceUnreadableError: it cannot be read as a regular file.
            StorageBackendError: a store could not even be asked; nothing was begun, or a recovery
                goes on from where it was.
        """
        chosen = config or self.config
        source = str(Path(path).absolute())
        if not chosen.again:
            existing = self.documents.same_content(source, chosen.namespace)
            if existing is not None:
                return IngestResult(existing, None)
        shared_with = tuple(s.saga_id for s in self.readers_of(source))
        saga = self.stream(source, chosen, saga_id=saga_id, progress=progress)
        return IngestResult(self.document_of(saga), saga, shared_with)

    def stream(
        self,
        path: str | Path,
        config: StreamingSagaConfig | None = None,
        *,
        build: Callable[
            [IngestionServices, Parameters], SagaDefinition
        ] = build_ingestion_definition,
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
        parameters = IngestionParameters.from_config(source, chosen).to_stored()
        chosen_id = saga_id or uuid4()
        try:
            return self._with_reporter(
                progress,
                lambda report: self.orchestrator.run(
                    chosen_id,
                    build(self.services, parameters),
                    parameters,
                    deadline_s=chosen.deadline_s,
                    report=report,
                ),
            )
        finally:
            self.services.forget(chosen_id)

    def delete(
        self, document: DocumentRecord, progress: ProgressCallback | None = None
    ) -> SagaExecutionResult:
        """Delete a document from every store, checked and recorded.

        Raises:
            StorageBackendError: the event log cannot be written.
        """
        return self._with_reporter(
            progress,
            lambda report: self.orchestrator.run(
                uuid4(),
                build_deletion_definition(self.services),
                deletion_parameters(document),
                report=report,
            ),
        )

    def drive(self, saga_id: UUID, progress: ProgressCallback | None = None) -> SagaExecutionResult:
        """Take a saga over as it stands and drive it; see `Orchestrator.drive` for the errors."""
        with _reporting(progress) as report:
            return self._drive(saga_id, report)

    def recover(
        self, progress: ProgressCallback | None = None, *, at_once: int = _RECOVERED_AT_ONCE
    ) -> RecoveryReport:
        """Bring every open saga that nobody drives to its end, the oldest first, several at once.

        Steps of different sagas run in different threads then; with `at_once=1` in this one. An
        exception raised in this thread meanwhile, by Ctrl-C say, is raised when the sagas at work
        have ended; `stop` makes them end at their next checkpoint.
        """
        self._reserve.restore()
        with _reporting(progress) as report:
            return recover(
                self.directory,
                lambda saga_id: self._drive(saga_id, report),
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
        return acknowledge(self.projector, self.housekeeping, alert_id, by or actor(), note)

    def plan(self, saga_id: UUID) -> list[PlannedUndo]:
        """What a rollback of a saga would go through; see `rollback_plan` for the errors."""
        return rollback_plan(
            self.log, self.definitions, self.envelope_factory, self._reserve, saga_id
        )

    def readers_of(self, source: str) -> Sequence[SagaSummary]:
        """Open sagas that have the same file as their source."""
        with opened_source(self.services, source) as opened:
            seen = opened.fingerprint
        return self.directory.reading(seen.device, seen.inode)

    def document_of(self, saga: SagaExecutionResult) -> DocumentRecord | None:
        """The committed document that an ingestion made."""
        secured = saga.outputs.get("secure", {})
        if not saga.success or "document_id" not in secured:
            return None
        found = self.services.relational.find(str(secured["document_id"]))
        return found[0] if found else None

    def stop(self) -> None:
        """Make every saga at work here stop at its next checkpoint, undoing nothing."""
        self.orchestrator.stopping.set()

    def close(self) -> None:
        """Give back leases, and close every store, also where one of them cannot be closed."""
        close_all(
            self._keeper,
            self._leases,
            self.monitor,
            self.services.vectors,
            self.services.graph,
            self.services.relational,
            self.projector,
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

    def _drive(self, saga_id: UUID, report: Reporter) -> SagaExecutionResult:
        try:
            result = self._followed(lambda: self.orchestrator.drive(saga_id, report))
            if result.status is SagaStatus.COMPENSATED and self._watch:
                # What an earlier round of the rollback had left is gone now.
                self._watch.report()
            return result
        finally:
            self.services.forget(saga_id)

    def _with_reporter(
        self,
        progress: ProgressCallback | None,
        work: Callable[[Reporter], SagaExecutionResult],
    ) -> SagaExecutionResult:
        with _reporting(progress) as report:
            return self._followed(lambda: work(report))

    def _followed(self, work: Callable[[], SagaExecutionResult]) -> SagaExecutionResult:
        try:
            result = work()
        finally:
            self.monitor.refresh()
        if result.status in _FAILURES and self._watch:
            self._watch.report()
        return result


@contextmanager
def _reporting(progress: ProgressCallback | None) -> Iterator[Reporter]:
    reporter = IsolatedCallback("progress", progress)
    try:
        yield reporter
    finally:
        reporter.close()


def open_ledger(
    data: str | Path | None = None,
    config: StreamingSagaConfig | None = None,
    *,
    embedder: Embedder | str | None = None,
    config_file: str | Path | None = None,
) -> Ledger:
    """Open a data folder, made where it is new, with the stores that are configured.

    Args:
        data: the folder; `SAGALEDGER_DATA`, what the configuration file says, or
            `sagaledger-data` by default.
        config: how its sagas behave; what is configured by default.
        embedder: what makes the vectors, or its name; the one that the folder was made with by
            default, `hashing` for a new one.
        config_file: read instead of `sagaledger.toml` in the folder; `SAGALEDGER_CONFIG` by
            default.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: the folder cannot be used, or was made with other stores or another
            embedder.
        DatabaseCorruptError: a database file is damaged.
        StorageBackendError: a store cannot be opened.
        EmbedderUnavailableError: the embedder's extra is not installed.
    """
    # Imported here, for the engines take most of the time that a small command would.
    from sagaledger.interface.bootstrap.opening import open_data_folder
    from sagaledger.interface.bootstrap.settings import Setting
    from sagaledger.interface.bootstrap.sources import load_settings

    is_name = isinstance(embedder, str)
    arguments = [Setting("embedder", embedder, "argument embedder")] if is_name else []
    settings = load_settings(data, config_file, arguments, data_source="argument data")
    given = None if isinstance(embedder, str) else embedder
    return open_data_folder(settings, config=config, embedder=given)


def actor() -> str:
    """Who gives a command, for the log: user and host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
