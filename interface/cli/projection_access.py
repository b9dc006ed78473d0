"""Opens the read models alone for a command: the stores are not asked, nor their engines loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.infrastructure.event_store import SqliteEventStore
from sagaledger.interface.cli.invocation import Invocation
from sagaledger.projections import Projector, open_projections

__all__ = ["existing_projections"]


@contextmanager
def existing_projections(invocation: Invocation) -> Iterator[Projector]:
    """Open the log and the read models of a data folder that was made before, and no store.

    Raises:
        DataFolderError: there is none, or it cannot be used.
        DatabaseCorruptError: a database file is damaged.
        ProjectionNewerError: a newer version has written the read models.
        StorageBackendError: the log or the read models cannot be opened.
    """
    DataFolder.require(invocation.data)
    folder = DataFolder.open(invocation.data)
    folder.require_whole()
    with (
        closing(SqliteEventStore(folder.events_db)) as log,
        closing(open_projections(folder.projections_db, log)) as projector,
    ):
        yield projector
