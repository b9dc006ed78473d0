"""Chunks that are read back while later ones are written: once each, and only while it is true."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event as Signal
from time import sleep
from typing import BinaryIO

import pytest
from sagaledger.application.ingestion.transfer.read_ahead import ReadAhead
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.ports.chunk_store import ChunkWriter
from sagaledger.domain.saga.events import StepFailed
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.upload.events import IntegrityFailed, IntegrityVerified
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore
from sagaledger.infrastructure.local_source import LocalSourceReader
from sagaledger.interface.library.ledger import Ledger

from tests.support.ledgers import CHUNK, events_of, what_is_left

WAIT_S = 20
CHUNK_COUNT = 10


class Watched(LocalFolderChunkStore):
    """The real chunk store, whose last chunk is not begun before the first five are read back.

    A reader opens four chunks at once: with the one before the last it has read these.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.root = root
        self.opened: list[int] = []
        self.opened_before_the_last_was_begun: list[int] = []
        self.before_the_last: Callable[[], object] = lambda: None
        self.fail_opens: set[int] = set()
        """Chunks that cannot be opened the first time."""
        self.lose: int | None = None
        """A chunk that is removed before it is opened."""
        self.fail_last = False
        self._read_early = Signal()

    def open(self, key: str) -> BinaryIO:
        index = int(key.rpartition("/")[2])
        if index in self.fail_opens:
            self.fail_opens.remove(index)
            self._read_early.set()
            raise StorageBackendError("chunks", "open", "injected")
        if index == self.lose:
            (self.root / key).unlink(missing_ok=True)
            self._read_early.set()
        self.opened.append(index)
        if index == CHUNK_COUNT - 2:
            self._read_early.set()
        return super().open(key)

    def create(self, key: str) -> ChunkWriter:  # type: ignore[override]  # A port's writer will do.
        if int(key.rpartition("/")[2]) == CHUNK_COUNT - 1:
            assert self._read_early.wait(WAIT_S), "nothing is read while the upload goes on"
            self.opened_before_the_last_was_begun = list(self.opened)
            self.before_the_last()
            if self.fail_last:
                raise StorageBackendError("chunks", "create", "the last one")
        return super().create(key)


@pytest.fixture
def watched(ledger: Ledger, tmp_path: Path) -> Watched:
    store = Watched(tmp_path / "data" / "chunks")
    ledger.services.chunks = store
    return store


@pytest.fixture
def settled(ledger: Ledger, source: Path) -> Path:
    """A source that has not changed for a while, as most have not."""
    opened = LocalSourceReader().open(str(source))
    while ReadAhead.settled_since(opened, ledger.services.clock.now_us() * 1000) is None:
        sleep(0.01)
    opened.close()
    return source


def test_chunks_are_read_back_while_later_ones_are_written_and_only_once(
    ledger: Ledger, watched: Watched, settled: Path
) -> None:
    result = ledger.ingest(settled)

    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPLETED
    assert set(range(5)) <= set(watched.opened_before_the_last_was_begun)
    # The text is extracted from the verified chunks, beginning with the first.
    assert [watched.opened.count(index) for index in range(5)] == [2, 1, 1, 1, 1]
    assert set(watched.opened) == set(range(CHUNK_COUNT))
    (verified,) = events_of(ledger, IntegrityVerified)
    assert (verified.chunk_count, verified.size_bytes) == (CHUNK_COUNT, settled.stat().st_size)


def test_source_that_changed_a_moment_ago_is_not_read_early(
    ledger: Ledger, settled: Path, tmp_path: Path
) -> None:
    opened = LocalSourceReader().open(str(settled))
    changed_ns = opened.changed_ns

    assert ReadAhead.settled_since(opened, changed_ns + 50_000_000) is None
    assert ReadAhead.settled_since(opened, changed_ns - 50_000_000) is None
    assert ReadAhead.settled_since(opened, changed_ns + 3_000_000_000) == changed_ns
    opened.close()


def test_chunk_damaged_after_it_was_read_early_fails_integrity_and_rolls_back(
    ledger: Ledger, watched: Watched, settled: Path
) -> None:
    def damage() -> None:
        (folder,) = watched.root.iterdir()
        chunk = folder / "00000000"
        content = bytearray(chunk.read_bytes())
        content[100] ^= 1
        chunk.write_bytes(content)

    watched.before_the_last = damage

    result = ledger.ingest(settled)

    assert result.saga is not None
    assert (result.saga.status, result.saga.reason) == (SagaStatus.COMPENSATED, "chunk_mismatch")
    assert [event.check for event in events_of(ledger, IntegrityFailed)] == ["chunk"]
    assert what_is_left(ledger) == {}


def test_chunk_lost_before_it_can_be_read_early_is_counted_out_by_the_verification(
    ledger: Ledger, watched: Watched, settled: Path
) -> None:
    watched.lose = 2

    result = ledger.ingest(settled)

    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATED
    assert result.saga.reason == "chunk_count_mismatch"
    assert [event.check for event in events_of(ledger, IntegrityFailed)] == ["count"]
    assert what_is_left(ledger) == {}


def test_source_changed_after_it_was_compared_early_fails_integrity_and_rolls_back(
    ledger: Ledger, watched: Watched, settled: Path
) -> None:
    seen = settled.stat()

    def change() -> None:
        with settled.open("r+b") as file:
            file.write(os.urandom(CHUNK))
        os.utime(settled, ns=(seen.st_atime_ns, seen.st_mtime_ns))

    watched.before_the_last = change

    result = ledger.ingest(settled)

    assert result.saga is not None
    assert (result.saga.status, result.saga.reason) == (SagaStatus.COMPENSATED, "source_mismatch")
    assert [event.check for event in events_of(ledger, IntegrityFailed)] == ["source"]
    assert what_is_left(ledger) == {}


def test_store_that_cannot_be_read_early_is_told_by_the_verification_which_tries_again(
    ledger: Ledger, watched: Watched, settled: Path
) -> None:
    watched.fail_opens = {2}

    result = ledger.ingest(settled)

    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPLETED
    (failed,) = events_of(ledger, StepFailed)
    assert (failed.step, "injected" in failed.error) == ("verify", True)


def test_failed_early_read_is_a_note_of_the_failed_upload(
    ledger: Ledger, watched: Watched, settled: Path
) -> None:
    watched.fail_opens = {2}
    watched.fail_last = True

    result = ledger.ingest(settled)

    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATED
    first = events_of(ledger, StepFailed)[0]
    assert first.step == "upload"
    assert "the last one" in first.error
    assert "the read-back failed too" in first.error
    assert what_is_left(ledger) == {}
