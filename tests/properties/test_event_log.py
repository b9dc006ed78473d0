"""State folded from stored events equals the live one, at every position and on both logs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeAlias
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sagaledger.application.engine.saga_repository import find_saga, refreshed_saga
from sagaledger.application.ingestion.upload_repository import UploadRepository
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import after, events_of
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.state import Saga, fold_saga
from sagaledger.domain.upload.chunk_run import ChunkRun
from sagaledger.domain.upload.events import ChunkWritten, UploadEvent, UploadStarted
from sagaledger.domain.upload.state import Upload, fold_upload
from sagaledger.domain.upload.values import SourceFingerprint, upload_id_of
from sagaledger.infrastructure.event_store import (
    MemoryEventStore,
    MemorySnapshotStore,
    SqliteEventStore,
    SqliteSnapshotStore,
)

from tests.support.driven_sagas import DrivenSaga, definitions, ticking_clock

Log: TypeAlias = MemoryEventStore | SqliteEventStore
Snapshots: TypeAlias = MemorySnapshotStore | SqliteSnapshotStore
SAGA = UUID("00112233445566778899aabbccddeeff")
KINDS = ("memory", "sqlite")


@contextmanager
def opened(kind: str) -> Iterator[tuple[Log, UploadRepository]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.db"
        log: Log = MemoryEventStore() if kind == "memory" else SqliteEventStore(path)
        snapshots: Snapshots = (
            MemorySnapshotStore() if kind == "memory" else SqliteSnapshotStore(path)
        )
        with closing(log), closing(snapshots):
            yield log, UploadRepository(log, snapshots)


def long_upload(chunks: int) -> list[UploadEvent]:
    fingerprint = SourceFingerprint(chunks, 1, 2, 3)
    return [
        UploadStarted("s", "/a", fingerprint, 1, chunks, "p/", "chunks", "none"),
        *(ChunkWritten(i, i.to_bytes(32, "big"), 1, "raw", 1) for i in range(chunks)),
    ]


def check_against_log(driven: DrivenSaga, log: Log, uploads: UploadRepository) -> None:
    """What the log says now is what those who wrote it hold."""
    upload_id = upload_id_of(driven.id)

    assert find_saga(log, driven.id) == driven.saga
    assert uploads.find(upload_id) == driven.upload
    assert fold_upload(None, events_of(log.read_stream(upload_id))) == driven.upload
    assert log.last_version(driven.id) == driven.saga.version
    assert log.last_version(upload_id) == (driven.upload.version if driven.upload else 0)


@pytest.mark.parametrize("kind", KINDS)
@given(definition=definitions(), seed=st.integers(0, 2**32), moves=st.integers(10, 60))
@settings(max_examples=40, deadline=None)
def test_state_loaded_after_each_append_equals_the_live_one(
    kind: str, definition: SagaDefinition, seed: int, moves: int
) -> None:
    chance = Random(seed)
    with opened(kind) as (log, uploads):
        driven = DrivenSaga(log, SAGA, definition, ticking_clock(), chance)
        known: Saga | None = None
        for _ in range(moves):
            move = chance.random()
            if move < 0.45:
                driven.go_on()
            elif move < 0.9:
                driven.go_on_uploading()
            else:
                uploads.keep_snapshot(upload_id_of(SAGA))

            check_against_log(driven, log, uploads)
            known = refreshed_saga(log, known) if known else find_saga(log, SAGA)
            assert known == driven.saga


@pytest.mark.parametrize("kind", KINDS)
@given(
    definition=definitions(),
    seed=st.integers(0, 2**32),
    moves=st.integers(0, 40),
    page=st.integers(1, 10),
)
@settings(max_examples=20, deadline=None)
def test_log_read_in_pages_of_any_size_is_its_streams_in_one_order(
    kind: str, definition: SagaDefinition, seed: int, moves: int, page: int
) -> None:
    chance = Random(seed)
    with opened(kind) as (log, _):
        clock = ticking_clock()
        sagas = [DrivenSaga(log, UUID(int=n), definition, clock, chance) for n in range(3)]
        for _ in range(moves):
            chance.choice(sagas).go_on()

        whole: list[RecordedEvent] = []
        while batch := [*events_of(log.read_log(whole[-1].position if whole else 0, page))]:
            assert len(batch) <= page
            whole += batch

        assert [item.position for item in whole] == list(range(1, log.last_position() + 1))
        for driven in sagas:
            stream = [item for item in whole if item.originator_id == driven.id]
            assert list(events_of(log.read_stream(driven.id))) == stream
            assert [item.originator_version for item in stream] == list(range(1, len(stream) + 1))
            assert fold_saga(None, stream) == driven.saga


@pytest.mark.parametrize("kind", KINDS)
@given(
    definition=definitions(),
    seed=st.integers(0, 2**32),
    moves=st.integers(0, 40),
    page=st.integers(1, 20),
    after_position=st.integers(0, 30),
)
@settings(max_examples=20, deadline=None)
def test_runs_of_the_log_are_its_events_parted_by_type(
    kind: str, definition: SagaDefinition, seed: int, moves: int, page: int, after_position: int
) -> None:
    chance = Random(seed)
    with opened(kind) as (log, _):
        driven = DrivenSaga(log, SAGA, definition, ticking_clock(), chance)
        for _ in range(moves):
            driven.go_on() if chance.random() < 0.5 else driven.go_on_uploading()

        runs = log.read_log(after_position, page)

        whole = [*events_of(log.read_log(0, 1000))]
        assert [*events_of(runs)] == whole[after_position : after_position + page]
        for event_class, run in runs:
            assert {type(item.event) for item in run} == {event_class}
            assert isinstance(run, ChunkRun) == (event_class is ChunkWritten)
            assert [run[at] for at in range(len(run))] == list(run)
            assert list(run[1:]) == list(run)[1:]
            cut = run[len(run) // 2].position
            later = after((event_class, run), cut)
            assert (list(later[1]) if later else []) == [r for r in run if r.position > cut]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("snapshot_at", [0, 1, 999, 2_001])
def test_history_of_several_pages_loads_as_it_was_recorded(kind: str, snapshot_at: int) -> None:
    events = long_upload(2_500)
    recorded = [RecordedEvent(SAGA, n, n, "w", 1, event) for n, event in enumerate(events, 1)]

    with opened(kind) as (log, uploads):
        log.append(recorded[:snapshot_at])
        uploads.keep_snapshot(SAGA)
        log.append(recorded[snapshot_at:])

        assert uploads.find(SAGA) == fold_upload(None, recorded)
        later = [*events_of(log.read_stream(SAGA, after_version=1_200))]
        assert [item.originator_version for item in later] == [*range(1_201, len(recorded) + 1)]


@dataclass
class Kept:
    """A log with an upload, a snapshot of it, and some later events."""

    path: Path
    uploads: UploadRepository
    upload: Upload
    snapshot: bytes

    def replace_snapshot(self, type_name: str, state: bytes) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("UPDATE snapshots SET type=?, state=?", (type_name, state))


@contextmanager
def kept_in(folder: Path) -> Iterator[Kept]:
    path = folder / "events.db"
    log, snapshots = SqliteEventStore(path), SqliteSnapshotStore(path)
    uploads = UploadRepository(log, snapshots)
    recorded = [
        RecordedEvent(SAGA, n, n, "w", 1, event) for n, event in enumerate(long_upload(40), 1)
    ]
    log.append(recorded[:30])
    uploads.keep_snapshot(SAGA)
    log.append(recorded[30:])
    with closing(sqlite3.connect(path)) as connection:
        ((state,),) = connection.execute("SELECT state FROM snapshots").fetchall()
    upload = fold_upload(None, recorded)
    assert upload is not None
    yield Kept(path, uploads, upload, state)
    snapshots.close()
    log.close()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with kept_in(tmp_path_factory.mktemp("log")) as made:
        yield made


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_snapshot_changed_in_any_way_changes_nothing_of_what_is_loaded(
    kept: Kept, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(kept.snapshot)))
    end = data.draw(st.integers(start, min(start + 3, len(kept.snapshot))))
    put_in = data.draw(st.binary(max_size=3))

    kept.replace_snapshot(
        data.draw(st.sampled_from(["upload-snapshot/1", "upload-snapshot/0"])),
        kept.snapshot[:start] + put_in + kept.snapshot[end:],
    )

    assert kept.uploads.find(SAGA) == kept.upload


@pytest.mark.parametrize("kind", KINDS)
def test_snapshot_of_an_unknown_upload_is_not_kept(kind: str) -> None:
    with opened(kind) as (_, uploads):
        uploads.keep_snapshot(SAGA)

        assert uploads.find(SAGA) is None


def test_damaged_snapshot_followed_by_another_is_forgotten(tmp_path: Path) -> None:
    with kept_in(tmp_path) as kept:
        kept.replace_snapshot("upload-snapshot/1", b"damaged")

        kept.uploads.keep_snapshot(SAGA)

        assert kept.uploads.find(SAGA) == kept.upload
        with closing(sqlite3.connect(kept.path)) as connection:
            versions = connection.execute("SELECT version FROM snapshots").fetchall()
        assert sorted(versions) == [(30,), (41,)]
