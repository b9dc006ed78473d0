"""`AlertList`: alerts from their first occurrence until they are resolved."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.housekeeping.alerts import (
    DEFAULT_RULES,
    Alert,
    AlertRule,
    AlertRules,
    AlertState,
    RuleSetting,
    Severity,
    alert_id_of,
)
from sagaledger.domain.housekeeping.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertResolved,
    AlertRulesSet,
)
from sagaledger.domain.saga.events import (
    CompensationAttempted,
    SagaCompensated,
    SagaCompensationFailed,
    SagaParked,
    SagaResumed,
)
from sagaledger.domain.upload.events import (
    IntegrityFailed,
    IntegrityVerified,
    UploadDiscarded,
)
from sagaledger.domain.values import Parameters
from sagaledger.projections.engine.projector import Projector, Rule, each
from sagaledger.projections.engine.tables import Table, integer, text

__all__ = ["AlertDirectory", "AlertList"]


_WATCHED: tuple[type[Event], ...] = (
    SagaCompensationFailed,
    CompensationAttempted,
    SagaCompensated,
    SagaParked,
    SagaResumed,
    IntegrityFailed,
    IntegrityVerified,
    UploadDiscarded,
    AlertRulesSet,
    AlertRaised,
    AlertResolved,
    AlertAcknowledged,
)


class AlertList:
    """One row per rule and subject."""

    name = "alerts"
    version = 3
    tables = (
        Table(
            "alerts",
            "One alert for people.",
            (
                text("id", "The rule and the subject."),
                text("rule", "The rule that raised it; see `AlertRule`."),
                text("severity", "`warning` or `critical`."),
                text("subject", "The saga, the upload whose check failed, or another subject."),
                text("message", "The message of its last occurrence."),
                integer("count", "The number of occurrences."),
                integer("first_us", "When it first occurred, in µs since 1970 UTC."),
                integer("last_us", "When it last occurred, in µs since 1970 UTC."),
                text("state", "`open`, `acknowledged` or `resolved`."),
                text("acknowledged_by", "Who acknowledged it; empty while nobody has."),
                text("note", "The note of the acknowledgement or the cause of the resolution."),
                integer("resolved_us", "When it was resolved, in µs since 1970 UTC; or 0."),
                integer("position", "The position in the log of its last occurrence."),
            ),
            key=("id",),
            indexes=(("state",), ("position",)),
        ),
        Table(
            "alert_rules",
            "One rule with its last settings; no rows while the defaults apply.",
            (
                text("rule", "The rule; see `AlertRule`."),
                text("severity", "`warning` or `critical`; empty if the rule is disabled."),
                text("limits", "Its limits, as a JSON object; names in `_s` are seconds."),
            ),
            key=("rule",),
        ),
    )

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """The rules for events that raise, acknowledge or resolve alerts."""
        return dict.fromkeys(_WATCHED, each(_apply))


def _apply(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
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
        case SagaParked(_, detail):
            _raise(connection, AlertRule.SAGA_PARKED, recorded, detail)
        case SagaResumed():
            _resolve(connection, AlertRule.SAGA_PARKED, recorded)
        case IntegrityFailed(check, expected, actual):
            message = f"check '{check}': expected {expected}, found {actual}"
            _raise(connection, AlertRule.INTEGRITY_FAILED, recorded, message)
        case IntegrityVerified() | UploadDiscarded():
            _resolve(connection, AlertRule.INTEGRITY_FAILED, recorded)
        case AlertAcknowledged(alert_id, by, note):
            connection.execute(
                "UPDATE alerts SET state=?, acknowledged_by=?, note=? WHERE id=? AND state=?",
                (AlertState.ACKNOWLEDGED, by, note, alert_id, AlertState.OPEN),
            )
        case AlertRaised(alert_id, rule, severity, subject, message):
            _upsert(connection, recorded, (alert_id, rule, severity, subject, message))
        case AlertResolved(alert_id, cause):
            _set_resolved(connection, alert_id, recorded, cause)
        case AlertRulesSet(rules):
            _set_rules(connection, rules)


class AlertDirectory:
    """Finds alerts. Every query first catches up with the log."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def unresolved(self) -> Sequence[Alert]:
        """Every alert that is not resolved, oldest first."""
        return self._find("WHERE state<>? ORDER BY first_us, id", (AlertState.RESOLVED,))

    def history(self) -> Sequence[Alert]:
        """Every alert, including resolved ones, oldest first."""
        return self._find("ORDER BY first_us, id", ())

    def raised_after(self, position: int) -> Sequence[Alert]:
        """Every alert that occurred after a position in the log, for the first time or again."""
        return self._find("WHERE position>? ORDER BY position, id", (position,))

    def rules(self) -> AlertRules:
        """The current rules: the defaults until others are set."""
        rows = self._projector.rows("SELECT rule, severity, limits FROM alert_rules")
        if not rows:
            return DEFAULT_RULES
        return {
            AlertRule(rule): RuleSetting(Severity(severity), json.loads(limits))
            for rule, severity, limits in rows
            if severity
        }

    def _find(self, condition: str, bindings: Sequence[object]) -> Sequence[Alert]:
        columns = (
            "id, rule, severity, subject, message, count, first_us, last_us, state, "
            "acknowledged_by, note, resolved_us, position"
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


def _set_rules(connection: sqlite3.Connection, rules: Parameters) -> None:
    connection.execute("DELETE FROM alert_rules")
    for rule in AlertRule:
        setting = rules.get(rule.value, {})
        assert isinstance(setting, dict)
        severity = setting.get("severity", "")
        limits = {name: value for name, value in sorted(setting.items()) if name != "severity"}
        connection.execute(
            "INSERT INTO alert_rules VALUES (?,?,?)", (rule, severity, json.dumps(limits))
        )


def _raise(
    connection: sqlite3.Connection, rule: AlertRule, recorded: RecordedEvent, message: str
) -> None:
    found = connection.execute("SELECT severity FROM alert_rules WHERE rule=?", (rule,)).fetchone()
    severity = found[0] if found else DEFAULT_RULES[rule].severity
    if severity:
        subject = recorded.originator_id.hex
        row = (alert_id_of(rule, subject), rule, severity, subject, message)
        _upsert(connection, recorded, row)


def _upsert(
    connection: sqlite3.Connection, recorded: RecordedEvent, row: tuple[str, str, str, str, str]
) -> None:
    # A resolved alert that occurs again is reopened; an acknowledged one stays acknowledged.
    connection.execute(
        "INSERT INTO alerts VALUES (?,?,?,?,?,1,?,?,'open','','',0,?) ON CONFLICT (id) DO UPDATE "
        "SET severity=excluded.severity, message=excluded.message, count=count+1, "
        "last_us=excluded.last_us, position=excluded.position, resolved_us=0, "
        "acknowledged_by=CASE state WHEN 'resolved' THEN '' ELSE acknowledged_by END, "
        "note=CASE state WHEN 'resolved' THEN '' ELSE note END, "
        "state=CASE state WHEN 'resolved' THEN 'open' ELSE state END",
        (*row, recorded.at_us, recorded.at_us, recorded.position),
    )


def _resolve(connection: sqlite3.Connection, rule: AlertRule, recorded: RecordedEvent) -> None:
    _set_resolved(connection, alert_id_of(rule, recorded.originator_id.hex), recorded, "")


def _set_resolved(
    connection: sqlite3.Connection, alert_id: str, recorded: RecordedEvent, cause: str
) -> None:
    connection.execute(
        "UPDATE alerts SET state=?1, resolved_us=?2, note=CASE ?3 WHEN '' THEN note ELSE ?3 END "
        "WHERE id=?4 AND state<>?1",
        (AlertState.RESOLVED, recorded.at_us, cause, alert_id),
    )
