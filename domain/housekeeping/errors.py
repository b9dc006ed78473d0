"""The errors of alert rules."""

from __future__ import annotations

from sagaledger.domain.errors import SagaledgerError

__all__ = ["AlertRulesError"]


class AlertRulesError(SagaledgerError):
    """The file of alert rules is invalid."""
