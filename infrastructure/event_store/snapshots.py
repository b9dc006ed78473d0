"""The snapshot port: in an SQLite file, that of the event log by default, or in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from uuid import UUID

from sagaledger.domain.upload.state import Upload
from sagaledger.infrastructure.event_store.events_file import open_events_file
from sagaledger.infrastructure.event_store.upload_snapshot import (
    SNAPSHOT_TYPE,
    packed_upload,
    restored_upload,
)
from sagaledger.infrastructure.sqlite_files import ConnectionPool, storage_error

__all__ = ["MemorySnapshotStore", "SqliteSnapshotStore"]

_NEWEST = (
    "SELECT version, type, position FROM snapshots "
    "WHERE stream=(SELECT number FROM streams WHERE originator_id=?) "
    "ORDER BY version DESC LIMIT 1"
)
_KEEP = (
    "INSERT OR IGNORE INTO snapshots (stream, version, type, state) "
    "SELECT number, ?, ?, ? FROM streams WHERE originator_id=?"
)
_NUMBER = "INSERT OR IGNORE INTO streams (originator_id) VALUES (?)"


class SqliteSnapshotStore:
    """Snapshots in a file as the event log's: beside the events, or in one of their own."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet: most commands need no snapshot."""
        self._path = path
        self._connections = ConnectionPool(path)
        self._opening = Lock()
        self._is_made = False

    def newest(self, upload_id: UUID) -> Upload | None:
        """The upload as of its newest snapshot, or None if this version cannot decode it.

        Raises:
            DatabaseCorruptError: the file is damaged.
            DataFolderError: it was written by a newer version.
            StorageBackendError: it cannot be read.
        """
        with self._connection("read") as connection:
            row = connection.execute(_NEWEST, (upload_id.bytes,)).fetchone()
            if row is None:
                return None
            version, type_name, position = row
            # Read as a blob: SQLite would assemble a selected value first, then copy it.
            with connection.blobopen("snapshots", "state", position, readonly=True) as blob:
                state = blob.read()
        return restored_upload(upload_id, version, type_name, state)

    def keep(self, upload: Upload) -> None:
        """Store the state of an upload whose events are stored. Idempotent for one version.

        Raises:
            StorageFullError: The disk is full.
            StorageBackendError: it cannot be kept.
        """
        row = (upload.version, SNAPSHOT_TYPE, packed_upload(upload), upload.id.bytes)
        with self._connection("snapshot") as connection:
            if not connection.execute(_KEEP, row).rowcount:
                # It is kept already, or the events are in another file, which numbers streams.
                connection.execute(_NUMBER, (upload.id.bytes,))
                connection.execute(_KEEP, row)

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._connections.close()

    @contextmanager
    def _connection(self, operation: str) -> Iterator[sqlite3.Connection]:
        try:
            self._make()
            with self._connections.connection() as connection:
                yield connection
        except sqlite3.Error as error:
            raise storage_error(error, "snapshots", operation, self._path) from error

    def _make(self) -> None:
        """Create the file if it is missing, and migrate it to the newest format."""
        with self._opening:
            if not self._is_made:
                self._connections.give(open_events_file(self._path))
                self._is_made = True


class MemorySnapshotStore:
    """Snapshots in memory until the process ends: the newest of each upload."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[UUID, tuple[int, bytes]] = {}

    def newest(self, upload_id: UUID) -> Upload | None:
        """The upload as of its newest snapshot."""
        with self._lock:
            kept = self._kept.get(upload_id)
        if kept is None:
            return None
        version, state = kept
        return restored_upload(upload_id, version, SNAPSHOT_TYPE, state)

    def keep(self, upload: Upload) -> None:
        """Store the state of an upload."""
        packed = packed_upload(upload)
        with self._lock:
            kept = self._kept.get(upload.id)
            if kept is None or kept[0] < upload.version:
                self._kept[upload.id] = (upload.version, packed)

    def close(self) -> None:
        """Do nothing: there are no resources."""
