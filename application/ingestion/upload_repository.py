"""Uploads out of the event store: a snapshot if there is one, and the events after it, folded."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.ports.snapshot_store import SnapshotStore
from sagaledger.domain.upload.state import Upload, fold_upload_runs

__all__ = ["UploadRepository"]


@dataclass(frozen=True, slots=True)
class UploadRepository:
    """Loads uploads, and keeps snapshots of them."""

    log: EventStore
    snapshots: SnapshotStore

    def find(self, upload_id: UUID) -> Upload | None:
        """The upload as of its last event, or None if there is none.

        Raises:
            EventCorruptError: an event of it cannot be decoded.
            ChunkMetadataCorruptError: the events contradict each other.
            StorageBackendError: the log or the snapshots cannot be read.
        """
        kept = self.snapshots.newest(upload_id)
        return fold_upload_runs(kept, self.log.read_stream(upload_id, kept.version if kept else 0))

    def keep_snapshot(self, upload_id: UUID) -> None:
        """Keep the upload's present state, so that loading it later is short.

        Raises:
            EventCorruptError, ChunkMetadataCorruptError: the upload cannot be loaded.
            StorageBackendError: the log cannot be read, or the snapshot not be kept.
        """
        upload = self.find(upload_id)
        if upload is not None:
            self.snapshots.keep(upload)
