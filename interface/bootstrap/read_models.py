"""Opens the log and the read models, and no store, for commands that only query."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.infrastructure.system_clock import SystemClock
from sagaledger.interface.bootstrap.adapters import open_projector, open_setting, require_whole
from sagaledger.interface.bootstrap.remembered import remembered, require_same_stores
from sagaledger.interface.bootstrap.settings import Settings
from sagaledger.projections import Projector

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_store import EventStore

__all__ = ["open_read_models"]


@contextmanager
def open_read_models(settings: Settings) -> Iterator[Projector]:
    """Open the log and the read models of an existing data folder, and no store.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: The folder does not exist, cannot be used, or was made with other stores.
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
        projector = open_projector(settings, folder, log, clock)
        opened.callback(projector.close)
        yield projector
