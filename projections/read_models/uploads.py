"""`UploadList`: one row per upload, and one per chunk of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.upload.chunk_run import ChunkRun
from sagaledger.domain.upload.events import (
    ChunksDeleted,
    ChunkWritten,
    IntegrityFailed,
    IntegrityVerified,
    UploadCompleted,
    UploadDiscarded,
    UploadInterrupted,
    UploadResumed,
    UploadStarted,
)
from sagaledger.domain.upload.state import UploadStatus
from sagaledger.projections.engine.projector import Rule, each
from sagaledger.projections.engine.tables import Table, View, integer, real, text

__all__ = ["UploadList"]


class UploadList:
    """The sizes, digests and times of all uploads."""

    name = "uploads"
    version = 3
    tables = (
        Table(
            "uploads",
            "One upload of a file into the chunk store.",
            (
                text("upload_id", "The upload's id, with which the keys of its chunks start."),
                text("saga_id", "The saga of the upload."),
                text("source", "The path of the file."),
                text("source_name", "The file's name without its folder."),
                integer("size_bytes", "The file's size in bytes."),
                integer("chunk_size_bytes", "The size of each chunk but the last, in bytes."),
                integer("chunk_count", "The number of chunks of the complete upload."),
                text("compression", "`none` or `zstd`."),
                text("status", "Its status; see `UploadStatus`."),
                integer("attempts", "The number of attempts to send the chunks.", 1),
                integer("started_us", "When it was opened, in µs since 1970 UTC."),
                integer("sent_us", "When every chunk was durable, in µs since 1970 UTC; or 0.", 0),
                integer("verified_us", "When it was last verified, in µs; 0 if never.", 0),
                text("sha256", "The file's digest, in hexadecimal; empty until it is sent.", ""),
                text("failed_check", "The last check that failed; empty if none did.", ""),
                text("failure", "What that check expected and found.", ""),
                integer("removed_chunks", "Chunks that a rollback or a deletion has removed.", 0),
                integer("removed_bytes", "The stored bytes of these chunks.", 0),
            ),
            key=("upload_id",),
            indexes=(("saga_id",), ("status",)),
        ),
        Table(
            "chunks",
            "One chunk that became durable. It may be deleted: see the status of its upload.",
            (
                text("upload_id", "The upload's id."),
                integer("number", "Its position in the file, from 0."),
                text("sha256", "The digest of its plain bytes, in hexadecimal."),
                integer("stored_bytes", "Its size in the store, in bytes."),
                text("encoding", "`raw` or `zstd`."),
                integer("attempt", "The attempt that sent it."),
                integer("written_us", "When the chunk was recorded, in µs since 1970 UTC."),
            ),
            key=("upload_id", "number"),
            clustered=True,
        ),
        View(
            "upload_rates",
            "The transfer rate of one complete upload.",
            (
                text("upload_id", "The upload's id."),
                text("source_name", "The file's name without its folder."),
                integer("size_bytes", "The file's size in bytes."),
                integer("stored_bytes", "The size of its chunks in the store, in bytes."),
                integer("attempts", "The number of attempts to send the chunks."),
                integer("sending_us", "From its opening to its last durable chunk, in µs."),
                real("bytes_per_s", "The file's size divided by that time; null if it is 0."),
            ),
            # A wall clock may be set back: count a negative duration as 0.
            """
                SELECT upload_id, source_name, size_bytes,
                    (SELECT coalesce(sum(stored_bytes), 0) FROM chunks
                        WHERE chunks.upload_id=uploads.upload_id),
                    attempts, max(0, sent_us-started_us),
                    size_bytes * 1e6 / nullif(max(0, sent_us-started_us), 0)
                FROM uploads WHERE sent_us>0
            """,
            key=("upload_id",),
        ),
    )

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """The rules for an upload's rows."""
        return {
            UploadStarted: each(_start),
            ChunkWritten: _write_chunks,
            UploadInterrupted: _set_status(UploadStatus.INTERRUPTED),
            UploadResumed: each(_resume),
            UploadCompleted: each(_complete),
            IntegrityVerified: each(_verify),
            IntegrityFailed: each(_fail),
            ChunksDeleted: each(_remove),
            UploadDiscarded: _set_status(UploadStatus.DISCARDED),
        }


def _set_status(status: UploadStatus) -> Rule:
    def change(connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> None:
        connection.executemany(
            "UPDATE uploads SET status=? WHERE upload_id=?",
            [(status, recorded.originator_id.hex) for recorded in events],
        )

    return change


def _start(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, UploadStarted)
    connection.execute(
        "INSERT INTO uploads (upload_id, saga_id, source, source_name, size_bytes, "
        "chunk_size_bytes, chunk_count, compression, status, started_us) "
        "VALUES (?,?,?,?,?,?,?,?,?,?)",
        (
            recorded.originator_id.hex,
            event.saga_id,
            event.source,
            PurePath(event.source).name,
            event.fingerprint.size_bytes,
            event.chunk_size_bytes,
            event.chunk_count,
            event.compression,
            UploadStatus.OPEN,
            recorded.at_us,
        ),
    )


def _write_chunks(connection: sqlite3.Connection, run: Sequence[RecordedEvent]) -> None:
    # Most events of a long log are of this type: one statement inserts them, without objects.
    assert isinstance(run, ChunkRun)
    connection.executemany(
        "INSERT OR REPLACE INTO chunks VALUES (?,?,?,?,?,?,?)",
        zip(
            run.upload_ids,
            run.indexes,
            map(bytes.hex, run.digests),
            run.stored_bytes,
            run.encodings,
            run.attempts,
            run.at_us,
            strict=True,
        ),
    )


def _resume(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, UploadResumed)
    upload_id = recorded.originator_id.hex
    connection.execute(
        "UPDATE uploads SET status=?, attempts=? WHERE upload_id=?",
        (UploadStatus.OPEN, event.attempt, upload_id),
    )
    connection.executemany(
        "DELETE FROM chunks WHERE upload_id=? AND number=?",
        [(upload_id, number) for number in event.lost_chunks],
    )


def _complete(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, UploadCompleted)
    connection.execute(
        "UPDATE uploads SET status=?, sent_us=?, sha256=? WHERE upload_id=?",
        (UploadStatus.COMPLETED, recorded.at_us, event.sha256.hex(), recorded.originator_id.hex),
    )


def _verify(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    connection.execute(
        "UPDATE uploads SET status=?, verified_us=?, failed_check='', failure='' WHERE upload_id=?",
        (UploadStatus.VERIFIED, recorded.at_us, recorded.originator_id.hex),
    )


def _fail(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, IntegrityFailed)
    failure = f"expected {event.expected}, found {event.actual}: {event.detail}"
    connection.execute(
        "UPDATE uploads SET status=?, failed_check=?, failure=? WHERE upload_id=?",
        (UploadStatus.CORRUPT, event.check, failure, recorded.originator_id.hex),
    )


def _remove(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, ChunksDeleted)
    connection.execute(
        "UPDATE uploads SET removed_chunks=removed_chunks+?, removed_bytes=removed_bytes+? "
        "WHERE upload_id=?",
        (event.count, event.size_bytes, recorded.originator_id.hex),
    )
