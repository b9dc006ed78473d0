"""The errors of alert rules."""

from __future__ import annotations

from sagaledger.domain.errors import SagaledgerError

__all__ = ["AlertRulesError"]


class AlertRulesError(SagaledgerError):
    """The rules for alerts are not as they have to be."""
