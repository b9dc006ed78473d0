"""The event store port on a recorder: SQLite file or memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from eventsourcing.persistence import IntegrityError
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.errors import VersionConflictError
from sagaledger.domain.history.runs import EventRun
from sagaledger.infrastructure.event_store.codec import EventCodec
from sagaledger.infrastructure.event_store.memory_recorder import MemoryRecorder
from sagaledger.infrastructure.event_store.participation import ParticipantError
from sagaledger.infrastructure.event_store.rows import RowRecorder
from sagaledger.infrastructure.event_store.sqlite_recorder import SqliteRecorder
from sagaledger.infrastructure.sqlite_files import storage_error

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_observer import AppendParticipant

__all__ = ["MemoryEventStore", "SqliteEventStore"]

_NAME = "events"
_PAGE = 1000


class _RecordingEventStore:
    """The common base of both stores: converts events to rows and back, and translates errors."""

    def __init__(self, recorder: RowRecorder, path: Path) -> None:
        self._recorder = recorder
        self._path = path
        self._codec = EventCodec()

    def append(self, recorded: Sequence[RecordedEvent]) -> int:
        """Store events of one or more streams in one transaction, durable on return.

        Raises:
            VersionConflictError: an `originator_version` is taken; nothing was stored.
            EventSerializationError: An event contains a value that is not plain data; nothing was
                stored.
            StorageFullError: The disk is full; nothing was stored.
            StorageBackendError: the log cannot be written; nothing was stored.
            Exception: what a participant raised; nothing was stored.
        """
        if not recorded:
            return self.last_position()
        encode = self._codec.encode
        rows = [(item[0], item[1], *encode(item)) for item in recorded]
        with _errors("append", self._path):
            return self._recorder.insert_rows(rows)[-1]

    def read_stream(self, stream_id: UUID, after_version: int = 0) -> Iterator[EventRun]:
        """The events of one stream after a version, in order, read a page at a time.

        Raises:
            EventCorruptError: while it is iterated, an event of the page cannot be decoded.
            StorageBackendError: while it is iterated, the log cannot be read.
        """
        while True:
            with _errors("read", self._path):
                rows = self._recorder.stream_rows(stream_id, after_version, _PAGE)
                runs = self._codec.decode_runs(rows, self._recorder.streams)
            yield from runs
            if len(rows) < _PAGE:
                return
            after_version = rows[-1][1]

    def read_log(self, after_position: int, limit: int) -> Sequence[EventRun]:
        """Up to `limit` events of all streams after a position, in the order they were stored.

        Raises:
            EventCorruptError: one of them cannot be decoded.
            StorageBackendError: the log cannot be read.
        """
        with _errors("read", self._path):
            rows = self._recorder.log_rows(after_position, limit)
            return self._codec.decode_runs(rows, self._recorder.streams)

    def last_version(self, stream_id: UUID) -> int:
        """The number of the stream's last event, 0 for none, without decoding any event."""
        with _errors("read", self._path):
            return self._recorder.last_version(stream_id)

    def last_position(self) -> int:
        """The position of the newest event; 0 for an empty log."""
        with _errors("read", self._path):
            return self._recorder.max_notification_id() or 0

    def close(self) -> None:
        """Release files and connections. Idempotent."""
        self._recorder.close()


class MemoryEventStore(_RecordingEventStore):
    """An event store in memory, for tests and for embedding."""

    def __init__(self, participants: Sequence[AppendParticipant[None]] = ()) -> None:
        """Start empty; participants take part in every append, in this order."""
        super().__init__(MemoryRecorder(participants), Path("memory"))


class SqliteEventStore(_RecordingEventStore):
    """An event store in one SQLite file, for several threads and processes."""

    def __init__(
        self, path: Path, participants: Sequence[AppendParticipant[sqlite3.Connection]] = ()
    ) -> None:
        """Open or create the log; participants take part in every append, in this order.

        Raises:
            DataFolderError: the file was written by a newer version.
            DatabaseCorruptError: the file is damaged or is not a log.
            StorageBackendError: The file cannot be opened.
        """
        with _errors("open", path):
            recorder = SqliteRecorder(path, participants)
        try:
            with _errors("open", path):
                # No command may answer from the stores if the log cannot be read.
                recorder.max_notification_id()
        except BaseException:
            recorder.close()
            raise
        super().__init__(recorder, path)


@contextmanager
def _errors(operation: str, path: Path) -> Iterator[None]:
    try:
        yield
    except ParticipantError as error:
        raise error.error from None
    except IntegrityError as error:
        raise VersionConflictError(str(error)) from error
    except sqlite3.DatabaseError as error:
        raise storage_error(error, _NAME, operation, path) from error
    except sqlite3.Error as error:
        cause = f"{type(error).__name__}: {error}"
        raise StorageBackendError(_NAME, operation, cause) from error
