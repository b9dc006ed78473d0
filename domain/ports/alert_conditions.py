"""The port that says which limits are exceeded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from sagaledger.domain.housekeeping.alerts import AlertRules, Condition, Surroundings

__all__ = ["AlertConditions"]


class AlertConditions(Protocol):
    """Finds conditions that no single event shows. Each method may raise StorageBackendError."""

    def backlog(self) -> Mapping[str, int]:
        """By read model: the number of events it is behind the log. Updates none of them."""

    def exceeded(self, rules: AlertRules, surroundings: Surroundings) -> Sequence[Condition]:
        """All limits of the rules that are exceeded now."""

    def decided_rollbacks(self) -> Collection[str]:
        """The ids of sagas whose orphans are all adopted or waived."""
