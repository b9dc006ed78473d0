"""The whole path on real engines, from a file to a committed document and back."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.saga.events import StepStarted
from sagaledger.domain.upload.events import ChunkWritten
from sagaledger.interface.library.ledger import Ledger

from tests.support.documents import pdf_bytes
from tests.support.faults import Fault, break_port
from tests.support.ledgers import CHUNK, QUICK, all_events, events_of, what_is_left


def test_file_ingested_restores_the_same_bytes(ledger: Ledger, source: Path) -> None:
    result = ledger.ingest(source)

    assert result.document is not None
    assert result.document.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert b"".join(ledger.documents.content(result.document)) == source.read_bytes()
    assert ledger.documents.verify(result.document).holds


def test_nothing_downstream_is_started_before_integrity_is_verified(
    ledger: Ledger, source: Path
) -> None:
    ledger.ingest(source)

    kinds = [
        event.step if isinstance(event, StepStarted) else type(event).__name__
        for event in all_events(ledger)
    ]
    assert kinds.index("IntegrityVerified") < kinds.index("secure") < kinds.index("vector")
    assert kinds.index("CommitDecided") == kinds.index("finalize") - 1


@pytest.mark.parametrize("fails", [False, True], ids=["committed", "rolled back"])
def test_text_of_a_document_is_in_no_event_and_no_log_line(
    ledger: Ledger, tmp_path: Path, fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    text = tmp_path / "letter.txt"
    text.write_text("my password is xyzzyplugh " * 100)
    if fails:
        refused = StorageBackendError("relational", "upsert", "injected")
        break_port(ledger, "relational", upsert=Fault(refused))

    result = ledger.ingest(text)

    assert (result.document is None) is fails
    assert "letter.txt" in repr(all_events(ledger))
    assert "xyzzyplugh" not in repr(all_events(ledger))
    assert "xyzzyplugh" not in caplog.text


def test_empty_file_ingested_completes_without_chunks(ledger: Ledger, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()

    result = ledger.ingest(empty)

    assert result.document is not None
    assert (result.document.chunk_count, result.document.text_note) == (0, "empty file")
    assert b"".join(ledger.documents.content(result.document)) == b""


def test_compressed_file_ingested_restores_the_same_bytes(ledger: Ledger, tmp_path: Path) -> None:
    text = tmp_path / "long.txt"
    text.write_text("the same words again and again " * 20_000)

    result = ledger.ingest(text, replace(QUICK, compress=True))

    written = events_of(ledger, ChunkWritten)
    assert result.document is not None
    assert {event.encoding for event in written} == {"zstd"}
    assert sum(event.stored_bytes for event in written) < text.stat().st_size / 10
    assert b"".join(ledger.documents.content(result.document)) == text.read_bytes()


def test_same_content_again_returns_the_document_that_exists(ledger: Ledger, source: Path) -> None:
    first = ledger.ingest(source)

    again = ledger.ingest(source)
    forced = ledger.ingest(source, replace(QUICK, again=True))

    assert again.existed
    assert again.document == first.document
    assert forced.document is not None
    assert first.document is not None
    assert forced.document.document_id != first.document.document_id
    assert ledger.services.graph.same_content(first.document.document_id) == [
        forced.document.document_id
    ]


def test_pdf_ingested_is_found_by_its_words(ledger: Ledger, tmp_path: Path) -> None:
    pdf = tmp_path / "paper.pdf"
    pdf.write_bytes(pdf_bytes(["An unrelated first page", "The compensation of sagas"]))

    result = ledger.ingest(pdf)

    assert result.document is not None
    assert result.document.media_type == "application/pdf"
    assert "compensation of sagas" in ledger.documents.search("compensation sagas", 1)[0].text


def test_committed_document_deleted_is_gone_from_every_store(ledger: Ledger, source: Path) -> None:
    document = ledger.ingest(source).document
    assert document is not None

    result = ledger.delete(document)

    assert result.success
    assert what_is_left(ledger) == {}
    assert ledger.services.relational.documents() == []


def test_two_sagas_on_one_file_leave_each_other_alone(ledger: Ledger, source: Path) -> None:
    config = replace(QUICK, again=True)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(ledger.ingest(source, config)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = (result.document for result in results)
    assert first is not None
    assert second is not None

    ledger.delete(first)

    assert b"".join(ledger.documents.content(second)) == source.read_bytes()
    assert ledger.documents.verify(second).holds


def test_progress_callback_that_raises_changes_nothing(ledger: Ledger, source: Path) -> None:
    def explode(_: object) -> None:
        raise RuntimeError("a guest misbehaves")

    assert ledger.ingest(source, progress=explode).document is not None


def test_several_files_at_once_are_all_committed(ledger: Ledger, tmp_path: Path) -> None:
    contents = {f"{number}.bin": os.urandom(3 * CHUNK + number) for number in range(4)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    threads = [threading.Thread(target=ledger.ingest, args=(tmp_path / n,)) for n in contents]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    committed = ledger.services.relational.documents()
    assert {
        document.source_name: b"".join(ledger.documents.content(document)) for document in committed
    } == contents


def test_text_of_a_deleted_document_is_found_no_more(ledger: Ledger, tmp_path: Path) -> None:
    for name, text in (("kept.txt", "the albatross returns"), ("gone.txt", "the albatross leaves")):
        (tmp_path / name).write_text(text)
    ledger.ingest(tmp_path / "kept.txt")
    document = ledger.ingest(tmp_path / "gone.txt").document
    assert document is not None

    ledger.delete(document)

    found = ledger.documents.search("albatross leaves", 10)
    assert [hit.text for hit in found] == ["the albatross returns"]
