"""The size of a stored event, and the savings of a trained zstd dictionary (decision 0002).

Run `python -m benchmarks.event_size`. It ingests files of 75 and 1,000 chunks, and stores their
histories with this package and with the defaults of the eventsourcing library.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import msgpack
import zstandard
from eventsourcing.persistence import (
    DatetimeAsISO,
    EventStore,
    JSONTranscoder,
    Mapper,
    UUIDAsHex,
)
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.events import CompensationAttempted
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.events import ChunkWritten, UploadEvent
from sagaledger.domain.upload.state import fold_upload
from sagaledger.infrastructure.event_store import SqliteEventStore
from sagaledger.infrastructure.event_store.codec import EventCodec, pack, unpack
from sagaledger.infrastructure.event_store.upload_snapshot import state_of
from sagaledger.interface.library.ledger import open_ledger

from benchmarks import floors
from benchmarks.harness import Comparison
from benchmarks.processes import peak_mib_of

__all__ = ["against_json_rows"]

_CHUNKS = (75, 1_000)
_TARGET = 0.4
_CHUNK_BYTES = 1024
_RECORDED_CHUNK_BYTES = 4 * 1024 * 1024
_COPIES_OF_ABOUT = 10_000
_DICTIONARY_BYTES = 4096
_TRAINED_ON_CHUNKS = 40
_LEVEL = 3
_RUNS = 5


def history(chunks: int) -> list[RecordedEvent]:
    """The events of one real ingestion, with the usual chunk size in place of the small one."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "measured-file.bin"
        source.write_bytes(os.urandom(chunks * _CHUNK_BYTES))
        config = StreamingSagaConfig(chunk_size_bytes=_CHUNK_BYTES)
        with open_ledger(folder / "data", config) as ledger:
            assert ledger.ingest(source).document is not None
            recorded = [*events_of(ledger.log.read_log(0, 10 * chunks + 1000))]
    return [
        item._replace(event=replace(item.event, stored_bytes=_RECORDED_CHUNK_BYTES))
        if isinstance(item.event, ChunkWritten)
        else item
        for item in recorded
    ]


def copies(events: Sequence[RecordedEvent]) -> list[list[RecordedEvent]]:
    """Copies of the history for many sagas, so that the minimum size of a file does not matter."""
    made = []
    for _ in range(max(1, _COPIES_OF_ABOUT // len(events))):
        ids: dict[UUID, UUID] = {}
        made.append(
            [e._replace(originator_id=ids.setdefault(e.originator_id, uuid4())) for e in events]
        )
    return made


def row_bytes(
    store: Callable[[Path, Sequence[list[RecordedEvent]]], None], events: Sequence[RecordedEvent]
) -> float:
    """The bytes of the SQLite file per event: rows, indexes and unused space in pages."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.db"
        store(path, [])
        empty = path.stat().st_size
        histories = copies(events)
        store(path, histories)
        return (path.stat().st_size - empty) / sum(map(len, histories))


def store_ours(path: Path, histories: Sequence[list[RecordedEvent]]) -> None:
    """Store the histories with this package."""
    log = SqliteEventStore(path)
    for events in histories:
        log.append(events)
    log.close()


def store_by_default(path: Path, histories: Sequence[list[RecordedEvent]]) -> None:
    """Store the histories with the library's defaults: JSON, and a topic per class."""
    datastore = SQLiteDatastore(str(path))
    recorder = SQLiteApplicationRecorder(datastore)
    recorder.create_table()
    transcoder = JSONTranscoder()
    transcoder.register(UUIDAsHex())
    transcoder.register(DatetimeAsISO())
    store: EventStore[UUID] = EventStore(Mapper(transcoder), recorder)
    for events in histories:
        store.put([_as_library_event(recorded) for recorded in events])
    datastore.close()


@cache
def _library_class(module: str, name: str) -> type[Any]:
    return type(name, (), {"__module__": module})


def _as_library_event(recorded: RecordedEvent) -> Any:
    event = recorded.event
    made = _library_class(type(event).__module__, type(event).__name__)()
    made.originator_id = recorded.originator_id
    made.originator_version = recorded.originator_version
    made.timestamp = datetime.fromtimestamp(recorded.at_us / 1_000_000, UTC)
    made.worker, made.epoch = recorded.worker, recorded.epoch
    for field in fields(type(event)):  # type: ignore[arg-type]  # Every event is a dataclass.
        setattr(made, field.name, _as_json(getattr(event, field.name)))
    return made


def _as_json(value: Any) -> Any:
    # The library's transcoder supports neither bytes nor tuples of dataclasses.
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple | list):
        return [_as_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value


def against_json_rows(_scratch: Path, _rounds: int) -> Iterator[Comparison]:
    """The size of an ingestion's stored rows, compared with the library's default rows."""
    for chunks in _CHUNKS:
        events = history(chunks)
        yield Comparison(
            "events",
            f"an ingestion of {chunks:,} chunks",
            "the library's JSON rows",
            [row_bytes(store_ours, events)],
            [row_bytes(store_by_default, events)],
            "bytes/event",
            _TARGET,
            at_most=True,
            peak_mib=peak_mib_of(_storer, events),
            settings=floors.AGGREGATE,
        )


def _storer(events: Sequence[RecordedEvent]) -> Callable[[], float]:
    return partial(row_bytes, store_ours, events)


def compare_rows(events: Sequence[RecordedEvent]) -> None:
    """Print the size of a whole row, with this package and with the library's defaults."""
    ours, default = row_bytes(store_ours, events), row_bytes(store_by_default, events)
    print(f"  {'whole SQLite rows, bytes per event':46}{ours:8.1f}")
    print(f"  {'the same as the library does by default':46}{default:8.1f}{default / ours:7.2f} x")


def compare_compression(name: str, events: Sequence[RecordedEvent], trained: Any) -> None:
    """Print the size of an event's state for each compression, including the flag byte."""
    stored = [EventCodec().encode(recorded)[1] for recorded in events]
    plain = [_packed(state) for state in stored]
    print(f"  {name}: {len(events)}")
    print(f"    {'msgpack, never compressed':44}{_mean(plain) + 1:8.1f}")
    print(f"    {'as stored: zstd from 512 bytes on':44}{_mean(stored):8.1f}")
    for way, dictionary in (("zstd on each", None), ("zstd on each, trained dictionary", trained)):
        compressor = zstandard.ZstdCompressor(_LEVEL, dict_data=dictionary, write_dict_id=False)
        decompressor = zstandard.ZstdDecompressor(dict_data=dictionary)
        small, pack_us = _timed(compressor.compress, plain)
        _, unpack_us = _timed(decompressor.decompress, small)
        times = f"{pack_us:7.1f} us in{unpack_us:7.1f} us out"
        print(f"    {way:44}{_mean(small) + 1:8.1f}{times}")
        best = [min(pair, key=len) for pair in zip(small, plain, strict=True)]
        print(f"    {'  and kept only where it is smaller':44}{_mean(best) + 1:8.1f}")


def compare_long(events: Sequence[RecordedEvent]) -> None:
    """Print the effect of compression on the two records that grow with an upload."""
    upload = fold_upload(None, [e for e in events if isinstance(e.event, UploadEvent)])
    assert upload is not None
    left = tuple(
        Residue("chunks", chunk_key(upload.key_prefix, index), 1, "4194304 bytes")
        for index in range(upload.chunks.count)
    )
    attempted = CompensationAttempted("upload", 1, 0, left, "busy", True, 0.5)
    for name, stored in (
        ("snapshot of the upload", pack(state_of(upload))),
        ("undo that left every chunk", EventCodec().encode(events[0]._replace(event=attempted))[1]),
    ):
        print(f"  {name:46}{len(_packed(stored)) + 1:8d}, stored as {len(stored)}")


def _packed(state: bytes) -> bytes:
    packed: bytes = msgpack.packb(unpack(state))
    return packed


def _timed(work: Callable[[bytes], bytes], states: Sequence[bytes]) -> tuple[list[bytes], float]:
    """The results, and the shortest time per state over a few runs, in microseconds."""
    best_s = float("inf")
    for _ in range(_RUNS):
        began_s = time.perf_counter()
        results = [work(state) for state in states]
        best_s = min(best_s, time.perf_counter() - began_s)
    return results, best_s / len(states) * 1_000_000


def _mean(states: Sequence[bytes]) -> float:
    return sum(map(len, states)) / len(states)


def main() -> None:
    """Measure, and print the tables."""
    # Train on other sagas: a dictionary trained on the measured events would be too good.
    samples = [e for _ in range(3) for e in history(_TRAINED_ON_CHUNKS)]
    packed: list[Any] = [_packed(EventCodec().encode(recorded)[1]) for recorded in samples]
    trained = zstandard.train_dictionary(_DICTIONARY_BYTES, packed)
    for chunks in _CHUNKS:
        events = history(chunks)
        of_chunks = [e for e in events if isinstance(e.event, ChunkWritten)]
        others = [e for e in events if not isinstance(e.event, ChunkWritten)]
        print(f"{chunks} chunks, {len(events)} events")
        compare_rows(events)
        compare_long(events)
        compare_compression("ChunkWritten", of_chunks, trained)
        compare_compression("other events", others, trained)
        compare_compression("all events", events, trained)


if __name__ == "__main__":
    main()
