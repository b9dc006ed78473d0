"""The default stores of a data folder: an embedded engine behind every port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.interface.bootstrap.opening import open_services
from sagaledger.interface.bootstrap.settings import Settings

if TYPE_CHECKING:
    from sagaledger.domain.ports.clock import Clock
    from sagaledger.domain.ports.embedder import Embedder

__all__ = ["embedded_services"]


def embedded_services(
    folder: DataFolder, embedder: Embedder, clock: Clock, stores: DataFolder | None = None
) -> IngestionServices:
    """Open the log of a data folder, and its stores or those of another one.

    Raises:
        DatabaseCorruptError: a database file is damaged.
        StorageBackendError: a store cannot be opened.
    """
    place = stores.root if stores else None
    return open_services(Settings.defaults(), folder.root, embedder, clock, place)
