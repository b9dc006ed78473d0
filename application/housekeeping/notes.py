"""Records decisions about orphans and alerts, by people and by sweeps, in streams of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.engine.optimistic_append import append_decided
from sagaledger.domain.errors import NotFoundError
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.housekeeping.events import (
    HousekeepingEvent,
    OrphanAdopted,
    OrphanWaived,
)
from sagaledger.domain.housekeeping.orphans import KnownOrphan, OrphanState

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_store import EventStore

__all__ = ["ALERTS", "Housekeeping", "chosen_orphans", "notes_of"]

ALERTS = UUID("5a9a1ed6-e500-4000-8000-000000000001")
"""The stream of alert rules; the stream of each alert is named after it and the alert."""


def notes_of(saga_id: UUID) -> UUID:
    """The stream of the decisions about a saga's orphans."""
    return uuid5(saga_id, "housekeeping")


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Appends to streams that no worker owns: concurrent appends follow each other."""

    log: EventStore
    envelope_factory: EnvelopeFactory

    def record(self, stream_id: UUID, events: Sequence[Event]) -> None:
        """Store events after any events that others have stored in the stream.

        Raises:
            StorageBackendError: The log cannot be written; nothing was stored.
            VersionConflictError: Other appends came first a hundred times.
        """

        def decided() -> Sequence[RecordedEvent]:
            if not events:
                return ()
            version = self.log.last_version(stream_id)
            return self.envelope_factory.envelopes(stream_id, version, 0, events)

        append_decided(f"stream {stream_id.hex}", decided, self.log.append)

    def note(self, saga_id: UUID, events: Sequence[HousekeepingEvent]) -> None:
        """Store events about a saga's orphans; see `record` for the errors."""
        self.record(notes_of(saga_id), events)

    def adopt(self, orphans: Sequence[KnownOrphan], by: str, reason: str) -> Sequence[KnownOrphan]:
        """Adopt orphans: they remain, and no sweep touches them.

        Returns those that were not adopted before.

        Raises:
            StorageBackendError: The log cannot be written; those before it are adopted.
        """
        changed = [orphan for orphan in orphans if orphan.state is not OrphanState.ADOPTED]
        for orphan in changed:
            named = (orphan.saga_id, orphan.store, orphan.ref)
            self.note(UUID(orphan.saga_id), [OrphanAdopted(*named, by, reason)])
        return changed

    def waive(self, orphans: Sequence[KnownOrphan], by: str, reason: str) -> Sequence[KnownOrphan]:
        """Waive orphans: accept that they remain, so that they raise no more alerts.

        Returns those that were not waived before.

        Raises:
            StorageBackendError: The log cannot be written; those before it are waived.
        """
        changed = [orphan for orphan in orphans if orphan.state is not OrphanState.WAIVED]
        for orphan in changed:
            named = (orphan.saga_id, orphan.store, orphan.ref)
            self.note(UUID(orphan.saga_id), [OrphanWaived(*named, by, reason)])
        return changed


def chosen_orphans(known: Sequence[KnownOrphan], given: str) -> list[KnownOrphan]:
    """The orphans whose id, or whose saga's id, starts with the given text.

    Raises:
        NotFoundError: No orphan matches.
    """
    wanted = given.lower().replace("-", "")
    chosen = [o for o in known if wanted in (o.orphan_id[: len(wanted)], o.saga_id[: len(wanted)])]
    if not wanted or not chosen:
        raise NotFoundError("orphan", given)
    return chosen
