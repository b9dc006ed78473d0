"""What went wrong first is told with what went wrong next."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Barrier
from threading import Event as Flag
from uuid import UUID

import pytest
from sagaledger.application.engine.failures import adding_to, annotate, finally_doing
from sagaledger.application.ingestion.steps.upload_undo import delete_chunks
from sagaledger.application.ingestion.transfer.block_pipeline import Abandoned, BlockPipeline
from sagaledger.domain.errors import StorageBackendError, StorageFullError, describe
from sagaledger.domain.history.envelope import Event
from sagaledger.domain.housekeeping.events import OrphanRemovalFailed
from sagaledger.domain.saga.errors import SagaPausedError, WorkerStoppedError
from sagaledger.domain.saga.events import (
    CommitDecided,
    CompensationAttempted,
    RollbackRequired,
    SagaCompensationFailed,
    SagaCompleted,
    SagaParked,
    SagaStarted,
    StepFailed,
    StepStarted,
)
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.events import (
    ChunkDeletionFailed,
    IntegrityFailed,
    UploadInterrupted,
    UploadStarted,
)
from sagaledger.domain.upload.values import upload_prefix_of
from sagaledger.infrastructure.chunk_stores import MemoryChunkStore

from tests.support.event_strategies import EVENT_CLASSES

PREFIX = upload_prefix_of(UUID(int=7))
LEFT = Residue("graph", "d", 2, "still held")


class Stubborn(MemoryChunkStore):
    """Chunks of which only the last can be removed, and that not for sure."""

    def delete(self, key: str) -> bool:
        if key.endswith("2"):
            return super().delete(key)
        if key.endswith("1"):
            raise PermissionError("not allowed")
        raise StorageBackendError("memory", "delete", "read-only")

    def flush(self, prefix: str) -> None:
        raise StorageBackendError("memory", "flush", "timed out")


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            StepFailed("graph", 1, "step_failed", "busy", "E", 1.0),
            "step graph failed: busy",
        ),
        (RollbackRequired("cancelled", "by ada", "graph"), "a rollback became necessary: by ada"),
        (
            CompensationAttempted("graph", 1, 0, (LEFT,), "no answer", True, 1.0),
            "step graph could not be undone: no answer and still held",
        ),
        (
            IntegrityFailed("hash", "aa", "bb", "not the same"),
            "check hash did not hold: not the same",
        ),
        (
            UploadInterrupted(1, "OSError", "torn", 3),
            "the upload was interrupted: torn",
        ),
        (ChunkDeletionFailed("u/0", "busy"), "chunk u/0 could not be removed: busy"),
        (
            OrphanRemovalFailed("s", "graph", "d", "busy"),
            "graph d could not be removed: busy",
        ),
        (
            SagaCompensationFailed(("graph", "vector")),
            "the rollback left something of graph, vector",
        ),
        (
            SagaParked(6, "no recovery could finish the rollback"),
            "the saga was parked after 6 claims: no recovery could finish the rollback",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_failure_that_cannot_be_stored_is_told_by_what_kept_it_from_the_log(
    event: Event, told: str
) -> None:
    with pytest.raises(StorageFullError) as refused, annotate([event]):
        raise StorageFullError("log", "append", "full")

    assert refused.value.__notes__ == [f"before that, {told}"]


def test_ballast_is_not_spent_on_the_events_that_announce_an_effect() -> None:
    announcing = {kind for kind in EVENT_CLASSES if kind.announces_effect}

    assert announcing == {SagaStarted, StepStarted, CommitDecided, UploadStarted}


@pytest.mark.parametrize(
    "event", [SagaCompleted(), CompensationAttempted("graph", 1, 3, (), "", True, 1.0)]
)
def test_event_of_no_failure_adds_nothing_to_what_kept_it_from_the_log(event: Event) -> None:
    with pytest.raises(StorageFullError) as refused, annotate([event]):
        raise StorageFullError("log", "append", "full")

    assert not hasattr(refused.value, "__notes__")


def test_failures_of_the_work_and_of_what_ends_it_are_told_together() -> None:
    def give_back() -> None:
        raise TimeoutError("no answer")

    with pytest.raises(ValueError, match="wrong") as failure, finally_doing(give_back, "kept"):
        raise ValueError("wrong")

    assert describe(failure.value) == "wrong; kept: no answer"


def test_notes_of_a_failure_go_with_it_into_another() -> None:
    first, second = ValueError("first"), ValueError()
    second.add_note("with a note")

    with adding_to(first, "then"):
        raise second

    assert describe(first) == "first; then: ValueError; with a note"


def test_failure_of_what_ends_good_work_is_raised() -> None:
    def give_back() -> None:
        raise TimeoutError("no answer")

    with pytest.raises(TimeoutError, match="no answer"), finally_doing(give_back, "kept"):
        pass


def test_each_chunk_that_fails_beside_another_is_told() -> None:
    both = Barrier(2)

    def consume(index: int, blocks: Iterable[memoryview]) -> None:
        for _ in blocks:
            pass
        both.wait(timeout=30)
        raise OSError(f"chunk {index} refused")

    def read(_index: int, _offset: int, buffer: memoryview) -> int:
        return len(buffer)

    pipeline = BlockPipeline(read, consume, workers=2)
    with pytest.raises(OSError, match="refused") as failure:
        pipeline.run([(0, 10), (1, 10)], lambda _: None, lambda _: None)

    told = describe(failure.value)
    assert "chunk 0 refused" in told
    assert "chunk 1 refused" in told


@pytest.mark.parametrize("signal", [SagaPausedError("paused"), WorkerStoppedError("stopping")])
def test_failure_after_a_mere_signal_takes_its_place(signal: Exception) -> None:
    def give_back() -> None:
        raise TimeoutError("no answer")

    with pytest.raises(TimeoutError, match="no answer"), finally_doing(give_back, "kept"):
        raise signal


@pytest.mark.parametrize("signal", [SagaPausedError("paused"), WorkerStoppedError("stopping")])
def test_chunk_that_fails_while_the_run_is_told_to_end_is_told(signal: Exception) -> None:
    failed = Flag()

    def consume(index: int, blocks: Iterable[memoryview]) -> None:
        try:
            for _ in blocks:
                pass
        except Abandoned:
            raise OSError("cannot be removed") from None
        finally:
            failed.set()

    def stop(_length: int) -> None:
        raise signal

    pipeline = BlockPipeline(lambda *call: len(call[2]), consume, workers=1)
    with pytest.raises(OSError, match="cannot be removed"):
        pipeline.run([(0, 10)], stop, lambda _: None)
    assert failed.is_set()


def test_failures_that_say_the_same_are_told_once() -> None:
    first = ValueError("disk full")

    with adding_to(first, "another chunk"):
        raise ValueError("disk full")

    assert describe(first) == "disk full"


def test_every_cause_that_kept_chunks_is_told_once() -> None:
    chunks = Stubborn()
    chunks.open_prefix(PREFIX)
    for index in range(4):
        writer = chunks.create(chunk_key(PREFIX, index))
        writer.write(b"x")
        writer.commit()

    deleted = delete_chunks(chunks, PREFIX)

    keys = [chunk_key(PREFIX, index) for index in range(2)]
    assert deleted.problem == (
        f"3 of 4 chunks are left; {keys[0]} and 1 more: read-only; {keys[1]}: not allowed; "
        "removed chunks might come back: memory store: flush failed: timed out"
    )
