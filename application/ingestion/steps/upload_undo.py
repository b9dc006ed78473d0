"""The undo of step 3: delete every chunk under the upload's prefix, recorded or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.errors import StorageBackendError, describe
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.saga.errors import CompensationError
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.upload.events import (
    ChunkDeletionFailed,
    ChunksDeleted,
    UploadEvent,
    UploadInterrupted,
)
from sagaledger.domain.upload.values import upload_id_of, upload_prefix_of

if TYPE_CHECKING:
    from sagaledger.domain.ports.chunk_store import ChunkStore

__all__ = ["DeletedChunks", "UploadUndo", "delete_chunks"]


@dataclass(frozen=True, slots=True)
class UploadUndo:
    """Deletes every chunk under the upload's prefix, recorded or not."""

    services: IngestionServices

    def __call__(self, context: StepContext) -> int:
        """Remove the chunks, and continue after each one that cannot be removed.

        Raises:
            CompensationError: Some chunks remain; they are its residue.
        """
        upload_id = upload_id_of(context.saga_id)
        prefix = upload_prefix_of(upload_id)
        self._fence(context)
        deleted = delete_chunks(self.services.chunks, prefix)
        events: list[UploadEvent] = [
            ChunkDeletionFailed(residue.ref, residue.detail) for residue in deleted.failed
        ]
        if deleted.count:
            events.append(ChunksDeleted(deleted.count, deleted.size_bytes))
        self._record(context, events)
        if deleted.problem:
            raise CompensationError("upload", deleted.problem, deleted.failed, deleted.count)
        return deleted.count

    def residue(self, context: StepContext) -> Iterable[Residue]:
        """The chunks that the store still lists under the prefix."""
        prefix = upload_prefix_of(upload_id_of(context.saga_id))
        for chunk in self.services.chunks.list(prefix):
            yield Residue(self.services.chunks.name, chunk.key, 1, f"{chunk.stored_bytes} bytes")

    def _fence(self, context: StepContext) -> None:
        # Before we list, the log must refuse the next ChunkWritten of a former owner.
        version = self.services.log.last_version(upload_id_of(context.saga_id))
        if version:
            self._record(context, [UploadInterrupted(context.attempt, "rollback", "", 0)])

    def _record(self, context: StepContext, events: list[UploadEvent]) -> None:
        # By version alone: the chunks must be deleted even if the history cannot be read.
        upload_id = upload_id_of(context.saga_id)
        version = self.services.log.last_version(upload_id)
        if events and version:
            context.append(upload_id, version, events)


@dataclass(frozen=True, slots=True)
class DeletedChunks:
    """The result of deleting every chunk under a prefix."""

    count: int
    size_bytes: int
    failed: tuple[Residue, ...]
    unflushed: str = ""
    """Why the removals might not survive a power loss."""

    @property
    def problem(self) -> str:
        """All failures as text, each cause once; empty without failures."""
        causes: dict[str, list[str]] = {}
        for residue in self.failed:
            causes.setdefault(residue.detail, []).append(residue.ref)
        failures = [f"{key}{_and_more(more)}: {cause}" for cause, (key, *more) in causes.items()]
        if failures:
            found = self.count + len(self.failed)
            failures.insert(0, f"{len(self.failed)} of {found} chunks are left")
        if self.unflushed:
            failures.append(f"removed chunks might come back: {self.unflushed}")
        return "; ".join(failures)

    @property
    def success_rate(self) -> float:
        """The share of the chunks found that were removed; 1 if there were none."""
        found = self.count + len(self.failed)
        return self.count / found if found else 1.0


def delete_chunks(chunks: ChunkStore, prefix: str) -> DeletedChunks:
    """Delete all chunks that the store lists under a prefix. Failures are reported and do not
    stop the deletion.

    Raises:
        StorageBackendError: The store cannot list the chunks.
    """
    count = size = 0
    failed: list[Residue] = []
    for chunk in list(chunks.list(prefix)):
        try:
            chunks.delete(chunk.key)
        except Exception as error:  # noqa: BLE001 - reported in the result; the rest is deleted
            cause = error.cause if isinstance(error, StorageBackendError) else describe(error)
            failed.append(Residue(chunks.name, chunk.key, 1, cause))
        else:
            count += 1
            size += chunk.stored_bytes
    unflushed = ""
    if count:
        # Deleted chunks must not reappear after a power loss once the log records their deletion.
        try:
            chunks.flush(prefix)
        except Exception as error:  # noqa: BLE001 - reported in the result, with earlier failures
            unflushed = describe(error)
    return DeletedChunks(count, size, tuple(failed), unflushed)


def _and_more(keys: Sequence[str]) -> str:
    return f" and {len(keys)} more" if keys else ""
