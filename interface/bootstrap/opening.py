"""Opens what the settings name: the one place where the product is wired."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.document.errors import EmbedderUnavailableError
from sagaledger.domain.ports.clock import Clock
from sagaledger.domain.ports.embedder import Embedder
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.ports.lease_store import LeaseStore
from sagaledger.domain.ports.text_extractor import TextExtractor
from sagaledger.infrastructure.data_folder import MARK_NAME, DataFolder
from sagaledger.infrastructure.made_with import MadeWith
from sagaledger.infrastructure.system_clock import SystemClock
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.bootstrap.registry import AdapterContext, AdapterKind, open_adapter
from sagaledger.interface.bootstrap.remembered import (
    format_for,
    remembered,
    require_same,
    require_same_stores,
)
from sagaledger.interface.bootstrap.settings import (
    DEFAULT_SOURCE,
    LISTS,
    LOCAL_SCHEMES,
    STORES,
    Settings,
)
from sagaledger.interface.bootstrap.store_url import StoreUrl
from sagaledger.projections import Projector, open_projections

if TYPE_CHECKING:
    from sagaledger.interface.library.ledger import Ledger

__all__ = [
    "open_data_folder",
    "open_embedder",
    "open_extractor",
    "open_leases",
    "open_listed",
    "open_read_models",
    "open_services",
    "open_setting",
    "require_whole",
]

_SHIPPED_FORMATS = ("pdf", "word", "markdown", "html", "plain")
"""In the order in which they are asked."""


def open_data_folder(
    settings: Settings,
    *,
    config: StreamingSagaConfig | None = None,
    embedder: Embedder | None = None,
) -> Ledger:
    """Open a data folder, made where it is new, with everything that the settings name.

    Args:
        settings: what holds for the folder.
        config: how its sagas behave; what the settings say by default.
        embedder: what makes its vectors; the one that the settings name by default.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: the folder cannot be used, or was made with others.
        DatabaseCorruptError: a database file is damaged.
        StorageBackendError: a store cannot be opened.
        EmbedderUnavailableError: the embedder's extra is not installed.
    """
    # Imported here: it is made of what is opened here.
    from sagaledger.infrastructure.ballast import BallastFile
    from sagaledger.interface.library.ledger import Ledger
    from sagaledger.interface.library.watch import WatchedPlace

    clock = SystemClock()
    config = config or settings.ingestion()
    name = settings.url("embedder").identity if embedder is None else ""
    chosen = embedder or open_embedder(settings, clock)
    folder = _marked_folder(settings, name, chosen)
    require_whole(settings, folder)
    reserve = BallastFile(folder.reserve)
    reserve.restore()
    with ExitStack() as opened:
        services = open_services(settings, folder.root, chosen, clock)
        for part in (services.log, services.vectors, services.graph, services.relational):
            opened.callback(part.close)
        leases = open_leases(folder, clock)
        opened.callback(leases.close)
        projector = _projector(settings, folder, services.log, clock)
        opened.callback(projector.close)
        place = WatchedPlace(folder.alert_rules, folder.reports, folder.free_share)
        ledger = Ledger(services, leases, reserve, projector, config, place)
        for register in open_listed(settings, "sagas", folder.root, clock):
            register(ledger)
        opened.pop_all()
    return ledger


def open_services(
    settings: Settings, root: Path, embedder: Embedder, clock: Clock, stores: Path | None = None
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

        def store(name: str) -> Any:
            part = open_setting(settings, f"stores.{name}", place, clock)
            opened.callback(getattr(part, "close", _nothing))
            return part

        log = open_setting(settings, "stores.events", root, clock)
        opened.callback(log.close)
        services = IngestionServices(
            log=log,
            chunks=store("chunks"),
            encoding=ZstdChunkEncoding(),
            source=LocalSourceReader(),
            extractor=open_extractor(settings, place, clock),
            embedder=embedder,
            vectors=store("vectors"),
            graph=store("graph"),
            relational=store("relational"),
            manifests=store("manifests"),
            signer=open_setting(settings, "signer", place, clock),
            spool=TemporaryFilePassageSpool(),
            clock=clock,
        )
        opened.pop_all()
    return services


@contextmanager
def open_read_models(settings: Settings) -> Iterator[Projector]:
    """Open the log and the read models of a data folder that was made before, and no store.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: there is none, it cannot be used, or it was made with other stores.
        DatabaseCorruptError: a database file is damaged.
        ProjectionNewerError: a newer version has written the read models.
        StorageBackendError: the log or the read models cannot be opened.
    """
    clock = SystemClock()
    DataFolder.require(settings.data)
    folder = DataFolder.open(settings.data)
    noted = remembered(folder.root)
    if noted is not None:
        require_same_stores(settings.data, noted, settings.store_identities())
    require_whole(settings, folder)
    with ExitStack() as opened:
        log: EventStore = open_setting(settings, "stores.events", folder.root, clock)
        opened.callback(log.close)
        projector = _projector(settings, folder, log, clock)
        opened.callback(projector.close)
        yield projector


def open_embedder(settings: Settings, clock: Clock) -> Embedder:
    """The embedder; one that only the data folder names is not opened before it is needed.

    Raises:
        ConfigurationError: there is none of this name.
        EmbedderUnavailableError: its extra is not installed.
    """

    def opened() -> Embedder:
        embedder: Embedder = open_setting(settings, "embedder", settings.data, clock)
        return embedder

    noted = remembered(settings.data)
    if noted is None or noted.embedder is None or _names_embedder(settings):
        return opened()
    from sagaledger.infrastructure.embedders.on_demand import EmbedderOnDemand

    return EmbedderOnDemand(noted.embedder, opened if noted.embedder_name else _brought(noted))


def open_leases(folder: DataFolder, clock: Clock) -> LeaseStore:
    """The leases of a data folder, and this process as a worker of it.

    Raises:
        StorageBackendError: they cannot be used.
    """
    from sagaledger.infrastructure.leases.sqlite_leases import SqliteLeaseStore

    return SqliteLeaseStore(folder.leases_db, folder.workers, clock)


def open_extractor(settings: Settings, root: Path, clock: Clock) -> TextExtractor:
    """What reads texts: the listed formats first, then those that ship.

    Raises:
        ConfigurationError: there is no format of a name.
    """
    from sagaledger.infrastructure.text import DocumentTextExtractor

    context = AdapterContext(_absolute(root), clock)
    listed = open_listed(settings, "text_formats", root, clock)
    shipped = (
        open_adapter(AdapterKind.TEXT_FORMAT, StoreUrl(name), context) for name in _SHIPPED_FORMATS
    )
    return DocumentTextExtractor([*listed, *shipped])


def require_whole(settings: Settings, folder: DataFolder) -> None:
    """Insist that a folder which was complete once still has all stores that are files of its.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: one is missing or empty.
    """
    urls = [settings.url(key) for key in (*STORES, "signer")]
    local = [url for url in urls if url.scheme in LOCAL_SCHEMES and not url.host and url.path]
    folder.require_whole([folder.root / url.path for url in local])


def open_setting(settings: Settings, key: str, root: Path, clock: Clock) -> Any:
    """Open the one part that a key names: a store, the embedder or the signer.

    Raises:
        ConfigurationError: the setting cannot be used.
        SagaledgerError: the part cannot be opened.
    """
    kind = _KINDS.get(key, AdapterKind.DOWNSTREAM_STORE)
    return _opened(settings, key, kind, settings.url(key), root, clock)


def open_listed(settings: Settings, key: str, root: Path, clock: Clock) -> list[Any]:
    """Open every part of a list, in its order.

    Raises:
        ConfigurationError: one cannot be used.
        SagaledgerError: one cannot be opened.
    """
    kind = LISTS[key]
    return [_opened(settings, key, kind, url, root, clock) for url in settings.urls(key)]


_KINDS = {**STORES, "embedder": AdapterKind.EMBEDDER, "signer": AdapterKind.SIGNER}


def _opened(
    settings: Settings, key: str, kind: AdapterKind, url: StoreUrl, root: Path, clock: Clock
) -> Any:
    try:
        return open_adapter(kind, url, AdapterContext(_absolute(root), clock))
    except ConfigurationError as error:
        source = settings.values[key].source
        where = "" if source == DEFAULT_SOURCE else f"{source}: "
        raise ConfigurationError(f"{where}{key}: {error}") from error


def _projector(settings: Settings, folder: DataFolder, log: EventStore, clock: Clock) -> Projector:
    further = open_listed(settings, "projections", folder.root, clock)
    return open_projections(folder.projections_db, log, further)


def _marked_folder(settings: Settings, embedder_name: str, embedder: Embedder) -> DataFolder:
    """The folder, once it is known to be made with the same stores and the same embedder."""
    stores = settings.store_identities()
    made_with = MadeWith(stores, embedder_name, embedder.identity)
    folder = DataFolder.open(settings.data, made_with, format_for(stores))
    noted = remembered(folder.root)
    assert noted is not None, "an open folder has a mark"
    require_same(settings.data, noted, stores, embedder.identity)
    if DataFolder.made_with(folder.root) is None:
        # A folder of 0.1.0: from now on its mark says so.
        folder.remember(made_with, format_for(stores))
    return folder


def _names_embedder(settings: Settings) -> bool:
    """Whether somebody chose an embedder, so that it is not merely the folder's own."""
    source = settings.values["embedder"].source
    return source not in (DEFAULT_SOURCE, str(settings.data / MARK_NAME))


def _brought(noted: MadeWith) -> Callable[[], Embedder]:
    def refuse() -> Embedder:
        assert noted.embedder is not None
        hint = "a program brought it; give it to `open_ledger`, or register it as an entry point"
        raise EmbedderUnavailableError(noted.embedder.name, hint)

    return refuse


def _absolute(root: Path) -> Path:
    return root.expanduser().absolute()


def _nothing() -> None:
    """What a part without files has to close."""
