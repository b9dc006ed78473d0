"""A synthetic event log of long use: mostly chunk events, within complete histories.

Most sagas complete. Some retry a step, some are rolled back, and a few leave residue. A few sagas
run concurrently, so their events alternate. The same seed gives the same log.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from random import Random
from uuid import UUID

from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.saga.events import (
    CommitDecided,
    CompensationAttempted,
    RetryScheduled,
    RollbackRequired,
    SagaClaimed,
    SagaCompensated,
    SagaCompensationFailed,
    SagaCompleted,
    SagaStarted,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.upload.chunk_table import DIGEST_BYTES
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.events import (
    ChunksDeleted,
    ChunkWritten,
    IntegrityVerified,
    UploadCompleted,
    UploadDiscarded,
    UploadInterrupted,
    UploadResumed,
    UploadStarted,
)
from sagaledger.domain.upload.values import SourceFingerprint, upload_id_of, upload_prefix_of
from sagaledger.domain.values import Parameters
from sagaledger.infrastructure.event_store import SqliteEventStore

__all__ = ["write_log"]

_CHUNK_BYTES = 4 * 1024 * 1024
_SAGAS_AT_ONCE = 3
_APPENDED_AT_ONCE = 1000
_BEGAN_US = 1_717_243_200_000_000
_STEPS = ("validate", "start", "upload", "verify", "secure", "vector", "relational", "finalize")
_BUSY = "vector: upsert failed: the server did not answer in time"

_Told = Iterator[tuple[UUID, Event]]
"""Events in order, each with the id of its stream."""


class _End(Enum):
    """The outcome of a saga, with its share in percent."""

    STRAIGHT = 80
    AFTER_A_RETRY = 10
    ROLLED_BACK = 6
    RESIDUE = 4


def write_log(path: Path, count: int, chunks: range, seed: int = 1) -> None:
    """Write a log of this many events; the last sagas are incomplete.

    Args:
        path: the new file.
        count: the number of events.
        chunks: the possible numbers of chunks of an upload.
        seed: the seed of the random numbers.
    """
    events = _interleave(Random(seed), chunks)
    log = SqliteEventStore(path)
    batch: list[RecordedEvent] = []
    versions: dict[UUID, int] = {}
    for number, (stream, event) in zip(range(count), events, strict=False):
        versions[stream] = versions.get(stream, 0) + 1
        at_us = _BEGAN_US + number * 1000
        batch.append(RecordedEvent(stream, versions[stream], at_us, "3720199d", 1, event))
        if len(batch) == _APPENDED_AT_ONCE:
            log.append(batch)
            batch.clear()
    log.append(batch)
    log.close()


def _interleave(chance: Random, chunks: range) -> _Told:
    running = [_saga(chance, chance.choice(chunks)) for _ in range(_SAGAS_AT_ONCE)]
    while True:
        place = chance.randrange(_SAGAS_AT_ONCE)
        item = next(running[place], None)
        if item is None:
            running[place] = _saga(chance, chance.choice(chunks))
        else:
            yield item


def _saga(chance: Random, chunks: int) -> _Told:
    saga_id = UUID(int=chance.getrandbits(128), version=4)
    (end,) = chance.choices(list(_End), [end.value for end in _End])
    parameters: Parameters = {
        "source": f"/data/inbox/{saga_id.hex}.pdf",
        "namespace": "default",
        "classification": "internal",
        "chunk_size_bytes": _CHUNK_BYTES,
        "upload_retry": [3, 5.0, 2.0, 300.0, 0.1],
    }
    yield saga_id, SagaStarted("streaming-upload", 1, _STEPS, parameters, 0.0)
    yield saga_id, SagaClaimed("host:4711:3720199d", 1, 30.0)
    for step in _STEPS:
        if step == "finalize":
            yield saga_id, CommitDecided(step)
        yield saga_id, StepStarted(step, 1)
        if step == "vector" and end in (_End.ROLLED_BACK, _End.RESIDUE):
            yield saga_id, StepFailed(step, 1, "permanent", _BUSY, "StorageBackendError", 2.5)
            yield from _rollback(saga_id, chunks, leaves=end is _End.RESIDUE)
            return
        yield from _events_of_step(step, saga_id, chunks, chance, fails=end is _End.AFTER_A_RETRY)
        yield saga_id, StepCompleted(step, 1, _output(step, saga_id, chunks), 0.25)
    yield saga_id, SagaCompleted()


def _events_of_step(step: str, saga_id: UUID, chunks: int, chance: Random, *, fails: bool) -> _Told:
    """What a step records of its own."""
    upload_id = upload_id_of(saga_id)
    size, digest = chunks * _CHUNK_BYTES, bytes(DIGEST_BYTES)
    if step == "start":
        prefix = upload_prefix_of(upload_id)
        source = f"/data/inbox/{saga_id.hex}.pdf"
        fingerprint = SourceFingerprint(size, _BEGAN_US * 1000, chance.getrandbits(24), 65_024)
        yield (
            upload_id,
            UploadStarted(
                saga_id.hex, source, fingerprint, _CHUNK_BYTES, chunks, prefix, "chunks", "zstd"
            ),
        )
    elif step == "upload":
        half = chunks // 2 if fails else 0
        if fails:
            yield from _chunks(upload_id, range(half), 1, chance)
            yield upload_id, UploadInterrupted(1, "StorageBackendError", "timeout", half)
            yield saga_id, StepFailed(step, 1, "transient", "timeout", "StorageBackendError", 9.5)
            yield saga_id, RetryScheduled(step, 2, 5.0, _BEGAN_US)
            yield saga_id, StepStarted(step, 2)
            lost = range(min(1, half))
            yield upload_id, UploadResumed(2, half - len(lost), tuple(lost))
            yield from _chunks(upload_id, lost, 2, chance)
        yield from _chunks(upload_id, range(half, chunks), 1 + fails, chance)
        yield upload_id, UploadCompleted(chunks, size, digest, digest)
    elif step == "verify":
        yield upload_id, IntegrityVerified(chunks, size, digest, digest, "disk")


def _chunks(upload_id: UUID, numbers: range, attempt: int, chance: Random) -> _Told:
    for number in numbers:
        stored = chance.randint(_CHUNK_BYTES // 2, _CHUNK_BYTES)
        yield (
            upload_id,
            ChunkWritten(number, chance.randbytes(DIGEST_BYTES), stored, "zstd", attempt),
        )


def _output(step: str, saga_id: UUID, chunks: int) -> Parameters:
    match step:
        case "secure":
            return {
                "document_id": f"default-{saga_id.hex}",
                "content_id": f"default:sha256:{saga_id.hex * 2}",
                "classification": "internal",
                "key_id": "3b9335b99230950c",
            }
        case "vector":
            return {
                "media_type": "application/pdf",
                "passages": 10 * chunks,
                "embedder": "hashing-mmh3-v1",
            }
        case _:
            return {"rows": chunks}


def _rollback(saga_id: UUID, chunks: int, *, leaves: bool) -> _Told:
    """Every step is undone; or a chunk and some vectors remain, each after a second attempt."""
    upload_id = upload_id_of(saga_id)
    chunk = Residue("chunks", chunk_key(upload_prefix_of(upload_id), 0), 1, "4194304 bytes")
    left = {"vector": (Residue("vector", f"default-{saga_id.hex}", 3),), "upload": (chunk,)}
    yield saga_id, RollbackRequired("step_failed", _BUSY, "vector")
    for step in ("vector", "secure", "upload", "start"):
        residue = left.get(step, ()) if leaves else ()
        if residue:
            yield saga_id, CompensationAttempted(step, 1, 0, residue, "busy", True, 0.5)
        if step == "upload":
            removed = chunks - len(residue)
            yield upload_id, ChunksDeleted(removed, removed * _CHUNK_BYTES)
        yield saga_id, CompensationAttempted(step, 1 + bool(residue), 1, residue, "", True, 0.5)
    if leaves:
        yield saga_id, SagaCompensationFailed(tuple(left))
    else:
        yield upload_id, UploadDiscarded("rolled back")
        yield saga_id, SagaCompensated(())
