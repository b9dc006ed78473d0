"""The command while something happens: stopped, doubled, refused by a failing store."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import bound_by_permissions, json_of, refusal_of, run, start
from tests.support.waiting import wait_until

FILE_BYTES = 12 * 1024 * 1024
SLOW = ("--chunk-size", "8192")
SLOWER = ("--chunk-size", "4096")
"""So many small chunks that an upload takes a while: each is synced on its own."""


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "big.bin"
    path.write_bytes(os.urandom(FILE_BYTES))
    return path


def chunks_in(data: Path) -> list[Path]:
    return list((data / "chunks").glob("*/[0-9]*"))


def events_of(data: Path, saga_id: str) -> list[dict[str, Any]]:
    (told,) = json_of(run(data, "show", saga_id, "--json"))
    return list(told["events"])


def test_ingest_and_recovery_interrupted_are_taken_up_where_they_were(
    tmp_path: Path, big: Path
) -> None:
    data = tmp_path / "data"
    (tmp_path / "small.txt").write_text("words")

    with start(data, "ingest", "--concurrency", "1", big, tmp_path / "small.txt", *SLOW) as ingest:
        wait_until(lambda: len(chunks_in(data)) > 100, "a hundred chunks were there")
        ingest.send_signal(signal.SIGINT)
        told, stopped = ingest.communicate(timeout=60)
    sent = len(chunks_in(data))
    with start(data, "recover") as recovery:
        wait_until(lambda: len(chunks_in(data)) > sent + 100, "a hundred more were there")
        recovery.send_signal(signal.SIGINT)
        _, stopped_again = recovery.communicate(timeout=60)
    sent_again = len(chunks_in(data))
    finished = run(data, "ingest", tmp_path / "small.txt")

    assert ingest.returncode == recovery.returncode == 130
    first, last = stopped.splitlines()
    assert re.fullmatch(rf"{big}: not finished; `sagaledger recover` continues saga \w+", first)
    assert last.startswith("stopped; `sagaledger recover` or the next ingest continues")
    assert told == "2 files: 1 not started, 1 unfinished\n"
    assert stopped_again == "stopped; the next `sagaledger recover` or ingest continues\n"
    saga_id = first.split()[-1]
    assert finished.returncode == 0
    assert finished.stderr == f"recovered saga {saga_id[:12]}: completed\n"
    events = events_of(data, saga_id)
    kinds = [event["type"] for event in events]
    known = [e["fields"]["chunks_known"] for e in events if e["type"] == "UploadResumed"]
    assert known == [sent, sent_again]
    assert kinds.count("ChunkWritten") == FILE_BYTES // 8192


def test_ingest_interrupted_twice_ends_and_loses_nothing(tmp_path: Path, big: Path) -> None:
    data = tmp_path / "data"

    with start(data, "ingest", big, *SLOW) as ingest:
        wait_until(lambda: len(chunks_in(data)) > 100, "a hundred chunks were there")
        ingest.send_signal(signal.SIGINT)
        ingest.send_signal(signal.SIGTERM)
        _, complaint = ingest.communicate(timeout=60)

    assert ingest.returncode == 130
    assert "Traceback" not in complaint
    (recovered,) = json_of(run(data, "recover", "--json"))["finished"]
    assert recovered["status"] == "completed"


def test_second_saga_on_a_file_that_another_reads_works_and_says_so(
    tmp_path: Path, big: Path
) -> None:
    data = tmp_path / "data"

    with start(data, "ingest", big, *SLOWER, "--json") as first:
        wait_until(lambda: len(chunks_in(data)) > 100, "a hundred chunks were there")
        second = run(data, "ingest", big)
        output, complaint = first.communicate(timeout=60)

    assert (first.returncode, complaint) == (0, "")
    assert (second.returncode, second.stderr) == (0, "")
    (told,) = json.loads(output)
    other = told["saga"]["saga_id"]
    assert second.stdout.endswith(f"  note      saga {other[:12]} was reading the same file\n")
    listed = json_of(run(data, "list", "--json"))
    assert {document["sha256"] for document in listed} == {told["document"]["sha256"]}
    assert len(listed) == 2
    assert json_of(run(data, "verify", told["document"]["document_id"], "--json"))["holds"]


def test_chunk_folder_that_fails_halfway_leaves_orphans_until_it_works_again(
    tmp_path: Path, big: Path
) -> None:
    data = tmp_path / "data"
    options = (*SLOW, "--attempts", "2", "--retry-delay", "0.1")

    with start(data, "ingest", big, *options, before=bound_by_permissions()) as ingest:
        wait_until(lambda: len(chunks_in(data)) > 100, "a hundred chunks were there")
        (folder,) = (data / "chunks").iterdir()
        folder.chmod(0o500)
        _, complaint = ingest.communicate(timeout=60)
    kept = sorted(chunk.name for chunk in folder.glob("[0-9]*"))
    left = len(kept)
    orphans = json_of(run(data, "orphans", "--json"))
    table = run(data, "orphans").stdout
    in_vain = run(data, "sweep", before=bound_by_permissions())
    folder.chmod(0o700)
    swept = run(data, "sweep", before=bound_by_permissions())

    assert ingest.returncode == 5
    assert f"{big}: rolled back, but not all could be removed" in complaint
    assert "Permission denied" in complaint
    assert "`sagaledger sweep` tries again" in complaint
    assert not list((data / "manifests").iterdir())
    chunks = [orphan for orphan in orphans if orphan["ref"] != f"{folder.name}/"]
    assert len(chunks) == left
    assert f"{folder.name}/{kept[0]} … {kept[-1]}  {left} " in table
    assert in_vain.returncode == 5
    assert in_vain.stdout == f"nothing removed\n{left + 1} orphans left\n"
    assert (swept.returncode, swept.stdout.splitlines()[-1]) == (0, "0 orphans left")
    assert run(data, "orphans").stdout == "no orphans\n"
    assert list((data / "chunks").iterdir()) == []


def test_saga_in_the_wrong_state_refuses(tmp_path: Path, big: Path) -> None:
    data = tmp_path / "data"
    (tmp_path / "small.txt").write_text("words")
    with start(data, "ingest", big, *SLOW) as ingest:
        wait_until(lambda: len(chunks_in(data)) > 10, "ten chunks were there")
        ingest.send_signal(signal.SIGINT)
        ingest.communicate(timeout=60)
    (stopped,) = json_of(run(data, "list", "--all", "--json"))
    paused = run(data, "pause", stopped["saga_id"])
    ingested = run(data, "ingest", tmp_path / "small.txt", "--json")
    (completed,) = json_of(ingested)
    rolled_back = run(data, "rollback", stopped["saga_id"])
    assert (paused.returncode, rolled_back.returncode) == (0, 0)
    assert rolled_back.stdout.startswith(f"saga {stopped['saga_id']}: compensated\n")

    for saga_id, command, why in (
        (stopped["saga_id"], "rollback", "is rolled back already, with nothing left"),
        (completed["saga"]["saga_id"], "rollback", "only goes forward; delete the document"),
        (completed["saga"]["saga_id"], "resume", "has ended: completed"),
        (completed["saga"]["saga_id"], "pause", "is completed and cannot be paused"),
        (completed["saga"]["saga_id"], "cancel", "only goes forward; delete the document"),
    ):
        line = refusal_of(run(data, command, saga_id), 8)
        assert line.startswith(f"error: saga {saga_id} ")
        assert line.endswith(why)


def test_paused_saga_is_named_to_whoever_ingests_next(tmp_path: Path, big: Path) -> None:
    data = tmp_path / "data"
    (tmp_path / "small.txt").write_text("words")
    with start(data, "ingest", big, *SLOWER) as ingest:
        wait_until(lambda: len(chunks_in(data)) > 10, "ten chunks were there")
        (saga,) = json_of(run(data, "list", "--all", "--json"))
        assert run(data, "pause", saga["saga_id"]).returncode == 0
        _, complaint = ingest.communicate(timeout=60)

    next_one = run(data, "ingest", tmp_path / "small.txt")

    advice = f"paused; `sagaledger resume {saga['saga_id']}` continues it\n"
    assert (ingest.returncode, complaint) == (9, f"{big}: {advice}")
    assert next_one.returncode == 0
    assert next_one.stderr == f"saga {saga['saga_id'][:12]} is {advice}"
    assert run(data, "resume", saga["saga_id"]).stdout == f"saga {saga['saga_id']}: completed\n"
