"""Read models count each event exactly once, however they follow the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.runs import EventRun
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.infrastructure.event_store import MemoryEventStore
from sagaledger.projections import (
    Projector,
    Rule,
    SagaList,
    SqliteOrphanDirectory,
    SqliteSagaDirectory,
    open_projections,
)
from sagaledger.projections.errors import ProjectionNewerError
from sagaledger.projections.registry import PROJECTIONS

from tests.support.driven_sagas import DrivenSaga, definitions, ticking_clock
from tests.support.specification import step


class World:
    """A few sagas side by side, and the log that they share."""

    def __init__(self, seed: int, shapes: Sequence[SagaDefinition]) -> None:
        self.log = MemoryEventStore()
        self.chance = Random(seed)
        clock = ticking_clock()
        self.sagas = [
            DrivenSaga(self.log, UUID(int=number), shape, clock, self.chance)
            for number, shape in enumerate(shapes)
        ]

    def go_on(self, moves: int, *, notes: bool = True) -> World:
        for _ in range(moves):
            saga = self.chance.choice(self.sagas)
            kind = self.chance.random()
            if kind < 0.7:
                saga.go_on()
            elif kind < 0.9 or not notes:
                saga.go_on_uploading()
            else:
                saga.be_noted()
        return self


class SlicedLog:
    """The real log, which gives no more at once than it is told to."""

    def __init__(self, log: EventStore) -> None:
        self._log = log
        self.slice = 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def read_log(self, after_position: int, limit: int) -> Sequence[EventRun]:
        return self._log.read_log(after_position, min(limit, self.slice))


class PeeringLog(SlicedLog):
    """The real log; somebody looks at the rows each time it is read."""

    def __init__(self, log: EventStore) -> None:
        super().__init__(log)
        self.slice = 5
        self.peer: Callable[[], object] = lambda: None

    def read_log(self, after_position: int, limit: int) -> Sequence[EventRun]:
        self.peer()
        return super().read_log(after_position, limit)


class DyingSagaList(SagaList):
    """The real projection in a process that ends at one event, in the middle of a batch."""

    dies_at = 0

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        return {kind: self._dying(rule) for kind, rule in super().rules.items()}

    def _dying(self, rule: Rule) -> Rule:
        def apply(connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> None:
            rule(connection, events)
            if events[-1].position >= self.dies_at:
                raise KeyboardInterrupt

        return apply


def rows_of(projector: Projector) -> dict[str, list[tuple[Any, ...]]]:
    """Every table, once every event is applied."""
    names = projector.rows(
        "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
    )
    return {
        name: sorted((tuple(row) for row in projector.rows(f"SELECT * FROM {name}")), key=repr)
        for (name,) in names
    }


def follow(projector: Projector, log: EventStore) -> None:
    """Catch up slice by slice."""
    for _ in range(log.last_position()):
        projector.catch_up()


def rebuilt(log: EventStore) -> dict[str, list[tuple[Any, ...]]]:
    """What a new read model makes of the log in one go."""
    projector = open_projections(None, log)
    projector.catch_up()
    rows = rows_of(projector)
    projector.close()
    return rows


def worlds(moves: int = 60) -> st.SearchStrategy[World]:
    """A log with any history of up to three sagas."""
    shapes = st.lists(definitions(), min_size=1, max_size=3)
    return st.builds(
        lambda seed, shape, count: World(seed, shape).go_on(count),
        st.integers(0, 2**32),
        shapes,
        st.integers(10, moves),
    )


@given(worlds(), st.lists(st.integers(1, 20), min_size=1, max_size=60))
@settings(max_examples=30, deadline=None)
def test_log_projected_in_any_slices_gives_the_rows_of_one_go(
    world: World, slices: list[int]
) -> None:
    sliced = SlicedLog(world.log)
    projector = open_projections(None, cast("EventStore", sliced))

    reached = 0
    for number in range(world.log.last_position()):
        sliced.slice = slices[number % len(slices)]
        expected = min(reached + sliced.slice, world.log.last_position())
        reached = projector.catch_up()
        assert reached == expected

    assert rows_of(projector) == rebuilt(world.log)
    projector.close()


@given(worlds())
@settings(max_examples=30, deadline=None)
def test_log_projected_twice_gives_the_rows_of_once(world: World) -> None:
    projector = open_projections(None, world.log)
    projector.catch_up()
    once = rows_of(projector)

    projector.catch_up()

    assert rows_of(projector) == once
    projector.close()


@given(st.integers(0, 2**32), st.lists(definitions(), min_size=1, max_size=3), st.data())
@settings(max_examples=30, deadline=None)
def test_rows_kept_while_the_log_grows_equal_rebuilt_ones_at_every_position(
    seed: int, shapes: list[SagaDefinition], data: st.DataObject
) -> None:
    world = World(seed, shapes)
    live = open_projections(None, world.log)

    for moves in data.draw(st.lists(st.integers(1, 8), min_size=1, max_size=8)):
        world.go_on(moves)
        live.catch_up()

        assert rows_of(live) == rebuilt(world.log)
    live.close()


@given(worlds(), st.lists(st.tuples(st.booleans(), st.integers(1, 20)), max_size=20))
@settings(max_examples=15, deadline=None)
def test_two_processes_that_share_a_file_apply_each_event_once(
    world: World, turns: list[tuple[bool, int]]
) -> None:
    sliced = SlicedLog(world.log)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "projections.db"
        first, second = (open_projections(path, cast("EventStore", sliced)) for _ in range(2))
        for is_first, size in turns:
            sliced.slice = size
            (first if is_first else second).catch_up()
        sliced.slice = 1000
        first.catch_up()

        assert rows_of(second) == rebuilt(world.log)
        first.close()
        second.close()


@given(worlds(), st.integers(1, 30), st.integers(1, 200))
@settings(max_examples=15, deadline=None)
def test_process_that_ends_in_a_batch_leaves_it_to_the_next_as_a_whole(
    world: World, size: int, dies_at: int
) -> None:
    sliced = SlicedLog(world.log)
    sliced.slice = size
    dying = DyingSagaList()
    runs = world.log.read_log(0, 10_000)
    moving = [item.position for kind, run in runs if kind in dying.rules for item in run]
    dying.dies_at = moving[dies_at % len(moving)]
    kept = [projection for projection in PROJECTIONS if projection.name != dying.name]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "projections.db"
        first = Projector(path, cast("EventStore", sliced), [dying, *kept])
        with pytest.raises(KeyboardInterrupt):
            follow(first, world.log)
        first.close()

        # The same names and versions: it goes on where the other one was.
        second = open_projections(path, world.log)

        assert rows_of(second) == rebuilt(world.log)
        second.close()


@pytest.mark.parametrize(
    "damage", ["an older version", "before versions", "another log", "no database"]
)
def test_file_that_cannot_be_gone_on_with_is_made_anew(tmp_path: Path, damage: str) -> None:
    world = World(1, [SagaDefinition("any", [step("start")])]).go_on(10)
    path = tmp_path / "projections.db"
    first = open_projections(path, world.log)
    first.catch_up()
    first.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM sagas")
        if damage == "an older version":
            connection.execute("UPDATE progress SET version=version-1")
            connection.execute(
                "UPDATE progress SET tables=tables || ' left_out' WHERE name='sagas'"
            )
            connection.execute("CREATE TABLE left_out (x)")
        elif damage == "before versions":
            connection.execute("DROP TABLE progress")
            connection.execute("CREATE TABLE progress (version TEXT, position INTEGER)")
        elif damage == "another log":
            connection.execute("UPDATE progress SET position=position+1")
    if damage == "no database":
        path.write_bytes(b"not a database" * 1000)

    second = open_projections(path, world.log)

    assert rows_of(second) == rebuilt(world.log)
    second.close()


def test_file_of_a_newer_version_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    world = World(1, [SagaDefinition("any", [step("start")])]).go_on(10)
    path = tmp_path / "projections.db"
    serving = open_projections(path, world.log)
    serving.catch_up()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE progress SET version=99 WHERE name='sagas'")
        before = list(connection.iterdump())

        with pytest.raises(ProjectionNewerError, match="'sagas' has version 99"):
            open_projections(path, world.log)
        with pytest.raises(ProjectionNewerError, match="upgrade"):
            serving.rows("SELECT 1")

        assert list(connection.iterdump()) == before
    serving.close()


@given(worlds(), st.integers(0, 40), st.sampled_from([(), ("sagas",), ("alerts", "orphans")]))
@settings(max_examples=20, deadline=None)
def test_projections_made_anew_at_any_position_equal_the_live_ones(
    world: World, more: int, names: Sequence[str]
) -> None:
    with TemporaryDirectory() as folder:
        projector = open_projections(Path(folder) / "projections.db", world.log)
        projector.catch_up()
        world.go_on(more)

        projector.rebuild(names)

        assert {lag.name for lag in projector.lags()} == {p.name for p in PROJECTIONS}
        assert {lag.behind for lag in projector.lags()} == {0}
        assert rows_of(projector) == rebuilt(world.log)
        projector.close()
        assert [path.name for path in Path(folder).glob("*.rebuild*")] == [
            "projections.db.rebuild.lock"
        ]


def test_reader_sees_the_old_rows_until_the_new_ones_are_all_there(tmp_path: Path) -> None:
    world = World(1, [SagaDefinition("any", [step("start")])]).go_on(30)
    path = tmp_path / "projections.db"
    log = PeeringLog(world.log)
    projector = open_projections(path, cast("EventStore", log))
    projector.catch_up()
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("UPDATE sagas SET source='as it was'")
        log.peer = lambda: seen.append(reader.execute("SELECT source FROM sagas").fetchone()[0])
        seen: list[str] = []

        projector.rebuild(["sagas"])

        assert set(seen) == {"as it was"}
        assert reader.execute("SELECT source FROM sagas").fetchone()[0] != "as it was"
    projector.close()


def test_lag_is_what_the_log_has_and_a_projection_has_not() -> None:
    world = World(1, [SagaDefinition("any", [step("start")])]).go_on(10)
    projector = open_projections(None, world.log)
    reached = projector.catch_up()
    world.go_on(10)

    lags = projector.lags()

    assert {lag.position for lag in lags} == {reached}
    assert {lag.behind for lag in lags} == {world.log.last_position() - reached}
    with pytest.raises(KeyError):
        projector.rebuild(["nothing"])
    projector.close()


@given(worlds())
@settings(max_examples=40, deadline=None)
def test_list_of_sagas_says_what_their_histories_say(world: World) -> None:
    projector = open_projections(None, world.log)
    listed = {summary.saga_id: summary for summary in SqliteSagaDirectory(projector).all_sagas()}

    for driven in world.sagas:
        saga, summary = driven.saga, listed[driven.id]
        assert (summary.status, summary.paused, summary.decided, summary.owner) == (
            saga.status,
            saga.paused,
            saga.decided,
            saga.owner,
        )
        assert (summary.started_us, summary.ended_us) == (saga.started_us, saga.ended_us)
        assert summary.reason == (saga.rollback.reason if saga.rollback else "")
        assert summary.definition == saga.definition
    projector.close()


@given(worlds())
@settings(max_examples=40, deadline=None)
def test_lists_of_uploads_and_chunks_say_what_their_histories_say(world: World) -> None:
    projector = open_projections(None, world.log)

    for driven in world.sagas:
        upload = driven.upload
        rows = projector.rows("SELECT * FROM uploads WHERE saga_id=?", (driven.id.hex,))
        if upload is None:
            assert rows == []
            continue
        (row,) = rows
        assert (row["upload_id"], row["status"]) == (upload.id.hex, upload.status)
        assert (row["attempts"], row["sha256"]) == (upload.attempt, upload.sha256.hex())
        assert (row["size_bytes"], row["chunk_count"]) == (
            upload.layout.size_bytes,
            upload.layout.count,
        )
        chunks = projector.rows(
            "SELECT number, sha256, stored_bytes, encoding FROM chunks WHERE upload_id=? "
            "ORDER BY number",
            (upload.id.hex,),
        )
        assert [tuple(chunk) for chunk in chunks] == [
            (chunk.index, chunk.sha256.hex(), chunk.stored_bytes, chunk.encoding)
            for chunk in upload.chunks
        ]
    projector.close()


@given(worlds())
@settings(max_examples=40, deadline=None)
def test_list_of_steps_says_what_their_histories_say(world: World) -> None:
    projector = open_projections(None, world.log)

    for driven in world.sagas:
        rows = projector.rows("SELECT * FROM steps WHERE saga_id=?", (driven.id.hex,))
        by_name = {row["step"]: row for row in rows}
        begun = {name: p for name, p in driven.saga.steps.items() if p.state != "not_started"}
        assert by_name.keys() == begun.keys()
        for name, progress in begun.items():
            row, undone = by_name[name], driven.saga.compensations.get(name)
            assert row["state"] == progress.state
            assert row["duration_us"] == round(progress.duration_s * 1_000_000)
            assert row["undo_attempts"] == (undone.attempts if undone else 0)
            assert row["undo_removed"] == (undone.removed if undone else 0)
            assert row["undo_residue"] == (len(undone.residue) if undone else 0)
    projector.close()


@given(st.integers(0, 2**32), st.lists(definitions(), min_size=1, max_size=3), st.integers(10, 90))
@settings(max_examples=60, deadline=None)
def test_list_of_orphans_says_what_ended_rollbacks_left(
    seed: int, shapes: list[SagaDefinition], moves: int
) -> None:
    world = World(seed, shapes).go_on(moves, notes=False)
    projector = open_projections(None, world.log)
    listed = SqliteOrphanDirectory(projector).unresolved()

    for driven in world.sagas:
        found = {(o.store, o.ref, o.count) for o in listed if o.saga_id == driven.id.hex}
        if driven.saga.status is SagaStatus.COMPENSATION_FAILED:
            assert found == {(r.store, r.ref, r.count) for r in driven.saga.residue}
        elif driven.saga.status is not SagaStatus.COMPENSATING:
            assert found == set()
    projector.close()
