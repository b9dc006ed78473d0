"""`OrphanList`: the orphans in the stores, with their causes and removal attempts."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.housekeeping.events import (
    OrphanAdopted,
    OrphanFound,
    OrphanRemovalFailed,
    OrphanRemoved,
    OrphanRetryRequested,
    OrphanWaived,
)
from sagaledger.domain.housekeeping.orphans import (
    KnownOrphan,
    OrphanState,
    next_try_us,
    orphan_id_of,
)
from sagaledger.domain.saga.events import CompensationAttempted, SagaCompensationFailed
from sagaledger.projections.engine.projector import Projector, Rule, each
from sagaledger.projections.engine.tables import Table, integer, text

__all__ = ["Orphan", "OrphanList", "SqliteOrphanDirectory"]


@dataclass(frozen=True, slots=True)
class Orphan:
    """An item in a store without an owner."""

    orphan_id: str
    saga_id: str
    store: str
    ref: str
    count: int
    """The number of rows, nodes or vectors; 0 if unknown."""
    cause: str
    since_us: int
    tries: int
    last_error: str
    last_try_us: int
    next_try_us: int
    state: OrphanState
    decided_by: str
    reason: str
    resolved_us: int
    """When it left `open`, in µs since 1970 UTC; 0 while it is open."""


class OrphanList:
    """Residue of failed rollbacks, and orphans that sweeps found.

    Residue is listed once the rollback has ended with it. Residue that a later attempt of the same
    rollback removes is never listed.
    """

    name = "orphans"
    version = 3
    tables = (
        Table(
            "orphans",
            "One item in a store that a rollback left or a sweep found.",
            (
                text("orphan_id", "Its short id, computed from the next three columns."),
                text("saga_id", "The saga that created it."),
                text("store", "The store that has it, such as `chunks` or `vector`."),
                text("ref", "Its reference in the store: a chunk key or a document id."),
                text("step", "The step whose undo left it; empty if a sweep found it."),
                integer("count", "The number of rows, nodes or vectors; 0 if unknown."),
                text("cause", "Why it was left."),
                integer("since_us", "When it was first found, in µs since 1970 UTC."),
                integer("tries", "The number of removal attempts."),
                text("last_error", "The error of the last attempt; empty without one."),
                integer("last_try_us", "When the last attempt was made, in µs since 1970 UTC."),
                integer("next_try_us", "When a scheduled sweep tries again, in µs since 1970 UTC."),
                integer("listed", "1 once the rollback that left it has ended."),
                text("state", "`open`, `removed`, `adopted` or `waived`; see `OrphanState`."),
                text("decided_by", "Who adopted or waived it; else empty.", ""),
                text("reason", "Why it was adopted or waived; else empty.", ""),
                integer("resolved_us", "When it left `open`, in µs since 1970 UTC; or 0.", 0),
            ),
            key=("saga_id", "store", "ref"),
            indexes=(("state", "listed"), ("orphan_id",)),
        ),
    )

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """The rules for the rows of a saga's orphans."""
        return {
            CompensationAttempted: each(_attempted),
            SagaCompensationFailed: each(_list),
            OrphanFound: each(_find),
            OrphanRemovalFailed: each(_fail),
            OrphanRemoved: each(_remove),
            OrphanAdopted: each(_decide),
            OrphanWaived: each(_decide),
            OrphanRetryRequested: each(_reopen),
        }


def _list(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    connection.execute(
        "UPDATE orphans SET listed=1 WHERE saga_id=? AND state<>?",
        (recorded.originator_id.hex, OrphanState.REMOVED),
    )


def _find(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, OrphanFound)
    row = (event.saga_id, event.store, event.ref, "", event.count, event.cause)
    _upsert(connection, row, recorded.at_us, "", tries=0, listed=True)


def _fail(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, OrphanRemovalFailed)
    key = (event.saga_id, event.store, event.ref)
    found = connection.execute(
        "SELECT tries FROM orphans WHERE saga_id=? AND store=? AND ref=?", key
    ).fetchone()
    if found is None:
        return
    tries = found[0] + 1
    connection.execute(
        "UPDATE orphans SET tries=?, last_error=?, last_try_us=?, next_try_us=? "
        "WHERE saga_id=? AND store=? AND ref=?",
        (tries, event.error, recorded.at_us, next_try_us(recorded.at_us, tries), *key),
    )


def _remove(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, OrphanRemoved)
    _set_removed(connection, recorded.at_us, event.saga_id, event.store, event.ref)


def _set_removed(
    connection: sqlite3.Connection, at_us: int, saga_id: str, store: str, ref: str
) -> None:
    connection.execute(
        "UPDATE orphans SET state=?1, resolved_us=?2 "
        "WHERE saga_id=?3 AND store=?4 AND ref=?5 AND state<>?1",
        (OrphanState.REMOVED, at_us, saga_id, store, ref),
    )


def _decide(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, OrphanAdopted | OrphanWaived)
    state = OrphanState.ADOPTED if isinstance(event, OrphanAdopted) else OrphanState.WAIVED
    connection.execute(
        "UPDATE orphans SET state=?, decided_by=?, reason=?, resolved_us=? "
        "WHERE saga_id=? AND store=? AND ref=? AND state<>?",
        (
            state,
            event.by,
            event.reason,
            recorded.at_us,
            event.saga_id,
            event.store,
            event.ref,
            OrphanState.REMOVED,
        ),
    )


def _reopen(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, OrphanRetryRequested)
    connection.execute(
        "UPDATE orphans SET state=?, decided_by='', reason='', resolved_us=0 "
        "WHERE saga_id=? AND store=? AND ref=? AND state<>?",
        (OrphanState.OPEN, event.saga_id, event.store, event.ref, OrphanState.REMOVED),
    )


def _attempted(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, CompensationAttempted)
    saga_id = recorded.originator_id.hex
    before = connection.execute(
        "SELECT store, ref FROM orphans WHERE saga_id=? AND step=? AND state<>?",
        (saga_id, event.step, OrphanState.REMOVED),
    ).fetchall()
    left = {(residue.store, residue.ref) for residue in event.residue}
    for store, ref in before:
        if (store, ref) not in left:
            _set_removed(connection, recorded.at_us, saga_id, store, ref)
    for residue in event.residue:
        cause = f"rollback of step {event.step}"
        row = (saga_id, residue.store, residue.ref, event.step, residue.count, cause)
        error = event.error or residue.detail
        _upsert(connection, row, recorded.at_us, error, tries=1, listed=False)


def _upsert(
    connection: sqlite3.Connection,
    row: tuple[str, str, str, str, int, str],
    at_us: int,
    error: str,
    *,
    tries: int,
    listed: bool,
) -> None:
    known = connection.execute(
        "SELECT tries, state FROM orphans WHERE saga_id=? AND store=? AND ref=?", row[:3]
    ).fetchone()
    tries += known["tries"] if known else 0
    due_us = next_try_us(at_us, tries) if tries else at_us
    if known is None:
        connection.execute(
            "INSERT INTO orphans (orphan_id, saga_id, store, ref, step, count, cause, since_us, "
            "tries, last_error, last_try_us, next_try_us, listed, state) "
            "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                orphan_id_of(*row[:3]),
                *row,
                at_us,
                tries,
                error,
                at_us if tries else 0,
                due_us,
                int(listed),
                OrphanState.OPEN,
            ),
        )
        return
    # A removed orphan that is found again is reopened; an adopted or waived one stays so.
    connection.execute(
        "UPDATE orphans SET count=?, tries=?, last_error=CASE ? WHEN '' THEN last_error ELSE ? END,"
        " last_try_us=max(last_try_us, ?), next_try_us=?, listed=max(listed, ?), "
        "resolved_us=CASE state WHEN 'removed' THEN 0 ELSE resolved_us END, "
        "since_us=CASE state WHEN 'removed' THEN ? ELSE since_us END, "
        "state=CASE state WHEN 'removed' THEN 'open' ELSE state END "
        "WHERE saga_id=? AND store=? AND ref=?",
        (row[4], tries, error, error, at_us, due_us, int(listed), at_us, *row[:3]),
    )


class SqliteOrphanDirectory:
    """Finds orphans. Every query first catches up with the log."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def known(self) -> Sequence[KnownOrphan]:
        """Every orphan that is not removed, including adopted and waived ones, oldest first."""
        rows = self._projector.rows(
            "SELECT orphan_id, saga_id, store, ref, state, since_us, next_try_us FROM orphans "
            "WHERE listed=1 AND state<>'removed' ORDER BY since_us, store, ref"
        )
        return [KnownOrphan(**{**dict(row), "state": OrphanState(row["state"])}) for row in rows]

    def unresolved(self) -> Sequence[Orphan]:
        """Every open orphan, oldest first."""
        return self._find("WHERE listed=1 AND state='open' ORDER BY since_us, store, ref")

    def history(self) -> Sequence[Orphan]:
        """Every orphan that was ever listed, oldest first."""
        return self._find("WHERE listed=1 ORDER BY since_us, store, ref")

    def _find(self, condition: str) -> Sequence[Orphan]:
        columns = (
            "orphan_id, saga_id, store, ref, count, cause, since_us, tries, last_error, "
            "last_try_us, next_try_us, state, decided_by, reason, resolved_us"
        )
        rows = self._projector.rows(f"SELECT {columns} FROM orphans {condition}")
        return [Orphan(**{**dict(row), "state": OrphanState(row["state"])}) for row in rows]
