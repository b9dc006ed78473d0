"""The source is only read, and whatever happens to it on the way is found out and undone."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.upload.events import IntegrityFailed
from sagaledger.interface.certification.port_calls import PortCall
from sagaledger.interface.library.ledger import Ledger, open_ledger

from tests.support.at_call import when
from tests.support.faults import Fault, break_port
from tests.support.ledgers import CHUNK, QUICK, events_of, what_is_left


def append(source: Path) -> None:
    with source.open("ab") as file:
        file.write(b"more")


def cut(source: Path) -> None:
    os.truncate(source, source.stat().st_size - CHUNK)


def empty(source: Path) -> None:
    os.truncate(source, 0)


def rewrite_keeping_size_and_time(source: Path) -> None:
    seen = source.stat()
    with source.open("r+b") as file:
        file.write(os.urandom(CHUNK))
    os.utime(source, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def replace_by_a_copy(source: Path) -> None:
    copy = source.with_name("copy")
    copy.write_bytes(source.read_bytes())
    os.utime(copy, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
    copy.replace(source)


CHANGES = [append, cut, empty, rewrite_keeping_size_and_time, replace_by_a_copy]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "call", [PortCall("source file", "read_into", 4), PortCall("chunks", "flush", 1)], ids=str
)
def test_source_changed_while_it_is_read_is_detected_and_undone(
    ledger: Ledger, source: Path, change: Callable[[Path], None], call: PortCall
) -> None:
    when(ledger, call, lambda: change(source))

    result = ledger.ingest(source)

    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATED
    assert what_is_left(ledger) == {}


def test_source_changed_and_changed_back_while_it_is_read_is_detected_and_undone(
    ledger: Ledger, source: Path
) -> None:
    content, seen = source.read_bytes(), source.stat()

    def put(last_chunk: bytes) -> None:
        with source.open("r+b") as file:
            file.seek(-CHUNK, os.SEEK_END)
            file.write(last_chunk)
        os.utime(source, ns=(seen.st_atime_ns, seen.st_mtime_ns))

    when(ledger, PortCall("source file", "read_into", 1), lambda: put(bytes(CHUNK)))
    when(ledger, PortCall("chunks", "flush", 1), lambda: put(content[-CHUNK:]))

    result = ledger.ingest(source)

    assert result.saga is not None
    assert (result.saga.status, result.saga.reason) == (SagaStatus.COMPENSATED, "source_mismatch")
    assert source.read_bytes() == content
    assert what_is_left(ledger) == {}


def test_source_removed_while_it_is_read_back_fails_integrity_for_that_reason(
    ledger: Ledger, source: Path
) -> None:
    when(ledger, PortCall("stored chunk", "close", 2), source.unlink)

    result = ledger.ingest(source)

    assert result.saga is not None
    assert (result.saga.status, result.saga.reason) == (SagaStatus.COMPENSATED, "source_mismatch")
    assert [event.check for event in events_of(ledger, IntegrityFailed)] == ["source"]
    assert what_is_left(ledger) == {}


# A change that keeps size and time shows only where bytes of before and after would be mixed.
@pytest.mark.parametrize("change", [append, cut, empty, replace_by_a_copy])
def test_source_changed_before_the_upload_is_resumed_is_detected_and_undone(
    tmp_path: Path, source: Path, change: Callable[[Path], None]
) -> None:
    once = replace(QUICK, max_resume_attempts=2, resume_retry_delay_s=0.0)
    with open_ledger(tmp_path / "data", once) as ledger:
        fails_once = Fault(
            StorageBackendError("chunks", "flush", "injected"),
            times=1,
            also=lambda: change(source),
        )
        break_port(ledger, "chunks", flush=fails_once)

        result = ledger.ingest(source)

        assert result.saga is not None
        assert (result.saga.status, result.document) == (SagaStatus.COMPENSATED, None)
        assert result.saga.reason == "file_changed"
        assert what_is_left(ledger) == {}


def test_source_ingested_rolled_back_and_deleted_is_never_written(
    ledger: Ledger, source: Path
) -> None:
    before = source.read_bytes(), source.stat().st_mtime_ns, source.stat().st_ino
    break_port(
        ledger, "graph", upsert=Fault(StorageBackendError("graph", "upsert", "injected"), times=3)
    )

    rolled_back = ledger.ingest(source)
    ingested = ledger.ingest(source)
    assert rolled_back.saga is not None
    assert rolled_back.saga.status is SagaStatus.COMPENSATED
    assert ingested.document is not None
    ledger.delete(ingested.document)

    assert (source.read_bytes(), source.stat().st_mtime_ns, source.stat().st_ino) == before
