"""What people and sweeps record beside the sagas: about orphans, and about alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from sagaledger.domain.ports.event_store import EventStore

__all__ = ["ALERTS", "Housekeeping", "chosen_orphans", "notes_of"]

ALERTS = UUID("5a9a1ed6-e500-4000-8000-000000000001")
"""The stream of alert rules; the stream of each alert is named after it and the alert."""


def notes_of(saga_id: UUID) -> UUID:
    """The stream of what is noted about a saga's orphans."""
    return uuid5(saga_id, "housekeeping")


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Appends to streams that belong to no worker: whoever comes second goes after the first."""

    log: EventStore
    envelope_factory: EnvelopeFactory

    def record(self, stream_id: UUID, events: Sequence[Event]) -> None:
        """Store events, whatever was stored in the stream meanwhile.

        Raises:
            StorageBackendError: the log cannot be written; nothing was stored.
            VersionConflictError: others were faster a hundred times.
        """

        def decided() -> Sequence[RecordedEvent]:
            if not events:
                return ()
            version = self.log.last_version(stream_id)
            return self.envelope_factory.envelopes(stream_id, version, 0, events)

        append_decided(f"stream {stream_id.hex}", decided, self.log.append)

    def note(self, saga_id: UUID, events: Sequence[HousekeepingEvent]) -> None:
        """Store what is to be said about a saga's orphans; see `record` for the errors."""
        self.record(notes_of(saga_id), events)

    def adopt(self, orphans: Sequence[KnownOrphan], by: str, reason: str) -> Sequence[KnownOrphan]:
        """Take care of orphans oneself: they stay, and no sweep touches them.

        Returns those that were not adopted before.

        Raises:
            StorageBackendError: the log cannot be written; those before it are adopted.
        """
        changed = [orphan for orphan in orphans if orphan.state is not OrphanState.ADOPTED]
        for orphan in changed:
            named = (orphan.saga_id, orphan.store, orphan.ref)
            self.note(UUID(orphan.saga_id), [OrphanAdopted(*named, by, reason)])
        return changed

    def waive(self, orphans: Sequence[KnownOrphan], by: str, reason: str) -> Sequence[KnownOrphan]:
        """Accept that orphans are left, so that nobody is called for them any more.

        Returns those that were not waived before.

        Raises:
            StorageBackendError: the log cannot be written; those before it are waived.
        """
        changed = [orphan for orphan in orphans if orphan.state is not OrphanState.WAIVED]
        for orphan in changed:
            named = (orphan.saga_id, orphan.store, orphan.ref)
            self.note(UUID(orphan.saga_id), [OrphanWaived(*named, by, reason)])
        return changed


def chosen_orphans(known: Sequence[KnownOrphan], given: str) -> list[KnownOrphan]:
    """The orphans whose id, or whose saga's id, begins with the given text.

    Raises:
        NotFoundError: there is none.
    """
    wanted = given.lower().replace("-", "")
    chosen = [o for o in known if wanted in (o.orphan_id[: len(wanted)], o.saga_id[: len(wanted)])]
    if not wanted or not chosen:
        raise NotFoundError("orphan", given)
    return chosen
