"""Loads uploads: the latest snapshot, if there is one, and the events after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.domain.upload.state import Upload, fold_upload_runs

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_store import EventStore
    from sagaledger.domain.ports.snapshot_store import SnapshotStore

__all__ = ["UploadRepository"]


@dataclass(frozen=True, slots=True)
class UploadRepository:
    """Loads uploads, and stores snapshots of them."""

    log: EventStore
    snapshots: SnapshotStore

    def find(self, upload_id: UUID) -> Upload | None:
        """The upload as of its last event, or None if it does not exist.

        Raises:
            EventCorruptError: an event of it cannot be decoded.
            ChunkMetadataCorruptError: the events contradict each other.
            StorageBackendError: the log or the snapshots cannot be read.
        """
        kept = self.snapshots.newest(upload_id)
        return fold_upload_runs(kept, self.log.read_stream(upload_id, kept.version if kept else 0))

    def keep_snapshot(self, upload_id: UUID) -> None:
        """Store the upload's current state, so that later loads are fast.

        Raises:
            EventCorruptError, ChunkMetadataCorruptError: the upload cannot be loaded.
            StorageBackendError: the log cannot be read, or the snapshot cannot be stored.
        """
        upload = self.find(upload_id)
        if upload is not None:
            self.snapshots.keep(upload)
