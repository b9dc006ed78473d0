"""An upload's state at one version: what makes loading a long history short. Never evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sagaledger.domain.upload.chunk_table import ChunkTable
from sagaledger.domain.upload.chunking import ChunkLayout
from sagaledger.domain.upload.events import IntegrityFailed
from sagaledger.domain.upload.state import Upload, UploadStatus
from sagaledger.domain.upload.values import SourceFingerprint

__all__ = ["SNAPSHOT_TYPE", "UploadSnapshot"]

SNAPSHOT_TYPE = "upload-snapshot/1"


@dataclass(frozen=True, slots=True)
class UploadSnapshot:
    """The snapshot event of the `eventsourcing` library's snapshot store."""

    originator_id: UUID
    originator_version: int
    state: list[Any] | None
    """None for a stored snapshot that this version cannot read."""

    @classmethod
    def take(cls, upload: Upload) -> UploadSnapshot:
        """The upload as plain data."""
        failure = upload.integrity_failure
        state = [
            upload.saga_id,
            upload.source,
            [
                upload.fingerprint.size_bytes,
                upload.fingerprint.modified_ns,
                upload.fingerprint.inode,
                upload.fingerprint.device,
            ],
            upload.layout.chunk_size_bytes,
            upload.key_prefix,
            upload.store,
            upload.compression,
            list(upload.chunks.to_parts()),
            upload.status.value,
            upload.attempt,
            upload.sha256,
            upload.chunk_list_root,
            failure and [failure.check, failure.expected, failure.actual, failure.detail],
            upload.deletion_failures,
        ]
        return cls(upload.id, upload.version, state)

    def restore(self) -> Upload:
        """The upload again.

        Raises:
            ValueError, TypeError: the state is not one that `take` made.
        """
        if self.state is None:
            raise ValueError("the snapshot cannot be read")
        (saga_id, source, fingerprint, chunk_size, prefix, store, compression) = self.state[:7]
        (parts, status, attempt, sha256, root, failure, deletion_failures) = self.state[7:]
        count, encodings, sizes, digests = parts
        known = SourceFingerprint(*fingerprint)
        return Upload(
            id=self.originator_id,
            version=self.originator_version,
            saga_id=saga_id,
            source=source,
            fingerprint=known,
            layout=ChunkLayout(known.size_bytes, chunk_size),
            key_prefix=prefix,
            store=store,
            compression=compression,
            chunks=ChunkTable.from_parts((count, encodings, sizes, digests)),
            status=UploadStatus(status),
            attempt=attempt,
            sha256=sha256,
            chunk_list_root=root,
            integrity_failure=IntegrityFailed(*failure) if failure else None,
            deletion_failures=dict(deletion_failures),
        )
