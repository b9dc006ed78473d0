"""Opens the parts that the settings name; errors name the source of the setting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.bootstrap.registry import AdapterContext, AdapterKind, open_adapter
from sagaledger.interface.bootstrap.settings import (
    DEFAULT_SOURCE,
    LISTS,
    LOCAL_SCHEMES,
    SNAPSHOTS,
    STORES,
    Settings,
)
from sagaledger.interface.bootstrap.store_url import StoreUrl
from sagaledger.projections import Projector, open_projections

if TYPE_CHECKING:
    from sagaledger.domain.ports.clock import Clock
    from sagaledger.domain.ports.event_observer import AppendParticipant
    from sagaledger.domain.ports.event_store import EventStore

__all__ = ["open_listed", "open_projector", "open_setting", "require_whole"]


def require_whole(settings: Settings, folder: DataFolder) -> None:
    """Require that a folder that was complete once still has all its store files.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: A store is missing or empty.
    """
    urls = [settings.url(key) for key in (*STORES, "signer")]
    local = [url for url in urls if url.scheme in LOCAL_SCHEMES and not url.host and url.path]
    folder.require_whole([folder.root / url.path for url in local])


def open_setting(
    settings: Settings,
    key: str,
    root: Path,
    clock: Clock,
    participants: Sequence[AppendParticipant[Any]] = (),
) -> Any:
    """Open the part of a key: a store, the embedder or the signer.

    Args:
        settings: the settings of the data folder.
        key: the key of the part.
        root: the folder for relative paths.
        clock: the clock of the part.
        participants: take part in each transaction of the event store; other parts ignore them.

    Raises:
        ConfigurationError: the setting cannot be used.
        SagaledgerError: the part cannot be opened.
    """
    kind = _KINDS.get(key, AdapterKind.DOWNSTREAM_STORE)
    context = AdapterContext(root.expanduser().absolute(), clock, tuple(participants))
    return _opened(settings, key, kind, settings.url(key), context)


def open_listed(settings: Settings, key: str, root: Path, clock: Clock) -> list[Any]:
    """Open every part of a list, in its order.

    Raises:
        ConfigurationError: one cannot be used.
        SagaledgerError: one cannot be opened.
    """
    kind = LISTS[key]
    context = AdapterContext(root.expanduser().absolute(), clock)
    return [_opened(settings, key, kind, url, context) for url in settings.urls(key)]


_KINDS = {
    **STORES,
    SNAPSHOTS: AdapterKind.SNAPSHOT_STORE,
    "embedder": AdapterKind.EMBEDDER,
    "signer": AdapterKind.SIGNER,
}


def _opened(
    settings: Settings, key: str, kind: AdapterKind, url: StoreUrl, context: AdapterContext
) -> Any:
    try:
        return open_adapter(kind, url, context)
    except ConfigurationError as error:
        source = settings.values[key].source
        where = "" if source == DEFAULT_SOURCE else f"{source}: "
        raise ConfigurationError(f"{where}{key}: {error}") from error


def open_projector(
    settings: Settings, folder: DataFolder, log: EventStore, clock: Clock
) -> Projector:
    """The shipped read models and the configured ones.

    Raises:
        ConfigurationError: a setting cannot be used.
        ProjectionNewerError: a newer version has written the read models.
        StorageBackendError: They cannot be opened.
    """
    further = open_listed(settings, "projections", folder.root, clock)
    try:
        return open_projections(folder.projections_db, log, further)
    except ValueError as error:
        raise ConfigurationError(f"projections: {error}") from error
