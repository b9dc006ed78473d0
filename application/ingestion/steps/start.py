"""Step 2, start: open the upload in the log, then its prefix in the chunk store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.application.ingestion.steps.upload_undo import delete_chunks
from sagaledger.application.plain_data import integer, output_of
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.saga.errors import CompensationError
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.upload.chunking import ChunkLayout
from sagaledger.domain.upload.events import (
    ChunksDeleted,
    UploadDiscarded,
    UploadEvent,
    UploadStarted,
)
from sagaledger.domain.upload.values import SourceFingerprint, upload_id_of, upload_prefix_of
from sagaledger.domain.values import Parameters

__all__ = ["StartStep"]


@dataclass(frozen=True, slots=True)
class StartStep:
    """Opens the upload. The log knows the prefix before the store does."""

    services: IngestionServices

    def __call__(self, context: StepContext) -> Parameters:
        """Record `UploadStarted`, then open the prefix for its chunks."""
        upload_id = upload_id_of(context.saga_id)
        prefix = upload_prefix_of(upload_id)
        if self.services.log.last_version(upload_id) == 0:
            self._record(context, prefix)
        self.services.chunks.open_prefix(prefix)
        return {"upload_id": upload_id.hex, "key_prefix": prefix}

    def _record(self, context: StepContext, prefix: str) -> None:
        parameters = IngestionParameters.from_stored(context.parameters)
        seen = output_of(context.outputs, "validate")
        fingerprint = fingerprint_from(seen)
        chunk_size = integer(seen, "chunk_size_bytes")
        started = UploadStarted(
            saga_id=context.saga_id.hex,
            source=parameters.shown_source,
            fingerprint=fingerprint,
            chunk_size_bytes=chunk_size,
            chunk_count=ChunkLayout(fingerprint.size_bytes, chunk_size).count,
            key_prefix=prefix,
            store=self.services.chunks.name,
            compression=parameters.compression,
        )
        context.append(upload_id_of(context.saga_id), 0, [started])

    def abandon(self, context: StepContext) -> int:
        """Remove the upload's prefix with all its chunks, and record the upload as discarded.

        The undo of the upload step has emptied the prefix. A former owner, fenced off in the log,
        may have finished a chunk since.

        Raises:
            CompensationError: Chunks remain; they are its residue.
        """
        upload_id = upload_id_of(context.saga_id)
        prefix = upload_prefix_of(upload_id)
        deleted = delete_chunks(self.services.chunks, prefix)
        if deleted.failed:
            detail = f"{len(deleted.failed)} chunks are left"
            raise CompensationError(context.step, detail, deleted.failed, deleted.count)
        self.services.chunks.close_prefix(prefix)
        version = self.services.log.last_version(upload_id)
        if version > 0:
            events: list[UploadEvent] = [UploadDiscarded("rolled back")]
            if deleted.count:
                events.insert(0, ChunksDeleted(deleted.count, deleted.size_bytes))
            # By version alone: the upload must be discarded even if its history cannot be read.
            context.append(upload_id, version, events)
        return deleted.count

    def residue(self, context: StepContext) -> Iterable[Residue]:
        """The upload's prefix, if it still exists."""
        prefix = upload_prefix_of(upload_id_of(context.saga_id))
        if prefix in self.services.chunks.prefixes():
            yield Residue(self.services.chunks.name, prefix, 1, "the upload's folder")


def fingerprint_from(output: Parameters) -> SourceFingerprint:
    """The fingerprint that the validate step returned."""
    return SourceFingerprint(
        integer(output, "size_bytes"),
        integer(output, "modified_ns"),
        integer(output, "inode"),
        integer(output, "device"),
    )
