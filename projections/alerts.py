"""`AlertList`: what a person has to look at, from when it was first seen until it is resolved."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sagaledger.domain.events import (
    AlertAcknowledged,
    CompensationAttempted,
    Event,
    IntegrityFailed,
    IntegrityVerified,
    Recorded,
    SagaCompensated,
    SagaCompensationFailed,
    SagaResumed,
    SagaSetAside,
    UploadDiscarded,
)
from sagaledger.projections.engine import Projector, Rule, each
from sagaledger.projections.tables import Table, integer, text

__all__ = ["Alert", "AlertDirectory", "AlertList", "AlertRule", "AlertState", "Severity"]


class Severity(StrEnum):
    """How much an alert matters."""

    WARNING = "warning"
    CRITICAL = "critical"


class AlertRule(StrEnum):
    """What an alert is about."""

    ROLLBACK_FAILED = "rollback_failed"
    """A rollback ended with something left."""
    PARTIAL_ROLLBACK = "partial_rollback"
    """One try to undo a step left something; more tries follow."""
    INTEGRITY_FAILED = "integrity_failed"
    """What a store holds is not what was sent to it, or that could not be found out."""
    SAGA_SET_ASIDE = "saga_set_aside"
    """A saga ended its recoveries again and again."""


class AlertState(StrEnum):
    """How far an alert has come."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


_WATCHED: tuple[type[Event], ...] = (
    SagaCompensationFailed,
    CompensationAttempted,
    SagaCompensated,
    SagaSetAside,
    SagaResumed,
    IntegrityFailed,
    IntegrityVerified,
    UploadDiscarded,
    AlertAcknowledged,
)
_SEVERITIES = {
    AlertRule.ROLLBACK_FAILED: Severity.CRITICAL,
    AlertRule.PARTIAL_ROLLBACK: Severity.WARNING,
    AlertRule.INTEGRITY_FAILED: Severity.WARNING,
    AlertRule.SAGA_SET_ASIDE: Severity.CRITICAL,
}


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to look at; the same thing seen again is the same alert with a higher count."""

    id: str
    """The rule and the subject."""
    rule: AlertRule
    severity: Severity
    subject: str
    """The id of the saga, or of the upload where a check failed."""
    message: str
    count: int
    first_us: int
    last_us: int
    state: AlertState
    acknowledged_by: str
    position: int
    """Where in the log it was last seen."""


class AlertList:
    """One row per rule and subject."""

    name = "alerts"
    version = 2
    tables = (
        Table(
            "alerts",
            "One thing that a person has to look at, or had to.",
            (
                text("id", "The rule and the subject."),
                text("rule", "What it is about; see `AlertRule`."),
                text("severity", "`warning` or `critical`."),
                text("subject", "The id of the saga, or of the upload where a check failed."),
                text("message", "What was seen last."),
                integer("count", "How often it was seen."),
                integer("first_us", "When it was first seen, in µs since 1970 UTC."),
                integer("last_us", "When it was last seen, in µs since 1970 UTC."),
                text("state", "`open`, `acknowledged` or `resolved`."),
                text("acknowledged_by", "Who has acknowledged it; empty while nobody has."),
                integer("position", "Where in the log it was last seen."),
            ),
            key=("id",),
        ),
    )

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """Which events raise, acknowledge or resolve alerts."""
        return dict.fromkeys(_WATCHED, each(_apply))


def _apply(connection: sqlite3.Connection, recorded: Recorded) -> None:
    match recorded.event:
        case SagaCompensationFailed(steps):
            message = f"the rollback left something in: {', '.join(steps)}"
            _raise(connection, AlertRule.ROLLBACK_FAILED, recorded, message)
        case CompensationAttempted(step, residue=residue, error=error) if residue or error:
            left = f"{len(residue)} left in {step}" if residue else f"undo of {step} failed"
            message = f"{left}: {error}" if error else left
            _raise(connection, AlertRule.PARTIAL_ROLLBACK, recorded, message)
        case SagaCompensated():
            for rule in (AlertRule.ROLLBACK_FAILED, AlertRule.PARTIAL_ROLLBACK):
                _resolve(connection, rule, recorded)
        case SagaSetAside(_, detail):
            _raise(connection, AlertRule.SAGA_SET_ASIDE, recorded, detail)
        case SagaResumed():
            _resolve(connection, AlertRule.SAGA_SET_ASIDE, recorded)
        case IntegrityFailed(check, expected, actual):
            message = f"check '{check}': expected {expected}, found {actual}"
            _raise(connection, AlertRule.INTEGRITY_FAILED, recorded, message)
        case IntegrityVerified() | UploadDiscarded():
            _resolve(connection, AlertRule.INTEGRITY_FAILED, recorded)
        case AlertAcknowledged(alert_id, by):
            connection.execute(
                "UPDATE alerts SET state=?, acknowledged_by=? WHERE id=? AND state=?",
                (AlertState.ACKNOWLEDGED, by, alert_id, AlertState.OPEN),
            )


class AlertDirectory:
    """Finds alerts, always up to date with the log when asked."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def unresolved(self) -> Sequence[Alert]:
        """What is to be looked at, oldest first."""
        return self._find("WHERE state<>? ORDER BY first_us, id", (AlertState.RESOLVED,))

    def history(self) -> Sequence[Alert]:
        """Every alert there was, oldest first."""
        return self._find("ORDER BY first_us, id", ())

    def raised_after(self, position: int) -> Sequence[Alert]:
        """What was seen, for the first time or again, after a position of the log."""
        return self._find("WHERE position>? ORDER BY position, id", (position,))

    def _find(self, condition: str, bindings: Sequence[object]) -> Sequence[Alert]:
        columns = (
            "id, rule, severity, subject, message, count, first_us, last_us, state, "
            "acknowledged_by, position"
        )
        return [
            Alert(
                **{
                    **dict(row),
                    "rule": AlertRule(row["rule"]),
                    "severity": Severity(row["severity"]),
                    "state": AlertState(row["state"]),
                }
            )
            for row in self._projector.rows(f"SELECT {columns} FROM alerts {condition}", bindings)
        ]


def _raise(
    connection: sqlite3.Connection, rule: AlertRule, recorded: Recorded, message: str
) -> None:
    subject = recorded.originator_id.hex
    # What is seen again after it was resolved is open again; what was acknowledged stays so.
    connection.execute(
        "INSERT INTO alerts VALUES (?,?,?,?,?,1,?,?,'open','',?) ON CONFLICT (id) DO UPDATE SET "
        "message=excluded.message, count=count+1, last_us=excluded.last_us, "
        "position=excluded.position, acknowledged_by=CASE state WHEN 'resolved' THEN '' "
        "ELSE acknowledged_by END, state=CASE state WHEN 'resolved' THEN 'open' ELSE state END",
        (
            f"{rule}:{subject}",
            rule,
            _SEVERITIES[rule],
            subject,
            message,
            recorded.at_us,
            recorded.at_us,
            recorded.position,
        ),
    )


def _resolve(connection: sqlite3.Connection, rule: AlertRule, recorded: Recorded) -> None:
    connection.execute(
        "UPDATE alerts SET state=? WHERE id=?",
        (AlertState.RESOLVED, f"{rule}:{recorded.originator_id.hex}"),
    )
