"""The port that finds alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sagaledger.domain.housekeeping.alerts import Alert, AlertRules

__all__ = ["AlertDirectory"]


class AlertDirectory(Protocol):
    """Finds alerts without replaying the log. Every query first catches up with the log."""

    def rules(self) -> AlertRules:
        """The current rules."""

    def unresolved(self) -> Sequence[Alert]:
        """The unresolved alerts, oldest first."""
