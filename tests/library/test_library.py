"""The library's functions, and a saga of a user's own, on real engines."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sagaledger
from sagaledger import (
    CompensationError,
    IntegrityMismatchError,
    Ledger,
    SagaRollbackRequired,
    SagaStatus,
    StorageBackendError,
    build_streaming_upload_saga_definition,
    chunked_upload_with_retry,
    cleanup_chunks_with_verification,
    create_document_streaming,
    execute_streaming_saga_with_rollback,
    open_ledger,
    perform_compensation,
    verify_integrity,
)
from sagaledger.domain.errors import NotFoundError
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.upload.values import upload_id_of, upload_prefix_of
from sagaledger.infrastructure.chunk_stores import MemoryChunkStore

from tests.support.damage import flip
from tests.support.faults import Fault, FaultyChunks, break_port
from tests.support.ledgers import CHUNK, QUICK, what_is_left
from tests.support.memory_ledgers import memory_ledger


def test_every_public_name_can_be_imported() -> None:
    for name in sagaledger.__all__:
        assert getattr(sagaledger, name).__name__ == name

    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        _ = sagaledger.missing


def test_create_document_streaming_recovers_first_and_commits_the_file(
    tmp_path: Path, source: Path
) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(b"left open")
    with open_ledger(tmp_path / "data", QUICK) as ledger:
        ledger.stop()
        execute_streaming_saga_with_rollback(ledger, other)

    result = create_document_streaming(source, data=tmp_path / "data", config=QUICK)

    with open_ledger(tmp_path / "data") as ledger:
        committed = {d.sha256 for d in ledger.services.relational.documents()}
    assert result.document is not None
    assert committed == {hashlib.sha256(path.read_bytes()).hexdigest() for path in (other, source)}


def test_streaming_upload_definition_has_the_nine_steps(ledger: Ledger) -> None:
    definition = build_streaming_upload_saga_definition(
        ledger, replace(QUICK, max_resume_attempts=7)
    )

    assert definition.step_names == (
        *("validate", "start", "upload", "verify", "secure"),
        *("vector", "graph", "relational", "finalize"),
    )
    assert definition.pivot == "finalize"
    assert definition.step("upload").retry.max_attempts == 7


def test_execute_with_a_missing_file_tells_so_in_the_result(ledger: Ledger, tmp_path: Path) -> None:
    saga_id = uuid4()

    result = execute_streaming_saga_with_rollback(ledger, tmp_path / "none", saga_id=saga_id)

    assert (result.saga_id, result.status, result.reason) == (
        saga_id,
        SagaStatus.COMPENSATED,
        "file_not_found",
    )
    assert "source file not found" in result.errors[0]
    assert what_is_left(ledger) == {}


def test_chunked_upload_is_verified_and_cleaned_up_completely(ledger: Ledger, source: Path) -> None:
    uploaded = chunked_upload_with_retry(ledger, source)

    verified = verify_integrity(ledger, uploaded.upload_id)
    assert (uploaded.chunk_count, uploaded.attempts) == (10, 1)
    assert verified.sha256.hex() == uploaded.sha256
    assert what_is_left(ledger) == {"chunks": [upload_prefix_of(uploaded.upload_id)]}
    assert ledger.sweep().removed == []

    cleaned = cleanup_chunks_with_verification(ledger, uploaded.upload_id)

    assert (cleaned.total, cleaned.deleted, cleaned.failed) == (10, 10, ())
    assert cleaned.success_rate == 1.0
    assert what_is_left(ledger) == {}
    with pytest.raises(SagaStateError, match="discarded"):
        verify_integrity(ledger, uploaded.upload_id)


def test_chunked_upload_succeeds_on_the_second_attempt(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    chunks.fail_creates = {6}

    assert chunked_upload_with_retry(ledger, source).attempts == 2


def test_chunked_upload_out_of_attempts_says_why_and_leaves_nothing(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    chunks.fail_creates = set(range(3, 100))

    with pytest.raises(SagaRollbackRequired, match="create failed") as raised:
        chunked_upload_with_retry(ledger, source)

    assert raised.value.reason == "max_retries_exceeded"
    assert what_is_left(ledger) == {}


def test_chunked_upload_that_cannot_be_undone_raises_what_is_left(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    chunks.fail_creates = set(range(4, 100))
    chunks.fail_deletes = {0, 1}

    with pytest.raises(CompensationError) as raised:
        chunked_upload_with_retry(ledger, source)

    left = [residue.ref for residue in raised.value.residue if residue.count]
    assert [ref[-8:] for ref in left if not ref.endswith("/")] == ["00000000", "00000001"]


def test_cleanup_70_percent_says_what_is_left_and_recovery_removes_it(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    uploaded = chunked_upload_with_retry(ledger, source)
    chunks.fail_deletes = {7, 8, 9}

    cleaned = cleanup_chunks_with_verification(ledger, uploaded.upload_id)

    assert (cleaned.deleted, cleaned.success_rate) == (7, 0.7)
    assert [residue.ref[-1] for residue in cleaned.failed] == ["7", "8", "9"]

    chunks.fail_deletes = set()
    ledger.recover()

    assert what_is_left(ledger) == {}


def test_cleanup_of_a_store_that_does_not_answer_raises(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    uploaded = chunked_upload_with_retry(ledger, source)
    chunks.fail_lists = True

    with pytest.raises(StorageBackendError, match="list failed"):
        cleanup_chunks_with_verification(ledger, uploaded.upload_id)


def test_cleanup_of_a_documents_chunks_is_refused(ledger: Ledger, source: Path) -> None:
    document = ledger.ingest(source).document
    assert document is not None

    with pytest.raises(SagaStateError, match="delete the document instead"):
        cleanup_chunks_with_verification(ledger, UUID(document.upload_id))

    assert ledger.documents.verify(document).holds


def test_verify_integrity_of_a_flipped_chunk_names_both_digests(
    ledger: Ledger, tmp_path: Path, source: Path
) -> None:
    uploaded = chunked_upload_with_retry(ledger, source)
    flip(tmp_path / "data" / "chunks" / uploaded.upload_id.hex / "00000003")

    with pytest.raises(IntegrityMismatchError) as raised:
        verify_integrity(ledger, uploaded.upload_id)

    assert raised.value.check == "chunk"
    content = source.read_bytes()[3 * CHUNK : 4 * CHUNK]
    assert raised.value.expected == hashlib.sha256(content).hexdigest()
    assert raised.value.actual != raised.value.expected


class _Connected(MemoryChunkStore):
    """A chunk store that holds a connection: the port asks for no `close`."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True


def test_chunk_store_that_holds_a_connection_is_closed_with_the_ledger() -> None:
    chunks = _Connected()

    with memory_ledger(chunks):
        assert not chunks.is_closed

    assert chunks.is_closed


def test_unknown_upload_is_refused(ledger: Ledger) -> None:
    for ask in (verify_integrity, cleanup_chunks_with_verification):
        with pytest.raises(NotFoundError, match="no upload with id"):
            ask(ledger, uuid4())


def test_perform_compensation_undoes_a_saga_that_was_left_open(
    ledger: Ledger, tmp_path: Path, source: Path
) -> None:
    def stop(_: object) -> None:
        ledger.stop()

    opened = execute_streaming_saga_with_rollback(ledger, source, progress=stop)
    assert opened.status is SagaStatus.RUNNING

    with open_ledger(tmp_path / "data", QUICK) as other:
        result = perform_compensation(other, opened.saga_id)

        assert result.status is SagaStatus.COMPENSATED
        assert what_is_left(other) == {}
        with pytest.raises(SagaStateError, match="rolled back already, with nothing left"):
            perform_compensation(other, opened.saga_id)


def test_perform_compensation_takes_a_failed_rollback_up_again(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    chunks.fail_creates, chunks.fail_deletes = set(range(4, 100)), {0}
    failed = execute_streaming_saga_with_rollback(ledger, source)
    assert failed.status is SagaStatus.COMPENSATION_FAILED
    prefix = upload_prefix_of(upload_id_of(failed.saga_id))
    assert prefix in ledger.services.chunks.prefixes()
    chunks.fail_deletes = set()

    result = perform_compensation(ledger, failed.saga_id)

    assert (result.status, result.residue) == (SagaStatus.COMPENSATED, ())
    assert prefix not in ledger.services.chunks.prefixes()


def test_failing_log_lets_no_effect_start(ledger: Ledger, source: Path) -> None:
    refused = StorageBackendError("event log", "append", "injected")
    break_port(ledger, "log", append=Fault(refused))
    ledger.orchestrator.log = ledger.services.log

    with pytest.raises(StorageBackendError, match="append failed"):
        ledger.ingest(source)

    assert what_is_left(ledger) == {}
