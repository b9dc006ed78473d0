"""Conditions that no single event shows: limits that are exceeded at the time of a check."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

from sagaledger.domain.housekeeping.alerts import AlertRule, AlertRules, Condition, Surroundings
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.projections.engine.projector import Projector

__all__ = ["SqliteAlertConditions"]

_OPEN = ",".join(f"'{status.value}'" for status in SagaStatus if status.is_open)
_US = 1_000_000


_Found: TypeAlias = Iterator[tuple[str, str]]
_Check: TypeAlias = Callable[[Projector, Mapping[str, float], Surroundings], _Found]


class SqliteAlertConditions:
    """Finds exceeded limits. Every query first catches up with the log."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def backlog(self) -> Mapping[str, int]:
        """By read model: the number of events it is behind the log. Updates none of them."""
        return {lag.name: lag.behind for lag in self._projector.lags()}

    def exceeded(self, rules: AlertRules, surroundings: Surroundings) -> Sequence[Condition]:
        """All limits of the rules that are exceeded now."""
        return [
            Condition(rule, subject, message)
            for rule, check in _CHECKS.items()
            if rule in rules
            for subject, message in check(self._projector, rules[rule].limits, surroundings)
        ]

    def decided_rollbacks(self) -> Collection[str]:
        """The ids of sagas whose orphans are all adopted or waived."""
        rows = self._projector.rows(
            "SELECT saga_id FROM orphans WHERE listed=1 GROUP BY saga_id "
            "HAVING sum(state='open')=0 AND sum(state IN ('adopted', 'waived'))>0"
        )
        return {saga_id for (saga_id,) in rows}


def _rollback_rate(
    projector: Projector, limits: Mapping[str, float], surroundings: Surroundings
) -> _Found:
    since_us = surroundings.now_us - round(limits["window_s"] * _US)
    ((ended, rolled_back),) = projector.rows(
        "SELECT count(*), coalesce(sum(reason<>''), 0) FROM rollbacks "
        "WHERE outcome<>'' AND ended_us>?",
        (since_us,),
    )
    if ended >= limits["at_least"] and ended and rolled_back / ended > limits["above_share"]:
        share = f"{rolled_back / ended:.0%}"
        yield "all", f"{rolled_back} of the last {ended} sagas were rolled back ({share})"


def _orphan_age(
    projector: Projector, limits: Mapping[str, float], surroundings: Surroundings
) -> _Found:
    before_us = surroundings.now_us - round(limits["older_than_s"] * _US)
    for saga_id, count, store in projector.rows(
        "SELECT saga_id, count(*), min(store) FROM orphans WHERE listed=1 AND state='open' "
        "AND since_us<? GROUP BY saga_id ORDER BY saga_id",
        (before_us,),
    ):
        limit = f"{limits['older_than_s']:g} s"
        yield saga_id, f"{count} left in {store} for more than {limit}"


def _saga_stuck(
    projector: Projector, limits: Mapping[str, float], surroundings: Surroundings
) -> _Found:
    before_us = surroundings.now_us - round(limits["older_than_s"] * _US)
    for saga_id, step in projector.rows(
        f"SELECT saga_id, step FROM sagas WHERE status IN ({_OPEN}) AND paused=0 "
        "AND changed_us<? ORDER BY saga_id",
        (before_us,),
    ):
        limit = f"{limits['older_than_s']:g} s"
        yield saga_id, f"step {step or '-'}: nothing was recorded for more than {limit}"


def _lease_lost(
    projector: Projector, limits: Mapping[str, float], surroundings: Surroundings
) -> _Found:
    since_us = surroundings.now_us - round(limits["window_s"] * _US)
    for saga_id, count in projector.rows(
        "SELECT saga_id, count(*) FROM claims WHERE taken_over=1 AND claimed_us>? "
        "GROUP BY saga_id HAVING count(*)>=? ORDER BY saga_id",
        (since_us, max(1, limits["at_least"])),
    ):
        yield saga_id, f"taken over from another worker {count} times"


def _projection_lag(
    _projector: Projector, limits: Mapping[str, float], surroundings: Surroundings
) -> _Found:
    for name, behind in surroundings.backlog.items():
        if behind > limits["above_events"]:
            yield name, f"more than {limits['above_events']:g} events behind the log"


def _disk_nearly_full(
    _projector: Projector, limits: Mapping[str, float], surroundings: Surroundings
) -> _Found:
    free = surroundings.free_share
    if free is not None and free < limits["free_below_share"]:
        yield (
            "data",
            f"less than {limits['free_below_share']:.0%} of its disk is free",
        )


_CHECKS: Mapping[AlertRule, _Check] = {
    AlertRule.ROLLBACK_RATE: _rollback_rate,
    AlertRule.ORPHAN_AGE: _orphan_age,
    AlertRule.SAGA_STUCK: _saga_stuck,
    AlertRule.LEASE_LOST: _lease_lost,
    AlertRule.PROJECTION_LAG: _projection_lag,
    AlertRule.DISK_NEARLY_FULL: _disk_nearly_full,
}
