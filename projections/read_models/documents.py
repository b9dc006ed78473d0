"""`DocumentList`: one row per document, from its upload to its deletion or rollback."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import PurePath

from sagaledger.domain.document.events import (
    DocumentCommitted,
    DocumentDeleted,
    DocumentHidden,
    DocumentIndexed,
    DocumentSecured,
)
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
from sagaledger.projections.read_models.version_1 import (
    document_deleted_by,
    indexed_by,
    makes_document,
    secured_by,
)

__all__ = ["DocumentList"]


class DocumentList:
    """Each document, its signer, and its state."""

    name = "documents"
    version = 2
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
        Table(
            "version_1_sagas",
            "One saga of a version that recorded a document's facts in the outputs of its steps.",
            (
                text("saga_id", "The saga."),
                text("document_saga_id", "The saga that makes the document; or made the deleted."),
            ),
            key=("saga_id",),
            clustered=True,
        ),
    )

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """How each type of event changes the document's row."""
        return {
            UploadStarted: each(_begin),
            DocumentSecured: each(_secured),
            DocumentIndexed: each(_indexed),
            DocumentCommitted: each(_committed),
            DocumentHidden: each(_hidden),
            DocumentDeleted: each(_deleted),
            SagaCompensated: each(_roll_back),
            SagaCompensationFailed: each(_fail),
            SagaClaimed: each(_take_up),
            SagaCompleted: each(_complete),
            # Only sagas of version 1 say more than that.
            SagaStarted: each(_note_version_1),
            StepCompleted: each(_learn),
            CommitDecided: each(_decide),
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


def _secured(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, DocumentSecured)
    _secure(connection, event, recorded.at_us)


def _secure(connection: sqlite3.Connection, fact: DocumentSecured, at_us: int) -> None:
    connection.execute(
        "UPDATE documents SET document_id=?, namespace=?, sha256=?, classification=?, signer=?, "
        "secured_us=? WHERE saga_id=?",
        (
            fact.document_id,
            fact.namespace,
            fact.sha256.hex(),
            fact.classification,
            fact.key_id,
            at_us,
            fact.saga_id,
        ),
    )


def _indexed(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    assert isinstance(recorded.event, DocumentIndexed)
    _index(connection, recorded.event)


def _index(connection: sqlite3.Connection, fact: DocumentIndexed) -> None:
    connection.execute(
        "UPDATE documents SET media_type=?, passages=?, embedder=? WHERE saga_id=?",
        (fact.media_type, fact.passages, fact.embedder, fact.saga_id),
    )


def _committed(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    assert isinstance(recorded.event, DocumentCommitted)
    _commit(connection, recorded.event.saga_id, recorded.at_us)


def _commit(connection: sqlite3.Connection, saga_id: str, at_us: int) -> None:
    connection.execute(
        "UPDATE documents SET state='committed', committed_us=? WHERE saga_id=?", (at_us, saga_id)
    )


def _hidden(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, DocumentHidden)
    connection.execute(
        "UPDATE documents SET state='deleting', deletion_saga_id=? WHERE saga_id=?",
        (event.deletion_saga_id, event.saga_id),
    )


def _deleted(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    assert isinstance(recorded.event, DocumentDeleted)
    _delete(connection, recorded.event.saga_id, recorded.at_us)


def _delete(connection: sqlite3.Connection, saga_id: str, at_us: int) -> None:
    connection.execute(
        "UPDATE documents SET state='deleted', ended_us=? WHERE saga_id=?", (at_us, saga_id)
    )


def _complete(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    saga_id = recorded.originator_id.hex
    document_saga_id = _document_of(connection, saga_id)
    if document_saga_id == saga_id:
        _commit(connection, saga_id, recorded.at_us)
    elif document_saga_id:
        _delete(connection, document_saga_id, recorded.at_us)
    else:
        # The saga is done and recorded no document: the chunks belong to none.
        connection.execute("DELETE FROM documents WHERE saga_id=? AND state='pending'", (saga_id,))


def _note_version_1(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, SagaStarted)
    saga_id = recorded.originator_id.hex
    deleted = document_deleted_by(event)
    if deleted:
        connection.execute(
            "UPDATE documents SET deletion_saga_id=? WHERE saga_id=?", (saga_id, deleted)
        )
    if deleted or makes_document(event):
        connection.execute(
            "INSERT INTO version_1_sagas VALUES (?,?)", (saga_id, deleted or saga_id)
        )


def _document_of(connection: sqlite3.Connection, saga_id: str) -> str:
    """The saga whose document a saga of version 1 makes or deletes; empty for any other."""
    row = connection.execute(
        "SELECT document_saga_id FROM version_1_sagas WHERE saga_id=?", (saga_id,)
    ).fetchone()
    return str(row[0]) if row else ""


def _learn(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event, saga_id = recorded.event, recorded.originator_id
    assert isinstance(event, StepCompleted)
    secured, indexed = secured_by(saga_id, event), indexed_by(saga_id, event)
    if (secured or indexed) and _document_of(connection, saga_id.hex) == saga_id.hex:
        if secured:
            _secure(connection, secured, recorded.at_us)
        if indexed:
            _index(connection, indexed)


def _decide(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    connection.execute(
        "UPDATE documents SET state='deleting' WHERE deletion_saga_id=? AND state='committed'",
        (recorded.originator_id.hex,),
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
    # A worker that claims a failed rollback continues it.
    connection.execute(
        "UPDATE documents SET state='pending', ended_us=0 "
        "WHERE saga_id=? AND state='rollback_failed'",
        (recorded.originator_id.hex,),
    )
