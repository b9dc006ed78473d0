"""The port that finds alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sagaledger.domain.housekeeping.alerts import Alert, AlertRules

__all__ = ["AlertDirectory"]


class AlertDirectory(Protocol):
    """Finds alerts without replaying the log. Always up to date with the log when asked."""

    def rules(self) -> AlertRules:
        """The rules that hold now."""

    def unresolved(self) -> Sequence[Alert]:
        """What is to be looked at, oldest first."""
