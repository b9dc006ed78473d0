"""The port that says which limits are exceeded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from sagaledger.domain.housekeeping.alerts import AlertRules, Condition, Surroundings

__all__ = ["AlertConditions"]


class AlertConditions(Protocol):
    """Answers what no single event says. Each question may raise StorageBackendError."""

    def backlog(self) -> Mapping[str, int]:
        """By read model: how many events it is behind the log; brings none up to date."""

    def exceeded(self, rules: AlertRules, surroundings: Surroundings) -> Sequence[Condition]:
        """Every limit of the rules that is exceeded now."""

    def decided_rollbacks(self) -> Collection[str]:
        """Ids of sagas all of whose residue somebody has adopted or waived."""
