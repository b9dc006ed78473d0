"""The port that keeps the state of uploads, so that loading a long history is short."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from sagaledger.domain.upload.state import Upload

__all__ = ["SnapshotStore"]


class SnapshotStore(Protocol):
    """The state of uploads as of some version: never evidence, for the events tell the same."""

    def newest(self, upload_id: UUID) -> Upload | None:
        """The upload as of the newest version kept, or None where that cannot be understood.

        Raises:
            StorageBackendError: the snapshots cannot be read.
        """

    def keep(self, upload: Upload) -> None:
        """Keep the state of an upload whose events are stored. Idempotent for one version.

        Raises:
            StorageBackendError: it cannot be kept.
        """

    def close(self) -> None:
        """Release files and connections. Idempotent."""
