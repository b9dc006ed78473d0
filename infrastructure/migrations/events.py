"""The formats of `events.db`: the event log, and snapshots of uploads.

A stream's 16-byte id is stored once, in `streams`; events name it by a small number. Positions are
`AUTOINCREMENT`, so that a follower's saved position never refers to another event.
"""

from __future__ import annotations

from sagaledger.infrastructure.migrations.migration import Migration, statements

__all__ = ["APPLICATION_ID", "EVENTS"]

APPLICATION_ID = 0x5A6A4C67
"""Distinguishes our event logs from other SQLite files."""

_TABLE = """CREATE TABLE IF NOT EXISTS {} (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL REFERENCES streams(number),
    version INTEGER NOT NULL,
    type TEXT NOT NULL,
    state BLOB NOT NULL,
    UNIQUE (stream, version))"""

EVENTS = (
    Migration(
        1,
        statements(
            f"PRAGMA application_id={APPLICATION_ID}",
            "CREATE TABLE IF NOT EXISTS streams ("
            "number INTEGER PRIMARY KEY, originator_id BLOB NOT NULL UNIQUE)",
            _TABLE.format("stored_events"),
            _TABLE.format("snapshots"),
        ),
    ),
)
