"""Append, replay, projection and rebuild, compared with raw SQLite and library defaults."""

from __future__ import annotations

import gc
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.ingestion.upload_repository import UploadRepository
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.events import ChunkWritten, UploadStarted
from sagaledger.domain.upload.values import SourceFingerprint, upload_prefix_of
from sagaledger.infrastructure.event_store import SqliteEventStore, SqliteSnapshotStore
from sagaledger.infrastructure.event_store.codec import EventCodec
from sagaledger.infrastructure.system_clock import SystemClock

from benchmarks import floors, processes
from benchmarks.harness import Comparison, interleaved
from benchmarks.long_log import write_log
from benchmarks.projection_catch_up import FinalRows, decode, project, read_rows

__all__ = ["against_raw_sqlite", "against_the_default_aggregate", "weighed_against_raw_sqlite"]

_APPENDED = 30_000
_AT_ONCE = 75
_REPLAYED = 1_000_000
_CHUNKS = 262_144
_SNAPSHOT_LIMIT_S = 0.010


def against_raw_sqlite(scratch: Path, rounds: int) -> Iterator[Comparison]:
    """Append in batches, replay and projection of a long log, compared with plain SQL.

    The floor of the projection reads and decodes the log and writes the final rows of the read
    models in the same number of transactions (`benchmarks.projection_catch_up`). Its time without
    the writes is shown too; no read model that stores rows can reach it.
    """
    path = scratch / "long.db"
    write_log(path, _REPLAYED, range(75, 1001))

    def reading(_round: int) -> float:
        return _took(read_rows, path)

    with closing(SqliteEventStore(path)) as log:
        projections = scratch / "projections.db"

        def projecting(_round: int) -> float:
            return _took(project, projections, log)

        shown = f"projection of {_REPLAYED:,} events"
        yield _compared(
            f"replay of {_REPLAYED:,} events", rounds, lambda _: _took(decode, log), reading
        )
        final = FinalRows(path, scratch)
        # The floor's rows are in this process too, and no work of ours is to look through them.
        gc.freeze()
        yield _compared(
            shown, rounds, projecting, lambda _: _took(final.write), "sqlite3, msgpack, final rows"
        )
        yield _compared(shown, rounds, projecting, reading, target=None)
    yield _compared(
        f"append of {_APPENDED:,} events",
        rounds,
        lambda number: _appended_by_us(scratch / f"ours-{number}.db"),
        lambda number: _appended_raw(scratch / f"raw-{number}.db"),
    )


def _compared(
    what: str,
    rounds: int,
    ours: Callable[[int], float],
    floor: Callable[[int], float],
    against: str = "sqlite3 and msgpack",
    target: float | None = 2.0,
) -> Comparison:
    figures = interleaved(rounds, ours, floor)
    return Comparison("log", what, against, *figures, "s", target, at_most=True)


def _took(work: Callable[..., object], *arguments: object) -> float:
    began_s = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began_s


def weighed_against_raw_sqlite(scratch: Path, rounds: int) -> Iterator[Comparison]:
    """The same comparisons, each with the peak memory of our side in a separate process."""
    path = scratch / "long.db"
    weighed: dict[str, tuple[Callable[..., Callable[[], float]], *tuple[Path, ...]]] = {
        "replay": (_replayer, path),
        "projection": (_projector, path, scratch / "weighed-projections.db"),
        "append": (_appender, scratch / "weighed.db"),
    }
    for comparison in against_raw_sqlite(scratch, rounds):
        kind = comparison.what.partition(" ")[0]
        yield replace(
            comparison,
            peak_mib=processes.peak_mib_of(*weighed[kind]),
            settings=floors.APPENDING if kind == "append" else floors.READING,
        )


def _replayer(path: Path) -> Callable[[], float]:
    return partial(_took, decode, SqliteEventStore(path))


def _projector(path: Path, projections: Path) -> Callable[[], float]:
    return partial(_took, project, projections, SqliteEventStore(path))


def _appender(path: Path) -> Callable[[], float]:
    return partial(_appended_by_us, path)


def _loader(path: Path, upload_id: UUID) -> Callable[[], float]:
    return partial(_took, UploadRepository(*_stores(path)).find, upload_id)


def _upload_history(count: int) -> Iterator[Event]:
    stream = uuid4()
    size = count * 4096
    seen = SourceFingerprint(size, 0, 0, 0)
    prefix = upload_prefix_of(stream)
    yield UploadStarted(uuid4().hex, "/data/a.bin", seen, 4096, count, prefix, "chunks", "none")
    for index in range(count):
        assert chunk_key(prefix, index)
        yield ChunkWritten(index, os.urandom(32), 4096, "raw", 1)


def _batches(count: int) -> list[list[RecordedEvent]]:
    events = list(_upload_history(count))
    recorded = EnvelopeFactory(SystemClock(), "a1b2c3d4").envelopes(uuid4(), 0, 1, events)
    return [recorded[at : at + _AT_ONCE] for at in range(0, len(recorded), _AT_ONCE)]


def _appended_by_us(path: Path) -> float:
    batches = _batches(_APPENDED)
    with closing(SqliteEventStore(path)) as log:
        began_s = time.perf_counter()
        for batch in batches:
            log.append(batch)
        return time.perf_counter() - began_s


def _appended_raw(path: Path) -> float:
    codec = EventCodec()
    states = [[codec.encode(recorded)[1] for recorded in batch] for batch in _batches(_APPENDED)]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE events (position INTEGER PRIMARY KEY, state BLOB)")
        began_s = time.perf_counter()
        for batch in states:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO events (state) VALUES (?)", [(state,) for state in batch]
            )
            connection.execute("COMMIT")
        return time.perf_counter() - began_s


class _DefaultUpload(Aggregate):
    """An upload written as in the library's manual."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.chunks: dict[int, tuple[str, int]] = {}

    @event("ChunkWritten")
    def write_chunk(self, index: int, sha256: str, stored_bytes: int) -> None:
        self.chunks[index] = (sha256, stored_bytes)


def against_the_default_aggregate(scratch: Path, rounds: int) -> Iterator[Comparison]:
    """Loading an upload of 262,144 chunks; with a snapshot, the limit is 10 ms."""
    theirs, their_id = _default_application(scratch / "default.db")
    ours_path = scratch / "ours.db"
    log, snapshots = _stores(ours_path)
    with closing(log), closing(snapshots):
        upload_id = _stored_upload(log)
        uploads = UploadRepository(log, snapshots)
        figures = interleaved(
            rounds,
            lambda _: _took(uploads.find, upload_id),
            lambda _: _took(theirs.repository.get, their_id),
        )
        shown = f"rebuild of {_CHUNKS:,} chunks"
        yield Comparison(
            "rebuild", shown, "the library's aggregate", *figures, "s", 0.2, at_most=True,
            peak_mib=processes.peak_mib_of(_loader, ours_path, upload_id),
            settings=floors.AGGREGATE,
        )  # fmt: skip
        uploads.keep_snapshot(upload_id)
        loads = [_took(uploads.find, upload_id) for _ in range(5)]
        yield Comparison(
            "rebuild", "the same with a snapshot", "10 ms", loads, [_SNAPSHOT_LIMIT_S] * 5, "s",
            1.0, at_most=True, peak_mib=processes.peak_mib_of(_loader, ours_path, upload_id),
        )  # fmt: skip


def _stores(path: Path) -> tuple[SqliteEventStore, SqliteSnapshotStore]:
    return SqliteEventStore(path), SqliteSnapshotStore(path)


def _stored_upload(log: SqliteEventStore) -> UUID:
    recorded = EnvelopeFactory(SystemClock(), "a1b2c3d4").envelopes(
        uuid4(), 0, 1, _upload_history(_CHUNKS)
    )
    for at in range(0, len(recorded), 1000):
        log.append(recorded[at : at + 1000])
    return recorded[0].originator_id


def _default_application(path: Path) -> tuple[Application[UUID], UUID]:
    environment = {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(path),
    }
    application: Application[UUID] = Application(environment)
    upload = _DefaultUpload("/data/a.bin")
    for index in range(_CHUNKS):
        upload.write_chunk(index, os.urandom(32).hex(), 4096)
        if index % 5000 == 0:
            application.save(upload)
    application.save(upload)
    return application, upload.id
