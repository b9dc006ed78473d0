"""`DocumentList`: one row per document, from its upload to its deletion or rollback."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import PurePath

from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.saga.events import (
    CommitDecided,
    SagaClaimed,
    SagaCompensated,
    SagaCompensationFailed,
    SagaCompleted,
    SagaStarted,
    StepCompleted,
)
from sagaledger.domain.upload.events import UploadStarted
from sagaledger.projections.engine.projector import Rule, each
from sagaledger.projections.engine.tables import Table, integer, text

__all__ = ["DocumentList"]


class DocumentList:
    """What each document is, who has signed it, and where it stands."""

    name = "documents"
    version = 1
    tables = (
        Table(
            "documents",
            "One document, or the upload that was to become one.",
            (
                text("saga_id", "The saga that creates it."),
                text("document_id", "The document's id; empty until it is secured.", ""),
                text(
                    "state",
                    "`pending`, `committed`, `rolled_back`, `rollback_failed`, `deleting` or "
                    "`deleted`.",
                ),
                text("namespace", "Its namespace; empty until it is secured.", ""),
                text("source_name", "The file's name without its folder."),
                integer("size_bytes", "The file's size in bytes."),
                integer("chunk_count", "The number of its chunks."),
                text("sha256", "The file's digest, in hexadecimal; empty until secured.", ""),
                text("classification", "How confidential it is; empty until it is secured.", ""),
                text("signer", "The id of the key that signed its manifest; or empty.", ""),
                text("media_type", "The detected media type; empty until it is indexed.", ""),
                integer("passages", "The number of its passages.", 0),
                text("embedder", "The embedder of its vectors; empty until it is indexed.", ""),
                integer("started_us", "When its upload was opened, in µs since 1970 UTC."),
                integer("secured_us", "When its manifest was signed, in µs; 0 before.", 0),
                integer("committed_us", "When it became visible, in µs; 0 before.", 0),
                text("deletion_saga_id", "The saga that deletes it; empty without one.", ""),
                integer("ended_us", "When it was deleted or rolled back, in µs; 0 before.", 0),
            ),
            key=("saga_id",),
            indexes=(("document_id",), ("sha256",), ("deletion_saga_id",)),
        ),
    )

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """How each type of event changes the document's row."""
        return {
            UploadStarted: each(_begin),
            StepCompleted: each(_learn),
            SagaStarted: each(_begin_deletion),
            CommitDecided: each(_decide),
            SagaCompleted: each(_complete),
            SagaCompensated: each(_roll_back),
            SagaCompensationFailed: each(_fail),
            SagaClaimed: each(_take_up),
        }


def _begin(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, UploadStarted)
    connection.execute(
        "INSERT OR IGNORE INTO documents (saga_id, state, source_name, size_bytes, chunk_count, "
        "started_us) VALUES (?,'pending',?,?,?,?)",
        (
            event.saga_id,
            PurePath(event.source).name,
            event.fingerprint.size_bytes,
            event.chunk_count,
            recorded.at_us,
        ),
    )


def _learn(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, StepCompleted)
    told = event.output
    changes: dict[str, object] = {}
    if {"document_id", "content_id", "key_id"} <= told.keys():
        content_id = str(told["content_id"])
        changes = {
            "document_id": str(told["document_id"]),
            "namespace": content_id.partition(":")[0],
            "sha256": content_id.rpartition(":")[2],
            "classification": str(told.get("classification", "")),
            "signer": str(told["key_id"]),
            "secured_us": recorded.at_us,
        }
    elif {"media_type", "passages", "embedder"} <= told.keys():
        changes = {name: str(told[name]) for name in ("media_type", "embedder")}
        # A step of a user's own may call anything so.
        changes["passages"] = told["passages"] if isinstance(told["passages"], int) else 0
    if changes:
        assignments = ", ".join(f"{column}=?" for column in changes)
        connection.execute(
            f"UPDATE documents SET {assignments} WHERE saga_id=?",
            (*changes.values(), recorded.originator_id.hex),
        )


def _begin_deletion(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, SagaStarted)
    if "owner_saga_id" in event.parameters:
        connection.execute(
            "UPDATE documents SET deletion_saga_id=? WHERE saga_id=?",
            (recorded.originator_id.hex, str(event.parameters["owner_saga_id"])),
        )


def _decide(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    connection.execute(
        "UPDATE documents SET state='deleting' WHERE deletion_saga_id=? AND state='committed'",
        (recorded.originator_id.hex,),
    )


def _complete(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    saga_id = recorded.originator_id.hex
    connection.execute(
        "UPDATE documents SET state='committed', committed_us=? WHERE saga_id=?",
        (recorded.at_us, saga_id),
    )
    connection.execute(
        "UPDATE documents SET state='deleted', ended_us=? WHERE deletion_saga_id=?",
        (recorded.at_us, saga_id),
    )


def _roll_back(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    _end(connection, recorded, "rolled_back")


def _fail(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    _end(connection, recorded, "rollback_failed")


def _end(connection: sqlite3.Connection, recorded: RecordedEvent, state: str) -> None:
    connection.execute(
        "UPDATE documents SET state=?, ended_us=? WHERE saga_id=?",
        (state, recorded.at_us, recorded.originator_id.hex),
    )


def _take_up(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    # Whoever takes up a rollback that failed goes on with it.
    connection.execute(
        "UPDATE documents SET state='pending', ended_us=0 "
        "WHERE saga_id=? AND state='rollback_failed'",
        (recorded.originator_id.hex,),
    )
