"""What is stored but is not what was sent is found out before anything is decided, and undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.events import CommitDecided, StepStarted
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.upload.events import IntegrityFailed
from sagaledger.interface.library.ledger import Ledger

from tests.support.faults import (
    CorruptingChunks,
    Fault,
    WrongDigestLog,
    blank,
    break_port,
    exchange,
    flip,
    forget_what_is_written,
    lose,
    misplace,
    shorten,
)
from tests.support.ledgers import events_of, what_is_left


@pytest.mark.parametrize(
    ("damage", "check", "reason"),
    [
        (lose, "count", "chunk_count_mismatch"),
        (shorten, "size", "size_mismatch"),
        (flip, "chunk", "chunk_mismatch"),
        (blank, "chunk", "chunk_mismatch"),
        (exchange, "chunk", "chunk_mismatch"),
        (misplace, "count", "chunk_count_mismatch"),
    ],
)
def test_stored_chunk_damaged_fails_integrity_and_rolls_back(
    ledger: Ledger,
    tmp_path: Path,
    source: Path,
    damage: Callable[[Path], object],
    check: str,
    reason: str,
) -> None:
    ledger.services.chunks = CorruptingChunks(tmp_path / "data" / "chunks", damage, chunk_count=10)

    result = ledger.ingest(source)

    failed = events_of(ledger, IntegrityFailed)
    assert result.saga is not None
    assert [event.check for event in failed] == [check]
    assert failed[0].expected != failed[0].actual
    assert (result.saga.status, result.saga.reason) == (SagaStatus.COMPENSATED, reason)
    started = [e.step for e in events_of(ledger, StepStarted)]
    assert "vector" not in started
    assert what_is_left(ledger) == {}


def test_whole_file_digest_that_differs_fails_integrity_and_rolls_back(
    ledger: Ledger, source: Path
) -> None:
    ledger.services.log = cast("EventStore", WrongDigestLog(ledger.services.log))

    result = ledger.ingest(source)

    failed = events_of(ledger, IntegrityFailed)
    assert result.saga is not None
    assert [(event.check, event.expected) for event in failed] == [("hash", "00" * 32)]
    assert (result.saga.status, result.saga.reason) == (SagaStatus.COMPENSATED, "hash_mismatch")
    assert what_is_left(ledger) == {}


def test_source_changed_after_upload_fails_integrity_and_rolls_back(
    ledger: Ledger, tmp_path: Path, source: Path
) -> None:
    def change(_: object) -> None:
        with source.open("ab") as file:
            file.write(b"more")

    chunks = CorruptingChunks(tmp_path / "data" / "chunks", change, chunk_count=10)
    ledger.services.chunks = chunks

    result = ledger.ingest(source)

    failed = events_of(ledger, IntegrityFailed)
    assert result.saga is not None
    assert [event.check for event in failed] == ["source"]
    assert (result.saga.status, result.saga.reason) == (SagaStatus.COMPENSATED, "source_mismatch")
    assert what_is_left(ledger) == {}


def test_store_that_cannot_be_read_back_fails_integrity_and_rolls_back(
    ledger: Ledger, source: Path
) -> None:
    unreadable = StorageBackendError("chunks", "open", "injected")
    break_port(ledger, "chunks", open=Fault(unreadable))

    result = ledger.ingest(source)

    failed = events_of(ledger, IntegrityFailed)
    assert result.saga is not None
    assert [event.check for event in failed] == ["unverifiable"]
    assert (result.saga.status, result.saga.reason) == (
        SagaStatus.COMPENSATED,
        "verification_impossible",
    )
    assert what_is_left(ledger) == {}


@pytest.mark.parametrize("port", ["vectors", "graph", "relational"])
def test_store_that_says_yes_and_keeps_nothing_is_found_out_before_the_decision(
    ledger: Ledger, tmp_path: Path, port: str
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("some words to be found")
    forget_what_is_written(ledger, port)

    result = ledger.ingest(text)

    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATED
    assert "it holds 0 items of" in result.saga.errors[0]
    assert events_of(ledger, CommitDecided) == []
    assert what_is_left(ledger) == {}
