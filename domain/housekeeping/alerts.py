"""Alerts for people, and the rules that raise them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from types import MappingProxyType

from sagaledger.domain.housekeeping.errors import AlertRulesError
from sagaledger.domain.values import Parameters, Value

__all__ = [
    "DEFAULT_RULES",
    "Alert",
    "AlertRule",
    "AlertRules",
    "AlertState",
    "Condition",
    "RuleSetting",
    "Severity",
    "Surroundings",
    "alert_id_of",
    "rules_from",
    "stored_rules",
]


class Severity(StrEnum):
    """How serious an alert is."""

    WARNING = "warning"
    CRITICAL = "critical"


class AlertRule(StrEnum):
    """The condition that raises an alert."""

    ROLLBACK_FAILED = "rollback_failed"
    """A rollback ended with residue."""
    PARTIAL_ROLLBACK = "partial_rollback"
    """One attempt to undo a step left residue; more attempts follow."""
    INTEGRITY_FAILED = "integrity_failed"
    """The stored chunks differ from the sent file, or could not be verified."""
    SAGA_PARKED = "saga_set_aside"
    """A saga failed in several recoveries and is parked."""
    ROLLBACK_RATE = "rollback_rate"
    """Too large a share of the recently ended sagas was rolled back."""
    ORPHAN_AGE = "orphan_age"
    """An orphan has been on the list for too long."""
    SAGA_STUCK = "saga_stuck"
    """An open saga has recorded nothing for too long."""
    LEASE_LOST = "lease_lost"
    """A saga was taken over from other workers too often."""
    PROJECTION_LAG = "projection_lag"
    """The read models are too far behind the log."""
    DISK_NEARLY_FULL = "disk_nearly_full"
    """The disk of the data folder has little free space."""


class AlertState(StrEnum):
    """The state of an alert."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; another occurrence with the same rule and subject only increases the count."""

    id: str
    """The rule and the subject."""
    rule: AlertRule
    severity: Severity
    subject: str
    """The id of the saga or of the upload, or another subject of the rule."""
    message: str
    count: int
    first_us: int
    last_us: int
    state: AlertState
    acknowledged_by: str
    note: str
    """The note of the acknowledgement, or the cause of the resolution."""
    resolved_us: int
    position: int
    """The log position of its last occurrence."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A limit that is exceeded."""

    rule: AlertRule
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Facts from outside the read models."""

    now_us: int
    """Wall time, in µs since 1970 UTC."""
    backlog: Mapping[str, int]
    """By read model: the number of events it was behind the log, before any update."""
    free_share: float | None
    """The share of the disk that is free; None if it is unknown."""


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """The severity and limits of a rule."""

    severity: Severity
    limits: Mapping[str, float] = field(default_factory=dict)
    """The limits by name; those that end in `_s` are in seconds."""


AlertRules = Mapping[AlertRule, RuleSetting]
"""The enabled rules."""

_DAY_S = 86_400.0

DEFAULT_RULES: AlertRules = MappingProxyType(
    {
        AlertRule.ROLLBACK_FAILED: RuleSetting(Severity.CRITICAL),
        AlertRule.PARTIAL_ROLLBACK: RuleSetting(Severity.WARNING),
        AlertRule.INTEGRITY_FAILED: RuleSetting(Severity.WARNING),
        AlertRule.SAGA_PARKED: RuleSetting(Severity.CRITICAL),
        AlertRule.ROLLBACK_RATE: RuleSetting(
            Severity.WARNING, {"above_share": 0.2, "window_s": _DAY_S, "at_least": 10}
        ),
        AlertRule.ORPHAN_AGE: RuleSetting(Severity.WARNING, {"older_than_s": 3600.0}),
        AlertRule.SAGA_STUCK: RuleSetting(Severity.WARNING, {"older_than_s": 3600.0}),
        AlertRule.LEASE_LOST: RuleSetting(Severity.WARNING, {"at_least": 3, "window_s": _DAY_S}),
        AlertRule.PROJECTION_LAG: RuleSetting(Severity.WARNING, {"above_events": 100_000}),
        AlertRule.DISK_NEARLY_FULL: RuleSetting(Severity.CRITICAL, {"free_below_share": 0.05}),
    }
)


def alert_id_of(rule: str, subject: str) -> str:
    """The id of an alert. Alerts with the same rule and subject are the same alert."""
    return f"{rule}:{subject}"


def rules_from(changes: Mapping[str, object]) -> AlertRules:
    """The default rules with the changes of a file.

    Raises:
        AlertRulesError: a rule or a limit does not exist, or a value is invalid.
    """
    known = {rule.value for rule in AlertRule}
    for name in changes:
        if name not in known:
            raise AlertRulesError(f"no rule {name!r}; there are {', '.join(sorted(known))}")
    rules: dict[AlertRule, RuleSetting] = {}
    for rule, default in DEFAULT_RULES.items():
        setting = _changed(rule, default, changes.get(rule.value, {}))
        if setting is not None:
            rules[rule] = setting
    return rules


def _changed(rule: AlertRule, default: RuleSetting, change: object) -> RuleSetting | None:
    if not isinstance(change, Mapping):
        raise AlertRulesError(f"[{rule}] must be a table")
    severity, limits, enabled = default.severity, dict(default.limits), True
    for name, value in change.items():
        if name == "enabled" and isinstance(value, bool):
            enabled = value
        elif name == "severity" and value in set(Severity):
            severity = Severity(value)
        elif name in limits:
            limits[name] = _limit(rule, name, value)
        else:
            choices = ", ".join(["enabled = true or false", "severity = warning or critical"])
            numbers = "".join(f", {limit} = a number" for limit in limits)
            raise AlertRulesError(f"[{rule}] {name} = {value!r}: it takes {choices}{numbers}")
    return RuleSetting(severity, limits) if enabled else None


def _limit(rule: AlertRule, name: str, value: object) -> float:
    wrong = AlertRulesError(f"[{rule}] {name} = {value!r}: it takes a number of 0 or more")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong
    try:
        number = float(value)
    except OverflowError as error:
        raise wrong from error
    if not isfinite(number) or number < 0:
        raise wrong
    return number


def stored_rules(rules: AlertRules) -> Parameters:
    """The rules as plain data for the log."""
    stored: dict[str, Value] = {}
    for rule, setting in rules.items():
        limits: dict[str, Value] = {name: float(value) for name, value in setting.limits.items()}
        stored[rule.value] = {"severity": setting.severity.value, **limits}
    return stored
