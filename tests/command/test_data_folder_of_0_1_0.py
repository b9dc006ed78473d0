"""A data folder that version 0.1.0 made is whole, recovers, and can be worked on.

`tests/data/folder-0.1.0/make.py` says what is in it: a small and a large document, a deleted one, a
rollback with an orphan, and two sagas cut off by a crash, whose sources are gone.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from sagaledger.domain.history.runs import events_of
from sagaledger.infrastructure.event_store import SqliteEventStore
from sagaledger.infrastructure.event_store.codec import EventCodec

from tests.support.commands import json_of, run

PACKED = Path(__file__).parents[1] / "data" / "folder-0.1.0" / "data.tar.xz"
KEPT = "default-e01b9a2c19350d7c2c1d8169-111111111111"
LARGE = "default-921fb29522456d4fae9ce555-222222222222"
VERIFIED = "default-20429030370c447221181919-555555555555"
SHA256 = {
    KEPT: "e01b9a2c19350d7c2c1d81699724bb84d285870b070ee5c145f74b95a785e7db",
    LARGE: "921fb29522456d4fae9ce5558b721fe7d2e4b75a1cbd152876816af5e252bbe7",
    VERIFIED: "20429030370c44722118191929fc426a5545c23c77a25c8b4c648aa5b4413fcb",
}
STATUSES = {"1" * 32: "completed", "2" * 32: "completed", "3" * 32: "completed"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with tarfile.open(PACKED) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "data"


def listed(data: Path) -> set[str]:
    return {document["document_id"] for document in json_of(run(data, "list", "--json"))}


def statuses(data: Path) -> dict[str, str]:
    sagas = json_of(run(data, "list", "--all", "--json"))
    return {s["saga_id"]: s["status"] for s in sagas if s["definition"] == "streaming-upload"}


def check_content(data: Path, document_id: str) -> None:
    target = data.parent / document_id
    restored = run(data, "get", document_id, "-o", target)
    assert restored.returncode == 0, restored.stderr
    assert hashlib.sha256(target.read_bytes()).hexdigest() == SHA256[document_id]
    verified = run(data, "verify", document_id, "--json")
    assert (verified.returncode, json_of(verified)["holds"]) == (0, True)


def test_documents_are_listed_and_verified_and_give_the_same_bytes(data: Path) -> None:
    assert listed(data) == {KEPT, LARGE}
    assert statuses(data) == {
        **STATUSES,
        "4" * 32: "compensated",
        "5" * 32: "running",
        "6" * 32: "running",
    }

    for document_id in (KEPT, LARGE):
        check_content(data, document_id)


def test_sagas_cut_off_are_brought_to_their_end_and_the_orphan_is_swept(data: Path) -> None:
    recovered = run(data, "recover", "--json")

    assert recovered.returncode == 0, recovered.stderr
    assert [saga["status"] for saga in json_of(recovered)["finished"]] == [
        "completed",
        "compensated",
    ]
    assert listed(data) == {KEPT, LARGE, VERIFIED}
    check_content(data, VERIFIED)
    swept = json_of(run(data, "sweep", "--json"))
    assert [(o["saga_id"], o["store"]) for o in swept["report"]["removed"]] == [
        ("4" * 32, "chunks")
    ]
    assert json_of(run(data, "sweep", "--json"))["report"]["removed"] == []


def test_document_is_deleted_and_read_models_are_made_anew(data: Path) -> None:
    deleted = run(data, "delete", KEPT)

    assert deleted.returncode == 0, deleted.stderr
    assert listed(data) == {LARGE}
    check_content(data, LARGE)
    before = statuses(data)
    rebuilt = run(data, "project", "--rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert (statuses(data), listed(data)) == (before, {LARGE})


def test_events_are_stored_today_as_they_were_then(data: Path) -> None:
    with closing(sqlite3.connect(data / "events.db")) as connection:
        stored = connection.execute(
            "SELECT position, originator_id, version, type, state "
            "FROM stored_events JOIN streams ON number=stream ORDER BY position"
        ).fetchall()

    with closing(SqliteEventStore(data / "events.db")) as log:
        read = [*events_of(log.read_log(0, 10_000))]

    encode = EventCodec().encode
    assert [(i.position, i.originator_id, i.originator_version, *encode(i)) for i in read] == [
        (position, UUID(bytes=stream), *rest) for position, stream, *rest in stored
    ]
    assert len(read) > 100
