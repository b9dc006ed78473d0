"""Raises and resolves alerts, and keeps the reports up to date."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from sagaledger.application.housekeeping.notes import ALERTS, Housekeeping
from sagaledger.domain.errors import NotFoundError, SagaledgerError
from sagaledger.domain.history.envelope import Event
from sagaledger.domain.housekeeping.alerts import (
    Alert,
    AlertRule,
    AlertRules,
    AlertState,
    Condition,
    Surroundings,
    alert_id_of,
    stored_rules,
)
from sagaledger.domain.housekeeping.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertResolved,
    AlertRulesSet,
)
from sagaledger.domain.saga.errors import SagaStateError

if TYPE_CHECKING:
    from sagaledger.domain.ports.alert_conditions import AlertConditions
    from sagaledger.domain.ports.alert_directory import AlertDirectory
    from sagaledger.domain.ports.clock import Clock

__all__ = ["Watch", "WatchedPlace", "acknowledge"]

_logger = logging.getLogger(__name__)
_SEEN_AGAIN_AFTER_US = 3_600_000_000
_AS_EVENTS = {
    AlertRule.ROLLBACK_FAILED,
    AlertRule.PARTIAL_ROLLBACK,
    AlertRule.INTEGRITY_FAILED,
    AlertRule.SAGA_PARKED,
}
"""Rules whose alerts follow from single events, without a check."""


@dataclass(frozen=True, slots=True)
class WatchedPlace:
    """The inputs of a watch outside the log."""

    rules: Callable[[], AlertRules]
    """The configured rules; raises AlertRulesError if they are invalid."""
    free_share: Callable[[], float | None]
    """The share of the disk that is free; None if it is unknown."""
    write_reports: Callable[[], None]
    """Brings the reports up to date with the log; raises OSError if that fails."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Checks conditions that no single event shows, and records alerts for them."""

    alerts: AlertDirectory
    conditions: AlertConditions
    notes: Housekeeping
    clock: Clock
    place: WatchedPlace

    def look(self, by: str) -> None:
        """Raise and resolve the alerts that depend on time or on the disk, and write the reports.

        Raises:
            AlertRulesError: The file of rules is invalid; nothing was checked.
            StorageBackendError: The log or the read models cannot be read or written.
        """
        # The next query of the read models brings them up to date.
        backlog = self.conditions.backlog()
        rules = self.place.rules()
        if stored_rules(rules) != stored_rules(self.alerts.rules()):
            self.notes.record(ALERTS, [AlertRulesSet(stored_rules(rules), by)])
        surroundings = Surroundings(self.clock.now_us(), backlog, self.place.free_share())
        found = self.conditions.exceeded(rules, surroundings)
        known = {alert.id: alert for alert in self.alerts.unresolved()}
        holding = {alert_id_of(condition.rule, condition.subject): condition for condition in found}
        for alert_id, condition in holding.items():
            if self._is_news(known.get(alert_id), surroundings.now_us):
                severity = rules[condition.rule].severity
                self._record(alert_id, _raised(alert_id, severity, condition))
        for alert in known.values():
            if alert.rule not in _AS_EVENTS and alert.id not in holding:
                self._record(alert.id, AlertResolved(alert.id, "the condition has cleared"))
        self._resolve_decided(known.values())
        self.report()

    def report(self) -> None:
        """Bring the report files up to date with the log; a failure is logged."""
        try:
            self.place.write_reports()
        except (OSError, SagaledgerError) as error:
            # Readers see the old reports. The reported work must not fail because of them.
            _logger.warning("reports cannot be written: %s", error)

    def _is_news(self, alert: Alert | None, now_us: int) -> bool:
        return alert is None or now_us - alert.last_us > _SEEN_AGAIN_AFTER_US

    def _resolve_decided(self, alerts: Collection[Alert]) -> None:
        """Resolve the alerts of rollbacks whose orphans are all adopted or waived."""
        decided = self.conditions.decided_rollbacks()
        for alert in alerts:
            about_rollback = alert.rule in (AlertRule.ROLLBACK_FAILED, AlertRule.PARTIAL_ROLLBACK)
            if about_rollback and alert.subject in decided:
                cause = "the residue was adopted or waived"
                self._record(alert.id, AlertResolved(alert.id, cause))

    def _record(self, alert_id: str, event: Event) -> None:
        self.notes.record(_stream_of(alert_id), [event])


def acknowledge(
    alerts: AlertDirectory, notes: Housekeeping, given: str, by: str, note: str
) -> Alert:
    """Acknowledge an alert, given by its id or the start of its id.

    Raises:
        NotFoundError: No unresolved alert matches.
        SagaStateError: Several match, or the alert is already acknowledged.
        StorageBackendError: The log cannot be written.
    """
    unresolved = alerts.unresolved()
    fitting = [alert for alert in unresolved if given and alert.id.startswith(given)]
    chosen = [alert for alert in fitting if alert.id == given] or fitting
    if not chosen:
        raise NotFoundError("alert", given)
    if len(chosen) > 1:
        raise SagaStateError(f"several alerts start with {given!r}: give the whole id")
    (alert,) = chosen
    if alert.state is AlertState.ACKNOWLEDGED:
        raise SagaStateError(f"{alert.acknowledged_by} has acknowledged {alert.id} already")
    notes.record(_stream_of(alert.id), [AlertAcknowledged(alert.id, by, note)])
    return alert


def _raised(alert_id: str, severity: str, condition: Condition) -> AlertRaised:
    return AlertRaised(alert_id, condition.rule, severity, condition.subject, condition.message)


def _stream_of(alert_id: str) -> UUID:
    return uuid5(ALERTS, alert_id)
