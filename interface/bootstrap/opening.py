"""Opens everything that the settings name: the composition root."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagaledger.application.closing import is_closeable
from sagaledger.application.housekeeping.alerts import WatchedPlace
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.document.errors import EmbedderUnavailableError
from sagaledger.infrastructure.ballast import BallastFile
from sagaledger.infrastructure.data_folder import MARK_NAME, DataFolder
from sagaledger.infrastructure.made_with import MadeWith
from sagaledger.infrastructure.system_clock import SystemClock
from sagaledger.interface.bootstrap.adapters import (
    open_listed,
    open_projector,
    open_setting,
    require_whole,
)
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.bootstrap.places import require_apart
from sagaledger.interface.bootstrap.registry import AdapterContext, AdapterKind, open_adapter
from sagaledger.interface.bootstrap.remembered import format_for, remembered, require_same
from sagaledger.interface.bootstrap.settings import DEFAULT_SOURCE, SNAPSHOTS, Settings
from sagaledger.interface.bootstrap.store_url import StoreUrl
from sagaledger.interface.bootstrap.watched_place import watched_place
from sagaledger.projections import Projector

if TYPE_CHECKING:
    from sagaledger.domain.ports.ballast import Ballast
    from sagaledger.domain.ports.clock import Clock
    from sagaledger.domain.ports.embedder import Embedder
    from sagaledger.domain.ports.event_observer import AppendParticipant, EventObserver
    from sagaledger.domain.ports.lease_store import LeaseStore
    from sagaledger.domain.ports.text_extractor import TextExtractor

__all__ = [
    "OpenParts",
    "open_embedder",
    "open_extractor",
    "open_leases",
    "open_parts",
    "open_services",
]

_SHIPPED_FORMATS = ("pdf", "word", "markdown", "html", "plain")
"""The text formats, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class OpenParts:
    """The parts of a ledger."""

    services: IngestionServices
    leases: LeaseStore
    reserve: Ballast
    projector: Projector
    config: StreamingSagaConfig
    place: WatchedPlace
    observers: Sequence[EventObserver]
    """Receive every stored event with its position once it is durable."""
    registrars: Sequence[Callable[[Any], object]]
    """Each registers another package's sagas on the ledger."""


def open_parts(
    settings: Settings,
    *,
    config: StreamingSagaConfig | None = None,
    embedder: Embedder | None = None,
    participants: Sequence[AppendParticipant[Any]] = (),
) -> OpenParts:
    """Open or create a data folder, with everything that the settings name.

    Args:
        settings: the settings of the folder.
        config: the behaviour of its sagas; by default from the settings.
        embedder: makes its vectors; by default the one of the settings.
        participants: take part in each transaction of the event store, in addition to those of the
            settings.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: The folder cannot be used, or was made with other stores or another
            embedder.
        DatabaseCorruptError: a database file is damaged.
        StorageBackendError: a store cannot be opened.
        EmbedderUnavailableError: the embedder's extra is not installed.
    """
    require_apart(settings)
    clock = SystemClock()
    config = config or settings.ingestion()
    name = settings.url("embedder").identity if embedder is None else ""
    chosen = embedder or open_embedder(settings, clock)
    made_with = MadeWith(settings.store_identities(), name, chosen.identity)
    folder = _marked_folder(settings, made_with)
    require_whole(settings, folder)
    observers = open_listed(settings, "observers", folder.root, clock)
    registrars = open_listed(settings, "sagas", folder.root, clock)
    reserve = BallastFile(folder.reserve)
    reserve.restore()
    with ExitStack() as opened:
        services = open_services(settings, folder.root, chosen, clock, participants=participants)
        opened.callback(services.log.close)
        opened.callback(services.snapshots.close)
        for store in services.closeable_stores:
            opened.callback(store.close)
        leases = open_leases(folder, clock)
        opened.callback(leases.close)
        projector = open_projector(settings, folder, services.log, clock)
        opened.callback(projector.close)
        place = watched_place(folder, projector)
        _complete_mark(settings.data, folder, made_with)
        opened.pop_all()
    return OpenParts(services, leases, reserve, projector, config, place, observers, registrars)


def open_services(
    settings: Settings,
    root: Path,
    embedder: Embedder,
    clock: Clock,
    stores: Path | None = None,
    participants: Sequence[AppendParticipant[Any]] = (),
) -> IngestionServices:
    """Open the log of a data folder, and its stores or those of another one.

    Raises:
        ConfigurationError: a setting cannot be used.
        DatabaseCorruptError: a database file is damaged.
        StorageBackendError: a store cannot be opened.
    """
    from sagaledger.infrastructure.chunk_stores.encoding import ZstdChunkEncoding
    from sagaledger.infrastructure.local_source import LocalSourceReader
    from sagaledger.infrastructure.passage_spool import TemporaryFilePassageSpool

    place = stores or root
    with ExitStack() as opened:

        def store(key: str) -> Any:
            part = open_setting(settings, key, place, clock)
            if is_closeable(part):
                opened.callback(part.close)
            return part

        listed = open_listed(settings, "participants", root, clock)
        log = open_setting(settings, "stores.events", root, clock, (*listed, *participants))
        opened.callback(log.close)
        snapshots = open_setting(settings, SNAPSHOTS, root, clock)
        opened.callback(snapshots.close)
        services = _services(
            log=log,
            snapshots=snapshots,
            chunks=store("stores.chunks"),
            encoding=ZstdChunkEncoding(),
            source=LocalSourceReader(),
            extractor=open_extractor(settings, place, clock),
            embedder=embedder,
            vectors=store("stores.vectors"),
            graph=store("stores.graph"),
            relational=store("stores.relational"),
            manifests=store("stores.manifests"),
            signer=store("signer"),
            spool=TemporaryFilePassageSpool(),
            clock=clock,
            further_stores=tuple(store(f"downstream.{name}") for name in settings.downstream),
        )
        opened.pop_all()
    return services


def _services(**parts: Any) -> IngestionServices:
    try:
        return IngestionServices(**parts)
    except ValueError as error:
        raise ConfigurationError(f"downstream: {error}") from error


def open_embedder(settings: Settings, clock: Clock) -> Embedder:
    """The embedder. One that only the data folder names is opened on first use.

    Raises:
        ConfigurationError: No embedder has this name.
        EmbedderUnavailableError: Its extra is not installed.
    """

    def opened() -> Embedder:
        embedder: Embedder = open_setting(settings, "embedder", settings.data, clock)
        return embedder

    noted = remembered(settings.data)
    if noted is None or noted.embedder is None or _names_embedder(settings):
        return opened()
    from sagaledger.infrastructure.embedders.on_demand import EmbedderOnDemand

    return EmbedderOnDemand(noted.embedder, opened if noted.embedder_name else _custom(noted))


def open_leases(folder: DataFolder, clock: Clock) -> LeaseStore:
    """Open the leases of a data folder, with this process as a worker.

    Raises:
        StorageBackendError: they cannot be used.
    """
    from sagaledger.infrastructure.leases.sqlite_leases import SqliteLeaseStore

    return SqliteLeaseStore(folder.leases_db, folder.workers, clock)


def open_extractor(settings: Settings, root: Path, clock: Clock) -> TextExtractor:
    """The text extractor: the listed formats first, then the shipped ones.

    Raises:
        ConfigurationError: A listed format does not exist.
    """
    from sagaledger.infrastructure.text import DocumentTextExtractor

    context = AdapterContext(root.expanduser().absolute(), clock)
    listed = open_listed(settings, "text_formats", root, clock)
    shipped = (
        open_adapter(AdapterKind.TEXT_FORMAT, StoreUrl(name), context) for name in _SHIPPED_FORMATS
    )
    return DocumentTextExtractor([*listed, *shipped])


def _marked_folder(settings: Settings, made_with: MadeWith) -> DataFolder:
    """The folder, once it is known to be made with the same stores and the same embedder."""
    tried = replace(made_with, is_complete=False)
    number = format_for(made_with.stores)
    folder = DataFolder.open(settings.data, tried, number)
    noted = remembered(folder.root)
    if noted is not None:
        require_same(settings.data, noted, made_with)
    elif DataFolder.made_with(folder.root) != tried:
        # An earlier attempt named other stores, and one of them could not be opened.
        folder.remember(tried, number)
    return folder


def _complete_mark(data: Path, folder: DataFolder, made_with: MadeWith) -> None:
    """Bind the folder to what could be opened, if nothing binds it yet; one of 0.1.0 says less."""
    noted = DataFolder.made_with(folder.root)
    if noted is None or not noted.is_complete:
        # Another process may be making the same new folder with others: one of both is refused.
        require_same(data, noted or made_with, made_with)
        folder.remember(made_with, format_for(made_with.stores))


def _names_embedder(settings: Settings) -> bool:
    """Whether the user chose an embedder, instead of only the data folder."""
    source = settings.values["embedder"].source
    return source not in (DEFAULT_SOURCE, str(settings.data / MARK_NAME))


def _custom(noted: MadeWith) -> Callable[[], Embedder]:
    def refuse() -> Embedder:
        assert noted.embedder is not None
        hint = "a program brought it; give it to `open_ledger`, or register it as an entry point"
        raise EmbedderUnavailableError(noted.embedder.name, hint)

    return refuse
