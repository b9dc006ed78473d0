"""The closed table of stored event types: stable names with versions, and upcasters between them.

A name does not depend on the module of a class, and a stored name is never imported. To change an
event, give its new shape the next version's name and keep the old name with an upcaster
(decision 0002).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sagaledger.domain.document import events as document
from sagaledger.domain.history.errors import EventTypeUnknownError
from sagaledger.domain.history.facts import FactRecorded
from sagaledger.domain.housekeeping import events as housekeeping
from sagaledger.domain.saga import events as saga
from sagaledger.domain.upload import events as upload

__all__ = ["EVENT_TYPES", "EventTypes", "Upcaster"]

Upcaster: TypeAlias = Callable[[list[Any]], list[Any]]
"""From the stored fields of one version to those of the next. The fields are unchecked:
an exception is reported as damage, and the result is checked against the class."""


class EventTypes:
    """The current class of each stored type name, and the upcasters of older versions."""

    def __init__(
        self,
        current: Mapping[str, type[Any]],
        upcasters: Mapping[str, tuple[str, Upcaster]] | None = None,
    ) -> None:
        """Build a table.

        Args:
            current: the current classes by type name.
            upcasters: by an older type name, the next type name and the upcaster.

        Raises:
            ValueError: A class has two names, or an older type does not lead to a current one.
        """
        self._classes = dict(current)
        self._names = {event_class: name for name, event_class in self._classes.items()}
        self._upcasters = dict(upcasters or {})
        if len(self._names) != len(self._classes):
            raise ValueError("a class is stored under one name only")
        for name in self._upcasters:
            self._check_leads_to_current(name)

    @property
    def classes(self) -> Mapping[str, type[Any]]:
        """The current classes by type name."""
        return self._classes

    @property
    def names(self) -> frozenset[str]:
        """All readable type names: the current and the older ones."""
        return frozenset(self._classes) | frozenset(self._upcasters)

    def name_of(self, event_class: type[Any]) -> str:
        """The stored type name of an event."""
        return self._names[event_class]

    def resolve(self, type_name: str, fields: list[Any]) -> tuple[type[Any], list[Any]]:
        """The current class and fields of a stored event of any version.

        Raises:
            EventTypeUnknownError: The table has no such name.
        """
        while type_name not in self._classes:
            if type_name not in self._upcasters:
                raise EventTypeUnknownError(type_name)
            type_name, upcast = self._upcasters[type_name]
            fields = upcast(fields)
        return self._classes[type_name], fields

    def _check_leads_to_current(self, type_name: str) -> None:
        if type_name in self._classes:
            raise ValueError(f"{type_name} is current and must have no upcaster")
        passed: list[str] = []
        while type_name in self._upcasters and type_name not in passed:
            passed.append(type_name)
            type_name = self._upcasters[type_name][0]
        if type_name not in self._classes:
            raise ValueError(f"{' -> '.join([*passed, type_name])} does not end at a current type")


EVENT_TYPES = EventTypes(
    {
        "fact-recorded/1": FactRecorded,
        "upload-started/1": upload.UploadStarted,
        "chunk-written/1": upload.ChunkWritten,
        "upload-interrupted/1": upload.UploadInterrupted,
        "upload-resumed/1": upload.UploadResumed,
        "upload-completed/1": upload.UploadCompleted,
        "integrity-verified/1": upload.IntegrityVerified,
        "integrity-failed/1": upload.IntegrityFailed,
        "chunks-deleted/1": upload.ChunksDeleted,
        "chunk-deletion-failed/1": upload.ChunkDeletionFailed,
        "upload-discarded/1": upload.UploadDiscarded,
        "document-secured/1": document.DocumentSecured,
        "document-indexed/1": document.DocumentIndexed,
        "document-committed/1": document.DocumentCommitted,
        "document-hidden/1": document.DocumentHidden,
        "document-deleted/1": document.DocumentDeleted,
        "document-withdrawn/1": document.DocumentWithdrawn,
        "saga-started/1": saga.SagaStarted,
        "saga-claimed/1": saga.SagaClaimed,
        "step-started/1": saga.StepStarted,
        "step-completed/1": saga.StepCompleted,
        "step-failed/1": saga.StepFailed,
        "retry-scheduled/1": saga.RetryScheduled,
        "rollback-required/1": saga.RollbackRequired,
        "compensation-attempted/1": saga.CompensationAttempted,
        "commit-decided/1": saga.CommitDecided,
        "saga-completed/1": saga.SagaCompleted,
        "saga-compensated/1": saga.SagaCompensated,
        "saga-compensation-failed/1": saga.SagaCompensationFailed,
        "saga-cancelled/1": saga.SagaCancelled,
        "saga-paused/1": saga.SagaPaused,
        "saga-resumed/1": saga.SagaResumed,
        "saga-set-aside/1": saga.SagaParked,
        "orphan-found/1": housekeeping.OrphanFound,
        "orphan-removed/1": housekeeping.OrphanRemoved,
        "orphan-removal-failed/1": housekeeping.OrphanRemovalFailed,
        "orphan-retry-requested/1": housekeeping.OrphanRetryRequested,
        "orphan-adopted/1": housekeeping.OrphanAdopted,
        "orphan-waived/1": housekeeping.OrphanWaived,
        "alert-rules-set/1": housekeeping.AlertRulesSet,
        "alert-raised/1": housekeeping.AlertRaised,
        "alert-resolved/1": housekeeping.AlertResolved,
        "alert-acknowledged/1": housekeeping.AlertAcknowledged,
    }
)
