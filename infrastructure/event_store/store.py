"""The event log port on an `eventsourcing` application: SQLite file or memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import (
    ApplicationRecorder,
    DatabaseError,
    EventStore,
    Mapper,
    PersistenceError,
    RecordConflictError,
)
from sagaledger.domain.errors import SagaledgerError, StorageBackendError, StorageFullError
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.errors import VersionConflictError
from sagaledger.domain.history.runs import EventRun
from sagaledger.domain.saga.state import Saga, fold_saga
from sagaledger.domain.upload.state import Upload, fold_upload_runs
from sagaledger.infrastructure.errors import DatabaseCorruptError, DataFolderError
from sagaledger.infrastructure.event_store.grouping_recorder import GroupingRecorder
from sagaledger.infrastructure.event_store.mapper import LedgerMapper
from sagaledger.infrastructure.event_store.memory_recorder import MemoryRecorder
from sagaledger.infrastructure.event_store.recorder import (
    APPLICATION_ID,
    FORMAT_VERSION,
    LedgerDatastore,
    LedgerRecorder,
    SnapshotRecorder,
)
from sagaledger.infrastructure.event_store.upload_snapshot import UploadSnapshot

__all__ = ["MemoryEventStore", "SqliteEventStore"]

_PAGE = 1000


class _LedgerApplication(Application[UUID]):
    """The library's application with our mapper and recorders."""

    name = "sagaledger"
    is_snapshotting_enabled = True
    snapshot_class = UploadSnapshot

    def __init__(
        self, mapper: LedgerMapper, recorder: ApplicationRecorder, snapshots: ApplicationRecorder
    ) -> None:
        self._given_mapper = mapper
        self._given_recorder = recorder
        self._given_snapshots = snapshots
        super().__init__({"PERSISTENCE_MODULE": "eventsourcing.popo"})

    def construct_mapper(self) -> Mapper[UUID]:
        return self._given_mapper

    def construct_recorder(self) -> ApplicationRecorder:
        return self._given_recorder

    def construct_snapshot_store(self) -> EventStore[UUID]:
        return self.factory.event_store(mapper=self.mapper, recorder=self._given_snapshots)


class _EventLog:
    """What both logs share."""

    def __init__(
        self,
        recorder: LedgerRecorder | MemoryRecorder,
        snapshots: ApplicationRecorder,
        path: str,
    ) -> None:
        self._path = path
        mapper = LedgerMapper()
        self._application = _LedgerApplication(mapper, recorder, snapshots)
        self._codec = mapper.codec
        self._to_row = mapper.to_stored_event
        self._recorder = recorder

    def append(self, recorded: Sequence[RecordedEvent]) -> int:
        """Store events of one or more streams in one transaction, durable on return.

        Raises:
            VersionConflictError: an `originator_version` is taken; nothing was stored.
            StorageFullError: there is no room; nothing was stored.
            StorageBackendError: the log cannot be written; nothing was stored.
        """
        if not recorded:
            return self.last_position()
        with self._mapped_errors("append"):
            rows = list(map(self._to_row, recorded))
            positions = self._recorder.insert_events(rows)
        assert positions
        return positions[-1]

    def load_saga(self, saga_id: UUID) -> Saga | None:
        """The saga as of its last event, or None if there is none."""
        return fold_saga(None, self.read_stream(saga_id))

    def load_upload(self, upload_id: UUID) -> Upload | None:
        """The upload as of its last event, or None if there is none.

        Raises:
            EventCorruptError: an event of it cannot be decoded.
            ChunkMetadataCorruptError: the events contradict each other.
        """
        upload = self._kept_upload(upload_id)
        version = upload.version if upload else 0
        while True:
            with self._mapped_errors("read"):
                page = self._recorder.stream_rows_after(upload_id, version, _PAGE)
                runs = self._codec.decode_runs(page, self._recorder.streams)
            if not page:
                return upload
            upload = fold_upload_runs(upload, runs)
            version = page[-1][1]

    def _kept_upload(self, upload_id: UUID) -> Upload | None:
        """The upload as it was last kept, or None."""
        snapshots = self._application.snapshots
        assert snapshots is not None
        with self._mapped_errors("read"):
            kept = next(iter(snapshots.get(upload_id, desc=True, limit=1)), None)
        # A snapshot that cannot be understood is as good as none: the events tell what it said.
        with suppress(ValueError, TypeError):
            if isinstance(kept, UploadSnapshot):
                return kept.restore()
        return None

    def snapshot_upload(self, upload_id: UUID) -> None:
        """Keep the upload's present state, so that loading it later is short."""
        upload = self.load_upload(upload_id)
        snapshots = self._application.snapshots
        assert snapshots is not None
        if upload is None:
            return
        with self._mapped_errors("snapshot"), suppress(RecordConflictError):
            # A conflict: the same version was kept before.
            snapshots.put([UploadSnapshot.take(upload)])

    def read_stream(self, stream_id: UUID, after_version: int = 0) -> Iterator[RecordedEvent]:
        """The events of one stream in order, a page at a time."""
        while True:
            with self._mapped_errors("read"):
                page = self._recorder.stream_rows_after(stream_id, after_version, _PAGE)
                events = self._codec.decode_rows(page, self._recorder.streams)
            yield from events
            if len(events) < _PAGE:
                return
            after_version = events[-1].originator_version

    def version_of(self, stream_id: UUID) -> int:
        """The number of the stream's last event, without decoding it; 0 for none."""
        with self._mapped_errors("read"):
            last = self._recorder.select_events(stream_id, desc=True, limit=1)
        return last[0].originator_version if last else 0

    def read_log(self, after_position: int, limit: int) -> Sequence[RecordedEvent]:
        """Up to `limit` events of all streams after a position, in the order they were stored."""
        with self._mapped_errors("read"):
            rows = self._recorder.rows_after(after_position, limit)
            return self._codec.decode_rows(rows, self._recorder.streams)

    def read_runs(self, after_position: int, limit: int) -> Sequence[EventRun]:
        """The events that `read_log` gives, as runs of one type that are never empty."""
        with self._mapped_errors("read"):
            rows = self._recorder.rows_after(after_position, limit)
            return self._codec.decode_runs(rows, self._recorder.streams)

    def last_position(self) -> int:
        """The position of the newest event; 0 for an empty log."""
        with self._mapped_errors("read"):
            return self._recorder.max_notification_id() or 0

    def close(self) -> None:
        """Release files and connections."""
        self._application.close()

    @contextmanager
    def _mapped_errors(self, operation: str) -> Iterator[None]:
        try:
            yield
        except SagaledgerError:
            raise
        except (RecordConflictError, sqlite3.IntegrityError) as error:
            raise VersionConflictError(str(error)) from error
        except (PersistenceError, sqlite3.Error, TimeoutError) as error:
            raise _translated(error, operation, self._path) from error


class MemoryEventStore(_EventLog):
    """A log that lasts as long as its process: for tests and for embedding."""

    def __init__(self) -> None:
        super().__init__(MemoryRecorder(), MemoryRecorder(), "memory")


class SqliteEventStore(_EventLog):
    """A log in one SQLite file, for several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open the log, or make it.

        Raises:
            DataFolderError: the file was written by a newer version.
            DatabaseCorruptError: the file is damaged or is not a log.
            StorageBackendError: it cannot be opened.
        """
        try:
            _check_file(path)
            self._datastore = LedgerDatastore(str(path))
            recorder = GroupingRecorder(self._datastore)
            snapshots = SnapshotRecorder(self._datastore)
            recorder.create_table()
            snapshots.create_table()
            # No command is to answer from the stores beside a log that cannot be read.
            recorder.max_notification_id()
        except (PersistenceError, sqlite3.Error) as error:
            raise _translated(error, "open", str(path)) from error
        self._ledger_recorder = recorder
        super().__init__(recorder, snapshots, str(path))

    def version_of(self, stream_id: UUID) -> int:
        """The number of the stream's last event, without reading it; 0 for none."""
        with self._mapped_errors("read"):
            return self._ledger_recorder.max_version(stream_id)

    def close(self) -> None:
        """Release files and connections."""
        self._ledger_recorder.close()
        super().close()
        self._datastore.close()


def _check_file(path: Path) -> None:
    if not path.exists() or path.stat().st_size == 0:
        return
    connection = sqlite3.connect(path)
    try:
        application_id = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        table_count = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    finally:
        connection.close()
    if application_id == 0 and table_count == 0:
        # Its making was cut short before anything was in it.
        return
    if application_id != APPLICATION_ID:
        raise DatabaseCorruptError(str(path), "it is not an event log of sagaledger")
    if version > FORMAT_VERSION:
        raise DataFolderError(
            str(path.parent),
            f"its event log has format {version}, written by a newer version; upgrade sagaledger",
        )


def _translated(error: Exception, operation: str, path: str) -> SagaledgerError:
    words = str(error)
    if "disk is full" in words:
        return StorageFullError("events", operation, words)
    if "malformed" in words or "not a database" in words:
        return DatabaseCorruptError(path, words)
    says_all = isinstance(error, DatabaseError | sqlite3.DatabaseError)
    detail = words if says_all else f"{type(error).__name__}: {words}"
    return StorageBackendError("events", operation, detail)
