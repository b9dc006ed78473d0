"""Appending what was decided on the newest state, and deciding anew where it was not the newest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sagaledger.application.engine.failures import add_failures, annotate
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.errors import VersionConflictError

__all__ = ["MAX_CONFLICTS", "append_decided"]

MAX_CONFLICTS = 100
"""How often a decision is taken anew because another append came first."""


def append_decided(
    subject: str,
    decide: Callable[[], Sequence[RecordedEvent]],
    append: Callable[[Sequence[RecordedEvent]], object],
    on_conflict: Callable[[VersionConflictError], object] = lambda _: None,
) -> Sequence[RecordedEvent]:
    """Append what the decision says of the newest state; nothing if it says nothing.

    Args:
        subject: whose events they are, for the error: `saga 12ab…`.
        decide: looks at the state as it is now and returns events in their envelopes.
        append: stores them.
        on_conflict: called before the decision is taken anew. It raises if it cannot be.

    Returns:
        What was stored.

    Raises:
        VersionConflictError: other appends came first a hundred times.
        StorageBackendError: the event store cannot be written; nothing was stored. The failures
            among the events are its notes.
    """
    for _ in range(MAX_CONFLICTS):
        recorded = decide()
        if not recorded:
            return recorded
        try:
            append(recorded)
        except VersionConflictError as conflict:
            with annotate(item.event for item in recorded):
                on_conflict(conflict)
        except Exception as error:
            add_failures(error, (item.event for item in recorded))
            raise
        else:
            return recorded
    raise VersionConflictError(f"{subject}: gave up after {MAX_CONFLICTS} tries")
