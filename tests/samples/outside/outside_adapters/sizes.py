"""A read model of what was uploaded."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from sagaledger.events import Event, RecordedEvent, UploadStarted
from sagaledger.ports import AdapterContext, Rule, StoreUrl, Table, View, each, integer, text


class SizeList:
    name = "outside_sizes"
    version = 1
    tables: Sequence[Table | View] = (
        Table(
            "outside_sizes",
            "One upload.",
            (text("upload_id", "Its id."), integer("size_bytes", "Its size.")),
            key=("upload_id",),
        ),
    )

    @classmethod
    def open(cls, _url: StoreUrl, _context: AdapterContext) -> SizeList:
        return cls()

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        return {UploadStarted: each(_started)}


def _started(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, UploadStarted)
    row = (recorded.originator_id.hex, event.fingerprint.size_bytes)
    connection.execute("INSERT OR REPLACE INTO outside_sizes VALUES (?,?)", row)
