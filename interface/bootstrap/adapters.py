"""Opens single parts that the settings name, and says in errors where they are set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sagaledger.domain.ports.clock import Clock
from sagaledger.domain.ports.event_observer import AppendParticipant
from sagaledger.domain.ports.event_store import EventStore
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

__all__ = ["open_listed", "open_projector", "open_setting", "require_whole"]


def require_whole(settings: Settings, folder: DataFolder) -> None:
    """Insist that a folder which was complete once still has all stores that are files of its.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: one is missing or empty.
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
    """Open the one part that a key names: a store, the embedder or the signer.

    Args:
        settings: what holds.
        key: names the part.
        root: where relative paths begin.
        clock: what the part may ask for the time.
        participants: take part in each transaction of the event store; only that is given them.

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
    """The read models that ship and those that are configured.

    Raises:
        ConfigurationError: a setting cannot be used.
        ProjectionNewerError: a newer version has written the read models.
        StorageBackendError: they cannot be opened.
    """
    further = open_listed(settings, "projections", folder.root, clock)
    try:
        return open_projections(folder.projections_db, log, further)
    except ValueError as error:
        raise ConfigurationError(f"projections: {error}") from error
