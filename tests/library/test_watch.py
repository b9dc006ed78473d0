"""Conditions that no single event shows raise one alert, which resolves when they clear."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.housekeeping.alerts import Watch, WatchedPlace, acknowledge
from sagaledger.application.housekeeping.notes import Housekeeping
from sagaledger.domain.errors import NotFoundError
from sagaledger.domain.history.envelope import Event
from sagaledger.domain.history.runs import events_of as flattened
from sagaledger.domain.housekeeping.alerts import AlertRule, AlertState, Severity
from sagaledger.domain.housekeeping.errors import AlertRulesError
from sagaledger.domain.housekeeping.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertResolved,
    AlertRulesSet,
    OrphanFound,
    OrphanRemoved,
)
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.saga.events import (
    RollbackRequired,
    SagaClaimed,
    SagaCompensated,
    SagaCompleted,
    SagaPaused,
    SagaStarted,
    StepStarted,
)
from sagaledger.infrastructure.alert_rules import read_alert_rules
from sagaledger.infrastructure.event_store import MemoryEventStore
from sagaledger.infrastructure.report_files import write_reports
from sagaledger.interface.library.opening import open_ledger
from sagaledger.projections import (
    Alert,
    AlertDirectory,
    SqliteAlertConditions,
    open_projections,
    reports,
)
from sagaledger.testing import ManualClock

from tests.support.commands import json_of, refusal_of, run
from tests.support.ledgers import events_of

HOUR_S = 3600
STARTED = SagaStarted("any", 1, ("start",), {}, 0.0)
HELD = "the condition has cleared"


class World:
    """A log whose events the test writes itself, and a watch over it."""

    def __init__(self, folder: Path) -> None:
        self.log = MemoryEventStore()
        self.clock = ManualClock()
        self.envelope_factory = EnvelopeFactory(self.clock, "worker")
        self.projector = open_projections(None, self.log)
        self.notes = Housekeeping(self.log, self.envelope_factory)
        self.free: float | None = 0.5
        self.rules = folder / "alerts.toml"
        place = WatchedPlace(
            lambda: read_alert_rules(self.rules),
            lambda: self.free,
            lambda: write_reports(folder / "reports", reports(self.projector)),
        )
        self.alerts = AlertDirectory(self.projector)
        conditions = SqliteAlertConditions(self.projector)
        self.watch = Watch(self.alerts, conditions, self.notes, self.clock, place)

    def happen(self, number: int, *events: Event) -> None:
        stream = UUID(int=number)
        self.log.append(
            self.envelope_factory.envelopes(stream, self.log.last_version(stream), 0, events)
        )

    def look(self, *, after_s: float = 0) -> list[Alert]:
        self.clock.sleep(after_s)
        self.watch.look("ann@host")
        return list(AlertDirectory(self.projector).unresolved())

    def events(self) -> list[Event]:
        return [recorded.event for recorded in flattened(self.log.read_log(0, 10_000))]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    with closing(made.projector):
        yield made


def rules_of(alerts: Sequence[Alert]) -> list[tuple[AlertRule, str]]:
    return [(alert.rule, alert.subject) for alert in alerts]


def saga(number: int) -> str:
    return UUID(int=number).hex


def test_quiet_log_has_no_alerts_and_gains_no_events(world: World) -> None:
    world.happen(1, STARTED, SagaClaimed("a", 1, 30.0), SagaCompleted())
    position = world.log.last_position()

    assert world.look(after_s=10 * HOUR_S) == []
    assert world.log.last_position() == position


def test_saga_that_records_nothing_is_stuck_until_it_goes_on(world: World) -> None:
    world.happen(1, STARTED, SagaClaimed("a", 1, 30.0), StepStarted("start", 1))
    assert world.look(after_s=HOUR_S - 1) == []

    (alert,) = world.look(after_s=2)

    assert (alert.rule, alert.subject) == (AlertRule.SAGA_STUCK, saga(1))
    assert (alert.severity, alert.state, alert.count) == (Severity.WARNING, AlertState.OPEN, 1)
    assert alert.message == "step start: nothing was recorded for more than 3600 s"
    world.happen(1, SagaCompleted())
    assert world.look() == []
    assert world.events()[-1] == AlertResolved(alert.id, HELD)


def test_paused_saga_is_not_stuck(world: World) -> None:
    world.happen(1, STARTED, SagaClaimed("a", 1, 30.0), SagaPaused("ann"))

    assert world.look(after_s=10 * HOUR_S) == []


def test_orphan_that_stays_too_long_is_one_alert_per_saga(world: World) -> None:
    for ref in ("a", "b"):
        world.happen(9, OrphanFound(saga(1), "vector", ref, 1, "late"))
    assert world.look(after_s=HOUR_S - 1) == []

    (alert,) = world.look(after_s=2)

    assert (alert.rule, alert.subject) == (AlertRule.ORPHAN_AGE, saga(1))
    assert alert.message.startswith("2 left in vector")
    world.happen(9, *(OrphanRemoved(saga(1), "vector", ref, 1) for ref in ("a", "b")))
    assert world.look() == []


def test_rate_of_rollbacks_counts_sagas_that_ended_within_its_window(world: World) -> None:
    undone: list[Event] = [
        SagaClaimed("a", 1, 30.0),
        RollbackRequired("step_failed", "injected", "start"),
        SagaCompensated(()),
    ]
    for number in range(7):
        world.happen(number, STARTED, SagaClaimed("a", 1, 30.0), SagaCompleted())
    for number in range(7, 9):
        world.happen(number, STARTED, *undone)
    assert world.look() == [], "nine are too few to tell"
    world.happen(9, STARTED, *undone)

    (alert,) = world.look()

    assert rules_of([alert]) == [(AlertRule.ROLLBACK_RATE, "all")]
    assert alert.message == "3 of the last 10 sagas were rolled back (30%)"
    assert world.look(after_s=25 * HOUR_S) == []


def test_saga_taken_over_again_and_again_is_an_alert_but_not_one_that_was_handed_over(
    world: World,
) -> None:
    for number, owners in ((1, "abcd"), (2, "aaaa"), (3, "abc")):
        claims = [SagaClaimed(owner, epoch, 30.0) for epoch, owner in enumerate(owners, 1)]
        world.happen(number, STARTED, *claims, SagaCompleted())

    alerts = world.look()

    assert rules_of(alerts) == [(AlertRule.LEASE_LOST, saga(1))]
    assert alerts[0].message == "taken over from another worker 3 times"


def test_read_models_far_behind_are_an_alert_as_they_are_found(world: World) -> None:
    world.rules.write_text("[projection_lag]\nabove_events = 2\n")
    world.happen(1, STARTED, SagaClaimed("a", 1, 30.0), SagaCompleted())

    alerts = world.look()

    assert {alert.rule for alert in alerts} == {AlertRule.PROJECTION_LAG}
    assert "orphans" in {alert.subject for alert in alerts}
    # The look itself records few events, and the next look finds no more behind than those.
    world.projector.catch_up()
    assert world.look() == []


@pytest.mark.parametrize(("free", "raised"), [(0.04, True), (0.06, False), (None, False)])
def test_disk_with_little_room_is_critical(world: World, free: float | None, raised: bool) -> None:
    world.free = free

    alerts = world.look()

    found = [(AlertRule.DISK_NEARLY_FULL, "data")] if raised else []
    assert rules_of(alerts) == found
    assert all(alert.severity is Severity.CRITICAL for alert in alerts)


def test_alert_that_holds_on_is_recorded_again_once_an_hour_at_most(world: World) -> None:
    world.free = 0.0
    counts = [world.look(after_s=1200)[0].count for _ in range(8)]

    assert counts == [1, 1, 1, 1, 2, 2, 2, 2]
    raised = [event for event in world.events() if isinstance(event, AlertRaised)]
    assert len(raised) == 2


def test_acknowledged_alert_stays_so_while_it_holds_and_is_open_when_it_comes_back(
    world: World,
) -> None:
    world.free = 0.0
    world.look()
    acknowledge(world.alerts, world.notes, "disk", "ann@host", "ordered a disk")

    (alert,) = world.look(after_s=2 * HOUR_S)

    assert (alert.state, alert.acknowledged_by) == (AlertState.ACKNOWLEDGED, "ann@host")
    assert (alert.note, alert.count) == ("ordered a disk", 2)
    world.free = 0.5
    assert world.look() == []
    world.free = 0.0
    (again,) = world.look()
    assert (again.state, again.acknowledged_by, again.note) == (AlertState.OPEN, "", "")
    assert (again.count, again.first_us) == (3, alert.first_us)


def test_acknowledging_an_unknown_ambiguous_or_acknowledged_alert_is_refused(
    world: World,
) -> None:
    world.free = 0.0
    for number in (1, 2):
        world.happen(number, STARTED, SagaClaimed("a", 1, 30.0))
    world.look(after_s=2 * HOUR_S)

    with pytest.raises(NotFoundError, match="no alert with id 'none'"):
        acknowledge(world.alerts, world.notes, "none", "ann", "")
    with pytest.raises(SagaStateError, match="several alerts start with 'saga_stuck'"):
        acknowledge(world.alerts, world.notes, "saga_stuck", "ann", "")
    acknowledge(world.alerts, world.notes, f"saga_stuck:{saga(1)}", "ann", "")
    with pytest.raises(SagaStateError, match="ann has acknowledged"):
        acknowledge(world.alerts, world.notes, f"saga_stuck:{saga(1)}", "bob", "")


def test_changed_rules_are_recorded_once_and_hold_for_what_comes_after(world: World) -> None:
    world.rules.write_text('[disk_nearly_full]\nseverity = "warning"\nfree_below_share = 0.9\n')

    (alert,) = world.look()
    world.look()

    assert alert.severity is Severity.WARNING
    changes = [event for event in world.events() if isinstance(event, AlertRulesSet)]
    assert len(changes) == 1
    assert changes[0].by == "ann@host"
    world.rules.unlink()
    assert world.look() == []
    assert len([event for event in world.events() if isinstance(event, AlertRulesSet)]) == 2


def test_damaged_rules_are_refused_and_the_old_ones_stay(world: World) -> None:
    world.rules.write_text("[nothing]\n")

    with pytest.raises(AlertRulesError):
        world.look()
    assert world.events() == []


def test_alerts_rebuilt_from_the_log_are_the_live_ones(world: World) -> None:
    world.free = 0.0
    world.happen(1, STARTED, SagaClaimed("a", 1, 30.0))
    world.look(after_s=2 * HOUR_S)
    acknowledge(world.alerts, world.notes, "disk", "ann", "seen")
    world.free = 0.5
    world.look(after_s=2 * HOUR_S)

    with closing(open_projections(None, world.log)) as anew:
        assert AlertDirectory(anew).history() == AlertDirectory(world.projector).history()


def test_alerts_command_lists_acknowledges_and_refuses_damaged_rules(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (tmp_path / "words.txt").write_text("words")
    data.mkdir()
    assert run(data, "ingest", tmp_path / "words.txt").returncode == 0
    (data / "alerts.toml").write_text("[disk_nearly_full]\nfree_below_share = 1.0\n")

    (alert,) = json_of(run(data, "alerts", "--json"))
    acknowledged = run(data, "alerts", "ack", "disk", "--note", "ordered a disk")

    assert alert["severity"] == "critical"
    assert acknowledged.stdout.startswith("disk_nearly_full:data: acknowledged by ")
    assert "(ordered a disk)" in run(data, "alerts").stdout
    with open_ledger(data) as ledger:
        assert len(events_of(ledger, AlertAcknowledged)) == 1
    critical = json.loads((data / "reports" / "critical_failures.json").read_text())
    assert [entry["state"] for entry in critical["entries"]] == ["acknowledged"]
    (data / "alerts.toml").write_text("[nothing]\n")
    assert "no rule 'nothing'" in refusal_of(run(data, "alerts"), 2)
    (tmp_path / "more.txt").write_text("more words")
    ingested = run(data, "ingest", tmp_path / "more.txt")
    assert ingested.returncode == 0
    assert "alerts and reports are not up to date: " in ingested.stderr
