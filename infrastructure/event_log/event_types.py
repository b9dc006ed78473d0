"""The closed table of stored event types: stable names with versions, and upcasters between them.

A name is never tied to where a class lives, and a stored name is never imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sagaledger.domain import events
from sagaledger.domain.errors import EventTypeUnknownError

__all__ = ["EVENT_TYPES", "EventTypes", "Upcaster"]

Upcaster: TypeAlias = Callable[[list[Any]], list[Any]]
"""From the stored fields of one version to those of the next."""


class EventTypes:
    """Which class each stored type name stands for today, and how older versions get there."""

    def __init__(
        self,
        current: Mapping[str, type[Any]],
        upcasters: Mapping[str, tuple[str, Upcaster]] | None = None,
    ) -> None:
        """Build a table.

        Args:
            current: today's classes by type name.
            upcasters: by an older type name, the next type name and how to get there.
        """
        self._classes = dict(current)
        self._names = {event_class: name for name, event_class in self._classes.items()}
        self._upcasters = dict(upcasters or {})

    @property
    def classes(self) -> Mapping[str, type[Any]]:
        """Today's classes by type name."""
        return self._classes

    def name_of(self, event_class: type[Any]) -> str:
        """The type name that an event is stored under."""
        return self._names[event_class]

    def resolve(self, type_name: str, fields: list[Any]) -> tuple[type[Any], list[Any]]:
        """Today's class and fields for a stored event of any version.

        Raises:
            EventTypeUnknownError: the table has no such name.
        """
        while type_name not in self._classes:
            if type_name not in self._upcasters:
                raise EventTypeUnknownError(type_name)
            type_name, upcast = self._upcasters[type_name]
            fields = upcast(fields)
        return self._classes[type_name], fields


EVENT_TYPES = EventTypes(
    {
        "upload-started/1": events.UploadStarted,
        "chunk-written/1": events.ChunkWritten,
        "upload-interrupted/1": events.UploadInterrupted,
        "upload-resumed/1": events.UploadResumed,
        "upload-completed/1": events.UploadCompleted,
        "integrity-verified/1": events.IntegrityVerified,
        "integrity-failed/1": events.IntegrityFailed,
        "chunks-deleted/1": events.ChunksDeleted,
        "chunk-deletion-failed/1": events.ChunkDeletionFailed,
        "upload-discarded/1": events.UploadDiscarded,
        "saga-started/1": events.SagaStarted,
        "saga-claimed/1": events.SagaClaimed,
        "step-started/1": events.StepStarted,
        "step-completed/1": events.StepCompleted,
        "step-failed/1": events.StepFailed,
        "retry-scheduled/1": events.RetryScheduled,
        "rollback-required/1": events.RollbackRequired,
        "compensation-attempted/1": events.CompensationAttempted,
        "commit-decided/1": events.CommitDecided,
        "saga-completed/1": events.SagaCompleted,
        "saga-compensated/1": events.SagaCompensated,
        "saga-compensation-failed/1": events.SagaCompensationFailed,
        "saga-cancelled/1": events.SagaCancelled,
        "saga-paused/1": events.SagaPaused,
        "saga-resumed/1": events.SagaResumed,
        "saga-set-aside/1": events.SagaSetAside,
        "orphan-found/1": events.OrphanFound,
        "orphan-removed/1": events.OrphanRemoved,
        "alert-acknowledged/1": events.AlertAcknowledged,
    }
)
