"""Optimistic append: decide on the newest state; on a conflict, reload and decide again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sagaledger.application.engine.failures import add_failures, annotate
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.errors import VersionConflictError

__all__ = ["MAX_CONFLICTS", "append_decided"]

MAX_CONFLICTS = 100
"""The number of conflicts after which an append fails."""


def append_decided(
    subject: str,
    decide: Callable[[], Sequence[RecordedEvent]],
    append: Callable[[Sequence[RecordedEvent]], object],
    on_conflict: Callable[[VersionConflictError], object] = lambda _: None,
) -> Sequence[RecordedEvent]:
    """Append the events that the decision returns for the newest state, if it returns any.

    Args:
        subject: the owner of the events, for the error message, such as `saga 12ab…`.
        decide: reads the current state and returns events in their envelopes.
        append: stores the events.
        on_conflict: called before the decision is repeated. It raises to prevent that.

    Returns:
        The stored events.

    Raises:
        VersionConflictError: Other appends came first a hundred times.
        StorageBackendError: The event store cannot be written; nothing was stored. The failures
            among the events are the notes of this error.
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
    raise VersionConflictError(f"{subject}: conflict in each of {MAX_CONFLICTS} attempts")
