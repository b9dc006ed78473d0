"""`OrphanList`: what is known to be left in the stores, since when, why, and until when."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sagaledger.domain.events import (
    CompensationAttempted,
    Event,
    OrphanFound,
    OrphanRemoved,
    Recorded,
    SagaCompensationFailed,
)
from sagaledger.projections.engine import Projector, Rule, each
from sagaledger.projections.tables import Table, integer, text

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
    version = 2
    tables = (
        Table(
            "orphans",
            "One thing that a rollback or a sweep found left in a store.",
            (
                text("saga_id", "The saga that made it."),
                text("store", "The store that has it, as `chunks` or `vector`."),
                text("ref", "What to look for there: a chunk key, a document id."),
                text("step", "The step whose undo left it; empty if a sweep found it."),
                integer("count", "Rows, nodes or vectors; 0 where it is not known."),
                text("cause", "What left it."),
                integer("since_us", "When it was first seen, in µs since 1970 UTC."),
                integer("tries", "How often its removal was tried."),
                text("last_error", "What the last try said."),
                integer("last_try_us", "When that was, in µs since 1970 UTC."),
                integer("listed", "1 once the rollback that left it has ended."),
                integer("resolved_us", "When it was gone, in µs since 1970 UTC; 0 while there.", 0),
            ),
            key=("saga_id", "store", "ref"),
            indexes=(("resolved_us", "listed"),),
        ),
    )

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """How each type of event changes the rows of the saga's orphans."""
        return {
            CompensationAttempted: each(_attempted),
            SagaCompensationFailed: each(_list),
            OrphanFound: each(_find),
            OrphanRemoved: each(_resolve),
        }


def _list(connection: sqlite3.Connection, recorded: Recorded) -> None:
    connection.execute(
        "UPDATE orphans SET listed=1 WHERE saga_id=? AND resolved_us=0",
        (recorded.originator_id.hex,),
    )


def _find(connection: sqlite3.Connection, recorded: Recorded) -> None:
    event = recorded.event
    assert isinstance(event, OrphanFound)
    row = (event.saga_id, event.store, event.ref, "", event.count, event.cause)
    _left(connection, row, recorded.at_us, "", listed=True)


def _resolve(connection: sqlite3.Connection, recorded: Recorded) -> None:
    event = recorded.event
    assert isinstance(event, OrphanRemoved)
    connection.execute(
        "UPDATE orphans SET resolved_us=? WHERE saga_id=? AND store=? AND ref=? AND resolved_us=0",
        (recorded.at_us, event.saga_id, event.store, event.ref),
    )


def _attempted(connection: sqlite3.Connection, recorded: Recorded) -> None:
    event = recorded.event
    assert isinstance(event, CompensationAttempted)
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
        _left(connection, row, recorded.at_us, error, listed=False)


def _left(
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
