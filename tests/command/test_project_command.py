"""`sagaledger project`: read models that follow the log, and are made anew, whatever ends it."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.infrastructure.event_store import SqliteEventStore
from sagaledger.projections import open_projections

from tests.support.commands import json_of, refusal_of, run, start
from tests.support.driven_sagas import DrivenSaga, ticking_clock
from tests.support.specification import step
from tests.support.waiting import wait_until

NAMES = ["alerts", "documents", "orphans", "rollbacks", "sagas", "steps", "uploads"]
SHAPE = SagaDefinition("any", [step("start", tries=2), step("secure"), step("vector")])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder, file = tmp_path / "data", tmp_path / "file.txt"
    file.write_text("words to count")
    assert run(folder, "ingest", file).returncode == 0
    return folder


def live_many_lives(data: Path, sagas: int, seed: int = 1) -> None:
    """Put histories of many sagas into the log."""
    chance, clock = random.Random(seed), ticking_clock()
    with closing(SqliteEventStore(DataFolder(data).events_db)) as log:
        for _ in range(sagas):
            driven = DrivenSaga(log, UUID(int=chance.getrandbits(128)), SHAPE, clock, chance)
            for _ in range(12):
                driven.go_on()


def rows_in(path: Path) -> dict[str, list[str]]:
    """All rows of a file of read models."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}")))
            for (name,) in names
        }


@contextmanager
def made_anew(data: Path, beside: Path) -> Iterator[Path]:
    """A new file of read models over the same log."""
    with closing(SqliteEventStore(DataFolder(data).events_db)) as log:
        with closing(open_projections(beside, log)) as projector:
            projector.catch_up()
        yield beside


def test_read_models_are_brought_up_to_date_and_their_positions_told(data: Path) -> None:
    before = json_of(run(data, "project", "--json"))
    live_many_lives(data, 3)

    printed = run(data, "project").stdout.splitlines()
    after = json_of(run(data, "project", "--json"))

    assert printed[0].split() == ["PROJECTION", "VERSION", "POSITION", "BEHIND"]
    assert [line.split()[0] for line in printed[1:]] == NAMES
    assert [lag["name"] for lag in after] == NAMES
    assert {lag["behind"] for lag in after} == {0}
    assert after[0]["position"] > before[0]["position"] > 0


def test_read_models_made_anew_hold_what_they_held(data: Path, tmp_path: Path) -> None:
    live_many_lives(data, 5)
    assert run(data, "project").returncode == 0
    before = rows_in(data / "projections.db")

    one = run(data, "project", "--rebuild", "sagas").stdout
    every = run(data, "project", "--rebuild").stdout

    assert one.startswith("sagas rebuilt in ")
    assert every.startswith("7 projections rebuilt in ")
    assert rows_in(data / "projections.db") == before
    with made_anew(data, tmp_path / "anew.db") as anew:
        assert rows_in(anew) == before


def test_name_of_no_projection_is_refused_with_those_there_are(data: Path) -> None:
    refused = refusal_of(run(data, "project", "--rebuild", "nothing"), 2)

    assert f"no projection 'nothing'; there are {', '.join(NAMES)}" in refused


def test_data_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    refusal_of(run(tmp_path / "none", "project"), 6)

    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_follower_counts_what_others_add_until_it_is_stopped(data: Path, number: int) -> None:
    with start(data, "project", "--follow") as follower:
        assert follower.stdout is not None
        head = [follower.stdout.readline() for _ in range(1 + len(NAMES))]
        live_many_lives(data, 3)
        told = follower.stdout.readline()
        follower.send_signal(number)
        rest, errors = follower.communicate(timeout=60)

    assert head[0].startswith("PROJECTION")
    assert told.startswith("position ")
    assert (follower.returncode, errors, "Traceback" in rest) == (0, "", False)


@pytest.mark.parametrize("command", [("project", "--rebuild"), ("project", "--follow")])
def test_process_killed_at_any_moment_leaves_each_event_counted_once(
    data: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    chance = random.Random(3)
    for number in range(6):
        live_many_lives(data, 25, seed=number)
        with start(data, *command) as process:
            # Whichever moment this is, what follows must hold.
            time.sleep(0.1 + 0.5 * chance.random())
            process.kill()

    assert run(data, "project").returncode == 0
    with made_anew(data, tmp_path / "anew.db") as anew:
        assert rows_in(data / "projections.db") == rows_in(anew)


def test_two_rebuilds_at_once_both_succeed(data: Path, tmp_path: Path) -> None:
    live_many_lives(data, 40)

    with (
        start(data, "project", "--rebuild") as first,
        start(data, "project", "--rebuild") as second,
    ):
        ended = [process.wait(timeout=120) for process in (first, second)]

    assert ended == [0, 0]
    with made_anew(data, tmp_path / "anew.db") as anew:
        assert rows_in(data / "projections.db") == rows_in(anew)


def test_commands_go_on_while_read_models_are_made_anew(data: Path) -> None:
    live_many_lives(data, 100)

    with start(data, "project", "--rebuild") as rebuilding:
        wait_until(lambda: (data / "projections.db.rebuild").exists(), "the rebuild begins")
        listed = run(data, "list", "--json")
        assert rebuilding.wait(timeout=120) == 0

    assert len(json_of(listed)) == 1
