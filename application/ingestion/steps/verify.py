"""Step 4, verify: read every chunk back from the store before any downstream step runs."""

from __future__ import annotations

from dataclasses import dataclass

from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.services import (
    IngestionServices,
    append_to_upload,
    known_upload,
    stage_to_upload,
)
from sagaledger.application.ingestion.steps.validate import opened_source
from sagaledger.application.ingestion.transfer.read_back import UploadReader
from sagaledger.domain.errors import StorageBackendError, describe
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.saga.values import RollbackReason
from sagaledger.domain.upload.errors import (
    IntegrityMismatchError,
    SourceNotFoundError,
    SourceUnreadableError,
)
from sagaledger.domain.upload.events import IntegrityFailed, IntegrityVerified
from sagaledger.domain.upload.state import ReadBack, Upload, UploadStatus, judge_integrity
from sagaledger.domain.values import Parameters

__all__ = ["REASON_OF_CHECK", "VerifyStep"]

REASON_OF_CHECK = {
    "chunk": RollbackReason.CHUNK_MISMATCH,
    "count": RollbackReason.CHUNK_COUNT_MISMATCH,
    "size": RollbackReason.SIZE_MISMATCH,
    "hash": RollbackReason.HASH_MISMATCH,
    "source": RollbackReason.SOURCE_MISMATCH,
    "unverifiable": RollbackReason.VERIFICATION_IMPOSSIBLE,
}
_SNAPSHOT_FROM_CHUNKS = 1000
"""An upload with at least this many chunks is also stored as a snapshot once verified."""


@dataclass(frozen=True, slots=True)
class VerifyStep:
    """Reads the upload back and compares it with the log and the source."""

    services: IngestionServices

    def __call__(self, context: StepContext) -> Parameters:
        """Verify the upload.

        Raises:
            IntegrityMismatchError: A check failed or could not be carried out.
            StorageBackendError: The store failed, and another attempt is allowed.
        """
        upload = known_upload(self.services, context.saga_id)
        if upload.status is not UploadStatus.VERIFIED:
            self._verify(context, upload)
        self.services.uploads.put(context.saga_id, upload)
        return {
            "sha256": upload.sha256.hex(),
            "chunk_list_root": upload.chunk_list_root.hex(),
            "read_from": self.services.chunks.read_from,
        }

    def _verify(self, context: StepContext, upload: Upload) -> None:
        parameters = IngestionParameters.from_stored(context.parameters)
        verdict: IntegrityVerified | IntegrityFailed
        try:
            found = self._read_back(context, upload, parameters)
        except StorageBackendError as error:
            if error.retryable and parameters.store_retry.allows_another(context.attempt):
                raise
            verdict = IntegrityFailed(
                "unverifiable", "a readable store", error.cause, describe(error)
            )
        else:
            verdict = judge_integrity(upload, found)
        if isinstance(verdict, IntegrityFailed):
            stage_to_upload(context, upload, [verdict])
            raise IntegrityMismatchError(
                REASON_OF_CHECK[verdict.check], verdict.check, verdict.expected, verdict.actual
            )
        if upload.chunks.count >= _SNAPSHOT_FROM_CHUNKS:
            append_to_upload(context, upload, [verdict])
            self.services.upload_repository.keep_snapshot(upload.id)
        else:
            stage_to_upload(context, upload, [verdict])

    def _read_back(
        self, context: StepContext, upload: Upload, parameters: IngestionParameters
    ) -> ReadBack:
        ahead = self.services.reads_ahead.take(context.saga_id)
        if ahead is not None:
            reader = ahead.take_reader(upload)
        else:
            chunks, encoding = self.services.chunks, self.services.encoding
            reader = UploadReader(chunks, encoding, upload, parameters.writer_threads)
        try:
            with opened_source(self.services, parameters.source) as source:
                found = reader.read(context, source)
                changed = upload.fingerprint.difference(source.fingerprint)
        except (SourceNotFoundError, SourceUnreadableError) as error:
            found = reader.read(context, None)
            changed = describe(error)
        if changed and not found.source_difference:
            found = _with_source_difference(found, changed)
        return found


def _with_source_difference(found: ReadBack, difference: str) -> ReadBack:
    return ReadBack(
        found.chunk_count,
        found.size_bytes,
        found.sha256,
        found.bad_chunks,
        difference,
        found.read_from,
    )
