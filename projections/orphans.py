"""`OrphanList`: what is known to be left in the stores, since when, why, and until when."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from sagaledger.domain.events import (
    CompensationAttempted,
    OrphanFound,
    OrphanRemoved,
    Recorded,
    SagaCompensationFailed,
)
from sagaledger.projections.engine import Projector

__all__ = ["Orphan", "OrphanDirectory", "OrphanList"]


@dataclass(frozen=True, slots=True)
class Orphan:
    """Something that a store holds and nobody owns."""

    saga_id: str
    store: str
    ref: str
    count: int
    """Rows, nodes or vectors; 0 where it is not known."""
    cause: str
    since_us: int
    tries: int
    last_error: str
    last_try_us: int
    resolved_us: int
    """0 while it is there."""


class OrphanList:
    """Residue of rollbacks that gave up, and what sweeps found.

    What a try leaves and the next one of the same rollback removes was never an orphan: residue is
    listed from the moment a rollback ends with it.
    """

    name = "orphans"
    version = 1
    schema = """
    CREATE TABLE IF NOT EXISTS orphans (
        saga_id TEXT NOT NULL,
        store TEXT NOT NULL,
        ref TEXT NOT NULL,
        step TEXT NOT NULL,
        count INTEGER NOT NULL,
        cause TEXT NOT NULL,
        since_us INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        last_error TEXT NOT NULL,
        last_try_us INTEGER NOT NULL,
        listed INTEGER NOT NULL,
        resolved_us INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (saga_id, store, ref));
    CREATE INDEX IF NOT EXISTS orphans_unresolved ON orphans (resolved_us, listed);
    """

    def apply(self, connection: sqlite3.Connection, recorded: Recorded) -> None:
        """Change the rows of the saga's orphans."""
        event = recorded.event
        saga_id = recorded.originator_id.hex
        if isinstance(event, CompensationAttempted):
            self._attempted(connection, recorded, event)
        elif isinstance(event, SagaCompensationFailed):
            connection.execute(
                "UPDATE orphans SET listed=1 WHERE saga_id=? AND resolved_us=0", (saga_id,)
            )
        elif isinstance(event, OrphanFound):
            row = (event.saga_id, event.store, event.ref, "", event.count, event.cause)
            self._left(connection, row, recorded.at_us, "", listed=True)
        elif isinstance(event, OrphanRemoved):
            connection.execute(
                "UPDATE orphans SET resolved_us=? WHERE saga_id=? AND store=? AND ref=? "
                "AND resolved_us=0",
                (recorded.at_us, event.saga_id, event.store, event.ref),
            )

    def _attempted(
        self, connection: sqlite3.Connection, recorded: Recorded, event: CompensationAttempted
    ) -> None:
        saga_id = recorded.originator_id.hex
        before = connection.execute(
            "SELECT store, ref FROM orphans WHERE saga_id=? AND step=? AND resolved_us=0",
            (saga_id, event.step),
        ).fetchall()
        left = {(residue.store, residue.ref) for residue in event.residue}
        for store, ref in before:
            if (store, ref) not in left:
                connection.execute(
                    "UPDATE orphans SET resolved_us=? WHERE saga_id=? AND store=? AND ref=?",
                    (recorded.at_us, saga_id, store, ref),
                )
        for residue in event.residue:
            cause = f"rollback of step {event.step}"
            row = (saga_id, residue.store, residue.ref, event.step, residue.count, cause)
            error = event.error or residue.detail
            self._left(connection, row, recorded.at_us, error, listed=False)

    def _left(
        self,
        connection: sqlite3.Connection,
        row: tuple[object, ...],
        at_us: int,
        error: str,
        *,
        listed: bool,
    ) -> None:
        connection.execute(
            "INSERT INTO orphans (saga_id, store, ref, step, count, cause, since_us, tries, "
            "last_error, last_try_us, listed) VALUES (?,?,?,?,?,?,?,1,?,?,?) "
            "ON CONFLICT (saga_id, store, ref) DO UPDATE SET count=excluded.count, "
            "tries=tries+1, last_error=excluded.last_error, last_try_us=excluded.last_try_us, "
            "listed=max(listed, excluded.listed), resolved_us=0",
            (*row, at_us, error, at_us, int(listed)),
        )


class OrphanDirectory:
    """Finds orphans, always up to date with the log when asked."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def unresolved(self) -> Sequence[Orphan]:
        """What is left now, oldest first."""
        return self._find("WHERE listed=1 AND resolved_us=0 ORDER BY since_us, store, ref")

    def history(self) -> Sequence[Orphan]:
        """What was ever listed, oldest first."""
        return self._find("WHERE listed=1 ORDER BY since_us, store, ref")

    def _find(self, condition: str) -> Sequence[Orphan]:
        columns = (
            "saga_id, store, ref, count, cause, since_us, tries, last_error, last_try_us, "
            "resolved_us"
        )
        rows = self._projector.rows(f"SELECT {columns} FROM orphans {condition}")
        return [Orphan(*row) for row in rows]
