"""What every snapshot store promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.ports.snapshot_store import SnapshotStore
from sagaledger.domain.upload.events import ChunkWritten, UploadStarted
from sagaledger.domain.upload.state import Upload, fold_upload
from sagaledger.domain.upload.values import SourceFingerprint
from sagaledger.infrastructure.event_store import (
    MemoryEventStore,
    MemorySnapshotStore,
    SqliteEventStore,
    SqliteSnapshotStore,
)

ONE, TWO = UUID(int=1), UUID(int=2)
MAKERS: dict[str, Callable[[Path], tuple[EventStore, SnapshotStore]]] = {
    "sqlite": lambda path: (SqliteEventStore(path), SqliteSnapshotStore(path)),
    "sqlite-apart": lambda path: (
        SqliteEventStore(path),
        SqliteSnapshotStore(path.with_name("snapshots.db")),
    ),
    "memory": lambda _: (MemoryEventStore(), MemorySnapshotStore()),
}
EVENTS = [
    RecordedEvent(ONE, version, version, "w", 1, event)
    for version, event in enumerate(
        [
            UploadStarted("s", "/a", SourceFingerprint(3, 1, 2, 3), 1, 3, "p/", "chunks", "none"),
            *(ChunkWritten(i, bytes([i]) * 32, 1, "raw", 1) for i in range(3)),
        ],
        1,
    )
]


@pytest.fixture(params=MAKERS)
def snapshots(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SnapshotStore]:
    log, made = MAKERS[request.param](tmp_path / "events.db")
    log.append(EVENTS)
    with closing(log), closing(made):
        yield made


def upload_at(version: int) -> Upload:
    upload = fold_upload(None, EVENTS[:version])
    assert upload is not None
    return upload


def test_upload_that_was_never_kept_has_no_snapshot(snapshots: SnapshotStore) -> None:
    assert snapshots.newest(ONE) is None


def test_newest_version_kept_is_what_is_found(snapshots: SnapshotStore) -> None:
    for version in (1, 3, 2, 3):
        snapshots.keep(upload_at(version))

    assert snapshots.newest(ONE) == upload_at(3)
    assert snapshots.newest(TWO) is None


def test_upload_kept_and_changed_afterwards_is_found_as_it_was_kept(
    snapshots: SnapshotStore,
) -> None:
    upload = upload_at(2)
    snapshots.keep(upload)
    fold_upload(upload, EVENTS[2:])

    found = snapshots.newest(ONE)
    assert found == upload_at(2)
    fold_upload(found, EVENTS[2:])

    assert snapshots.newest(ONE) == upload_at(2)


def test_store_that_is_closed_twice_is_closed(snapshots: SnapshotStore) -> None:
    snapshots.keep(upload_at(1))

    snapshots.close()
    snapshots.close()
