"""`SagaList`: one row per saga, and the directory that finds them without replaying the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from uuid import UUID

from sagaledger.domain.events import (
    CommitDecided,
    Recorded,
    RollbackRequired,
    SagaCancelled,
    SagaClaimed,
    SagaCompensated,
    SagaCompensationFailed,
    SagaCompleted,
    SagaPaused,
    SagaResumed,
    SagaSetAside,
    SagaStarted,
    StepCompleted,
    StepStarted,
    UploadStarted,
)
from sagaledger.domain.ports import SagaSummary
from sagaledger.domain.values import SagaStatus
from sagaledger.projections.engine import Projector

__all__ = ["SagaList", "SqliteSagaDirectory"]

_OPEN = tuple(status.value for status in SagaStatus if status.is_open)
_ENDED = {
    SagaCompleted: SagaStatus.COMPLETED,
    SagaCompensated: SagaStatus.COMPENSATED,
    SagaCompensationFailed: SagaStatus.COMPENSATION_FAILED,
    SagaSetAside: SagaStatus.FAILED,
}


class SagaList:
    """Where every saga stands, by the same rules as `fold_saga`."""

    name = "sagas"
    version = 2
    schema = """
    CREATE TABLE IF NOT EXISTS sagas (
        saga_id TEXT PRIMARY KEY,
        position INTEGER NOT NULL,
        definition TEXT NOT NULL,
        status TEXT NOT NULL,
        paused INTEGER NOT NULL DEFAULT 0,
        decided INTEGER NOT NULL DEFAULT 0,
        step TEXT NOT NULL DEFAULT '',
        source TEXT NOT NULL,
        document_id TEXT NOT NULL,
        owner TEXT NOT NULL DEFAULT '',
        started_us INTEGER NOT NULL,
        ended_us INTEGER NOT NULL DEFAULT 0,
        reason TEXT NOT NULL DEFAULT '',
        device INTEGER,
        inode INTEGER);
    CREATE INDEX IF NOT EXISTS sagas_by_status ON sagas (status, position);
    CREATE INDEX IF NOT EXISTS sagas_by_document ON sagas (document_id);
    """

    def apply(self, connection: sqlite3.Connection, recorded: Recorded) -> None:
        """Change the saga's row."""
        event = recorded.event
        saga_id = recorded.originator_id.hex
        changes: dict[str, object] = {}
        if isinstance(event, SagaStarted):
            self._insert(connection, recorded, event)
        elif isinstance(event, UploadStarted):
            saga_id = event.saga_id
            changes = {"device": event.fingerprint.device, "inode": event.fingerprint.inode}
        elif isinstance(event, SagaClaimed):
            self._claim(connection, saga_id, event.owner)
        elif isinstance(event, SagaResumed):
            self._resume(connection, saga_id)
        elif type(event) in _ENDED:
            changes = {"status": _ENDED[type(event)].value, "ended_us": recorded.at_us}
        elif isinstance(event, RollbackRequired):
            status = SagaStatus.COMPENSATING.value
            changes = {"status": status, "reason": event.reason, "paused": 0}
        elif isinstance(event, StepStarted):
            changes = {"step": event.step}
        elif isinstance(event, StepCompleted) and "document_id" in event.output:
            changes = {"document_id": str(event.output["document_id"])}
        elif isinstance(event, CommitDecided):
            changes = {"decided": 1}
        elif isinstance(event, SagaPaused | SagaCancelled):
            changes = {"paused": int(isinstance(event, SagaPaused))}
        if changes:
            assignments = ", ".join(f"{column}=?" for column in changes)
            connection.execute(
                f"UPDATE sagas SET {assignments} WHERE saga_id=?", (*changes.values(), saga_id)
            )

    def _insert(
        self, connection: sqlite3.Connection, recorded: Recorded, event: SagaStarted
    ) -> None:
        connection.execute(
            "INSERT INTO sagas (saga_id, position, definition, status, source, document_id, "
            "started_us) VALUES (?,?,?,?,?,?,?)",
            (
                recorded.originator_id.hex,
                recorded.position,
                event.definition,
                SagaStatus.PENDING.value,
                str(event.parameters.get("source", "")),
                str(event.parameters.get("document_id", "")),
                recorded.at_us,
            ),
        )

    def _claim(self, connection: sqlite3.Connection, saga_id: str, owner: str) -> None:
        connection.execute(
            "UPDATE sagas SET owner=?, status=CASE status "
            "WHEN 'pending' THEN 'running' WHEN 'compensation_failed' THEN 'compensating' "
            "ELSE status END, ended_us=0 WHERE saga_id=?",
            (owner, saga_id),
        )

    def _resume(self, connection: sqlite3.Connection, saga_id: str) -> None:
        connection.execute(
            "UPDATE sagas SET paused=0, ended_us=0, status=CASE WHEN status<>'failed' THEN status "
            "WHEN reason<>'' THEN 'compensating' ELSE 'running' END WHERE saga_id=?",
            (saga_id,),
        )


class SqliteSagaDirectory:
    """Finds sagas in the list, always up to date with the log when asked."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def open_sagas(self) -> Sequence[SagaSummary]:
        """Every saga that has not ended, oldest first."""
        marks = ",".join("?" * len(_OPEN))
        return self._find(f"WHERE status IN ({marks}) ORDER BY position", _OPEN)

    def unclean_sagas(self) -> Sequence[SagaSummary]:
        """Every saga whose rollback left something."""
        return self._find(
            "WHERE status=? ORDER BY position", (SagaStatus.COMPENSATION_FAILED.value,)
        )

    def all_sagas(self, limit: int = 1000) -> Sequence[SagaSummary]:
        """The newest sagas, newest first."""
        return self._find("ORDER BY position DESC LIMIT ?", (limit,))

    def with_status(self, status: SagaStatus, limit: int = 1000) -> Sequence[SagaSummary]:
        """The newest sagas that stand so, newest first."""
        return self._find("WHERE status=? ORDER BY position DESC LIMIT ?", (status.value, limit))

    def by_id_prefix(self, prefix: str) -> Sequence[SagaSummary]:
        """Sagas whose id begins so."""
        return self._find("WHERE substr(saga_id, 1, ?)=?", (len(prefix), prefix))

    def by_document_prefix(self, prefix: str) -> Sequence[SagaSummary]:
        """Sagas about a document whose id begins so, oldest first."""
        return self._find(
            "WHERE substr(document_id, 1, ?)=? ORDER BY position", (len(prefix), prefix)
        )

    def reading(self, device: int, inode: int) -> Sequence[SagaSummary]:
        """Open sagas whose source is this file."""
        marks = ",".join("?" * len(_OPEN))
        return self._find(
            f"WHERE device=? AND inode=? AND status IN ({marks})", (device, inode, *_OPEN)
        )

    def _find(self, condition: str, bindings: Sequence[object]) -> Sequence[SagaSummary]:
        rows = self._projector.rows(f"SELECT * FROM sagas {condition}", bindings)
        return [
            SagaSummary(
                saga_id=UUID(row["saga_id"]),
                definition=row["definition"],
                status=SagaStatus(row["status"]),
                paused=bool(row["paused"]),
                decided=bool(row["decided"]),
                step=row["step"],
                source=row["source"],
                document_id=row["document_id"],
                owner=row["owner"],
                started_us=row["started_us"],
                ended_us=row["ended_us"],
                reason=row["reason"],
            )
            for row in rows
        ]
