"""A data folder that cannot be used is told in one line, which names the file and what to do."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

import ladybug
import pytest

from tests.support.commands import (
    bound_by_permissions,
    copy_of,
    json_of,
    overwrite,
    refusal_of,
    run,
    small_disk,
)

UNUSABLE = 6
BACKUP = "; restore it from a backup"
PERMISSIONS = "; check who owns it, and its permissions"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one document of many passages, and one of bytes."""
    folder = tmp_path_factory.mktemp("sound")
    words = "\n\n".join(f"Paragraph {n} tells of heron {n * n}. " * 30 for n in range(60))
    (folder / "words.txt").write_text(words)
    (folder / "bytes.bin").write_bytes(os.urandom(100_000))
    assert run(folder / "data", "ingest", folder).returncode == 0
    move_log_into_tables(folder / "data" / "graph.lbug")
    return folder / "data"


def move_log_into_tables(graph: Path) -> None:
    """What the engine does once the log of a graph is long: now its file is worth damaging."""
    database = ladybug.Database(str(graph))
    connection = ladybug.Connection(database)
    connection.execute("CHECKPOINT")
    connection.close()
    database.close()


@pytest.fixture
def data(sound: Path, tmp_path: Path) -> Path:
    return copy_of(sound, tmp_path / "data")


@pytest.mark.parametrize("command", ["list", "recover", "show x", "delete x"])
def test_missing_data_folder_is_not_made_by_a_command_that_reads(
    tmp_path: Path, command: str
) -> None:
    line = refusal_of(run(tmp_path / "none", *command.split()), UNUSABLE)

    advice = "there is none; `sagaledger ingest` creates one, --data selects another"
    assert line == f"error: data folder {tmp_path / 'none'}: {advice}"
    assert list(tmp_path.iterdir()) == []


def test_data_folder_that_is_something_else_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "photo.jpg").touch()

    for name, why in (
        ("file", "is a file, not a folder"),
        ("file/below", "is a file, not a folder"),
        ("strange", "holds other files (photo.jpg, …); give an empty or a new folder"),
    ):
        refused = run(tmp_path / name, "ingest", tmp_path / "file")
        assert refusal_of(refused, UNUSABLE) == f"error: data folder {tmp_path / name}: {why}"

    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "photo.jpg", "strange"]


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ('{"format": 3}', "has format 3, written by a newer version; upgrade sagaledger"),
        ('{"format": "1"}', f"its sagaledger.json is damaged{BACKUP}"),
        ("[]", f"its sagaledger.json is damaged{BACKUP}"),
        ("", f"its sagaledger.json is damaged{BACKUP}"),
    ],
)
def test_data_folder_of_a_newer_version_or_damaged_mark_is_refused(
    data: Path, mark: str, why: str
) -> None:
    (data / "sagaledger.json").write_text(mark)

    assert refusal_of(run(data, "list"), UNUSABLE) == f"error: data folder {data}: {why}"


@pytest.mark.parametrize(
    ("pragma", "why"),
    [
        ("user_version=99", "has format 99, written by a newer version; upgrade sagaledger"),
        ("application_id=7", f"it is not an event log of sagaledger{BACKUP}"),
    ],
)
def test_event_log_of_a_newer_version_or_another_program_is_refused(
    data: Path, pragma: str, why: str
) -> None:
    with sqlite3.connect(data / "events.db") as events:
        events.execute(f"PRAGMA {pragma}")

    line = refusal_of(run(data, "list"), UNUSABLE)

    assert line.startswith(f"error: {'data folder ' if '99' in pragma else ''}{data}")
    assert line.endswith(why)


@pytest.mark.parametrize(
    ("name", "mode", "why"),
    [
        (".", 0o500, f"cannot be written to{PERMISSIONS}"),
        (".", 0, f"cannot be used: Permission denied{PERMISSIONS}"),
        ("..", 0, f"cannot be used: Permission denied{PERMISSIONS}"),
        ("events.db", 0o400, f"events.db cannot be written to{PERMISSIONS}"),
        ("documents.db", 0, f"documents.db cannot be written to{PERMISSIONS}"),
        ("chunks", 0o500, f"chunks cannot be written to{PERMISSIONS}"),
    ],
)
def test_data_folder_without_permission_is_refused(
    sound: Path, tmp_path: Path, name: str, mode: int, why: str
) -> None:
    (tmp_path / "place").mkdir()
    data = copy_of(sound, tmp_path / "place" / "data")
    (data / name).chmod(mode)

    refused = run(data, "list", before=bound_by_permissions())

    (tmp_path / "place").chmod(0o700)
    data.chmod(0o700)
    (data / name).chmod(0o700)
    assert refusal_of(refused, UNUSABLE) == f"error: data folder {data}: {why}"


def test_new_data_folder_where_none_may_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir(mode=0o500)
    (tmp_path / "words.txt").write_text("words")
    data = tmp_path / "place" / "data"

    refused = run(data, "ingest", tmp_path / "words.txt", before=bound_by_permissions())

    assert refusal_of(refused, UNUSABLE) == (
        f"error: data folder {data}: cannot be used: Permission denied{PERMISSIONS}"
    )


@pytest.mark.parametrize("where", ["header", "middle"])
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("events.db", "list"),
        ("vectors.db", "search heron"),
        ("documents.db", "list"),
        ("graph.lbug", "list"),
    ],
)
def test_damaged_database_is_refused_until_it_is_restored(
    sound: Path, data: Path, name: str, command: str, where: str
) -> None:
    overwrite(data / name, where)

    line = refusal_of(run(data, *command.split()), UNUSABLE)

    assert line.startswith(f"error: {data / name} is damaged: ")
    assert line.endswith(BACKUP)
    if (name, where) == ("events.db", "header"):
        (data / name).write_bytes((sound / name).read_bytes())
        restored = run(data, *command.split())
        assert (restored.returncode, restored.stderr) == (0, "")
        assert "words.txt" in restored.stdout


@pytest.mark.parametrize("where", ["header", "middle"])
def test_damaged_leases_are_refused_until_they_are_deleted(data: Path, where: str) -> None:
    overwrite(data / "leases.db", where)
    (data.parent / "new.txt").write_text("words")
    ingest = ("ingest", data.parent / "new.txt")

    line = refusal_of(run(data, *ingest), UNUSABLE)

    assert f"{data / 'leases.db'} is damaged (" in line
    assert "; delete it while no sagaledger command runs: " in line
    (data / "leases.db").unlink()
    assert run(data, "recover").stdout == "nothing to recover\n"


@pytest.mark.parametrize("where", ["header", "middle", "gone"])
def test_damaged_projections_are_made_anew(data: Path, where: str) -> None:
    if where == "gone":
        (data / "projections.db").unlink()
    else:
        overwrite(data / "projections.db", where)

    listed = json_of(run(data, "list", "--all", "--json"))

    assert {Path(saga["source"]).name for saga in listed} == {"words.txt", "bytes.bin"}
    assert {saga["status"] for saga in listed} == {"completed"}


def test_vector_store_damaged_in_the_middle_lets_an_ingest_list_what_is_left(data: Path) -> None:
    overwrite(data / "vectors.db", "middle")
    (data.parent / "new.txt").write_text("a heron more")

    done = run(data, "ingest", data.parent / "new.txt")

    assert (done.returncode, done.stdout) == (5, "")
    assert f"{data / 'vectors.db'} is damaged: " in done.stderr.splitlines()[0]
    assert [o["store"] for o in json_of(run(data, "orphans", "--json"))] == ["vector"]
    assert len(json_of(run(data, "list", "--json"))) == 2


@pytest.mark.parametrize("name", ["events.db", "documents.db", "chunks", "keys"])
def test_missing_part_of_a_data_folder_is_not_made_anew(data: Path, name: str) -> None:
    (data / name).rename(data / f"{name}.elsewhere")

    line = refusal_of(run(data, "list"), UNUSABLE)

    assert line == f"error: data folder {data}: {name} is missing or empty{BACKUP}"
    assert not (data / name).exists()


def fill(disk: Path, name: str) -> None:
    file = os.open(disk / name, os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while os.write(file, bytes(64 * 1024)):
            pass
    os.close(file)
    assert os.statvfs(disk).f_bavail == 0


def test_full_disk_ends_an_ingest_and_lets_documents_be_read_and_deleted(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("a heron")
    with (tmp_path / "large.bin").open("wb") as large:
        large.truncate(64 * 1024 * 1024)
    with small_disk(tmp_path / "disk", 64) as disk:
        data = disk / "data"

        files = (tmp_path / "large.bin", tmp_path / "words.txt")
        done = run(data, "ingest", "--concurrency", "1", *files)
        fill(disk, "other")
        listed = run(data, "list", "--json")
        got = run(data, "get", "default", "-o", tmp_path / "copy.txt")
        deleted = run(data, "delete", "default")
        nearly = refusal_of(run(data, "ingest", tmp_path / "words.txt"), UNUSABLE)
        fill(disk, "more")
        told = refusal_of(run(data, "list"), UNUSABLE)
        new = refusal_of(run(disk / "new", "ingest", tmp_path / "words.txt"), UNUSABLE)
        (disk / "other").unlink()
        (disk / "more").unlink()
        afterwards = run(data, "ingest", tmp_path / "words.txt")

    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    why = "rolled back, nothing left (storage_full): chunks store: write failed"
    advice = "No space left on device; free some space and ingest it again; saga "
    assert line.startswith(f"{tmp_path / 'large.bin'}: {why}: {advice}")
    assert [d["source_name"] for d in json_of(listed)] == ["words.txt"]
    assert got.returncode == 0
    assert (tmp_path / "copy.txt").read_text() == "a heron"
    assert (deleted.returncode, deleted.stderr) == (0, "")
    advice = "its disk is nearly full; free some space, or `sagaledger delete` documents"
    assert nearly == f"error: data folder {data}: {advice}"
    assert told.endswith(f"the disk of {data} is full: free some space and try again")
    assert new == (
        f"error: data folder {disk / 'new'}: cannot be used: No space left on device; "
        "free some space on its disk"
    )
    assert afterwards.returncode == 0
