"""Step 4, verify: every chunk is read back from the store before anything downstream runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from sagaledger.application.failures import finally_doing
from sagaledger.application.ingestion.block_pipeline import BlockPipeline, Pacing
from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.services import (
    IngestionServices,
    append_to_upload,
    hand_over_to_upload,
    known_upload,
)
from sagaledger.application.ingestion.validate import opened_source
from sagaledger.domain.chunking import chunk_key
from sagaledger.domain.definition import StepContext
from sagaledger.domain.errors import (
    IntegrityMismatchError,
    SagaledgerError,
    SourceNotFoundError,
    SourceUnreadableError,
    StorageBackendError,
    in_words,
)
from sagaledger.domain.events import IntegrityFailed, IntegrityVerified
from sagaledger.domain.ports import OpenSource
from sagaledger.domain.upload import ReadBack, Upload, UploadStatus, judge_integrity
from sagaledger.domain.values import Parameters, RollbackReason

__all__ = ["REASON_OF_CHECK", "UploadReader", "VerifyStep"]

REASON_OF_CHECK = {
    "chunk": RollbackReason.CHUNK_MISMATCH,
    "count": RollbackReason.CHUNK_COUNT_MISMATCH,
    "size": RollbackReason.SIZE_MISMATCH,
    "hash": RollbackReason.HASH_MISMATCH,
    "source": RollbackReason.SOURCE_MISMATCH,
    "unverifiable": RollbackReason.VERIFICATION_IMPOSSIBLE,
}
_OPEN_AHEAD = 4
"""How many chunks are open at once while they are read back."""
_SNAPSHOT_FROM_CHUNKS = 1000
"""From so many chunks on, the verified upload is kept as a snapshot too."""


@dataclass(frozen=True, slots=True)
class VerifyStep:
    """Reads the upload back and holds it against the log and against the source."""

    services: IngestionServices

    def __call__(self, context: StepContext) -> Parameters:
        """Verify the upload.

        Raises:
            IntegrityMismatchError: a check failed or could not be carried out.
            StorageBackendError: the store failed, and another attempt is allowed.
        """
        upload = known_upload(self.services.log, context.saga_id)
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
                "unverifiable", "a readable store", error.cause, in_words(error)
            )
        else:
            verdict = judge_integrity(upload, found)
        if isinstance(verdict, IntegrityFailed):
            hand_over_to_upload(context, upload, [verdict])
            raise IntegrityMismatchError(
                REASON_OF_CHECK[verdict.check], verdict.check, verdict.expected, verdict.actual
            )
        if upload.chunks.count >= _SNAPSHOT_FROM_CHUNKS:
            append_to_upload(context, upload, [verdict])
            self.services.log.snapshot_upload(upload.id)
        else:
            hand_over_to_upload(context, upload, [verdict])

    def _read_back(
        self, context: StepContext, upload: Upload, parameters: IngestionParameters
    ) -> ReadBack:
        reader = UploadReader(self.services, upload, parameters.writer_threads)
        try:
            with opened_source(self.services, parameters.source) as source:
                found = reader.read(context, source)
                changed = upload.fingerprint.difference(source.fingerprint)
        except (SourceNotFoundError, SourceUnreadableError) as error:
            found = reader.read(context, None)
            changed = in_words(error)
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


class UploadReader:
    """Reads a whole upload back from the chunk store, beside its source where there is one."""

    def __init__(self, services: IngestionServices, upload: Upload, threads: int) -> None:
        self._services = services
        self._upload = upload
        self._threads = threads
        self._open_chunks: dict[int, BinaryIO] = {}
        self._source: OpenSource | None = None
        self._source_buffer = bytearray()
        self._difference = ""
        self._bad: list[tuple[int, bytes, bytes]] = []
        self._done_bytes = 0

    def read(self, context: StepContext | None, source: OpenSource | None) -> ReadBack:
        """What the store holds, chunk by chunk and as a whole.

        Raises:
            StorageBackendError: the store failed; nothing is known.
        """
        upload = self._upload
        self._source = source
        listed = {chunk.key for chunk in self._services.chunks.list(upload.key_prefix)}
        expected = {chunk_key(upload.key_prefix, i) for i in range(upload.layout.count)}
        if listed != expected:
            # Reading on would tell nothing more: what is there is not what was sent.
            count = len(listed) if len(listed) != len(expected) else len(listed & expected)
            return ReadBack(count, 0, b"", (), "", self._services.chunks.read_from)

        pacing = Pacing()

        def on_block(length: int) -> None:
            self._done_bytes += length
            if context is not None:
                if pacing.is_due(length):
                    context.checkpoint()
                context.progress(self._done_bytes, upload.layout.size_bytes)

        pipeline = BlockPipeline(self._read_block, self._digest, self._threads)
        # One more byte is asked for than a chunk should have, so that a longer one shows.
        chunks = ((i, upload.layout.length(i) + 1) for i in range(upload.layout.count))
        with finally_doing(self._close_chunks, "a chunk could not be closed"):
            size, sha256 = pipeline.run(chunks, on_block, self._compare)
        return ReadBack(
            upload.layout.count,
            size,
            sha256,
            tuple(sorted(self._bad)),
            self._difference,
            self._services.chunks.read_from,
        )

    def _read_block(self, index: int, offset: int, buffer: memoryview) -> int:
        if index not in self._open_chunks or offset == 0:
            self._close_chunks(before=index)
            self._open_ahead(index)
        try:
            got: int = self._open_chunks[index].readinto(buffer) or 0  # type: ignore[attr-defined]  # Binary files have it; the protocol class does not say so.
        except OSError as error:
            raise StorageBackendError(self._services.chunks.name, "read", str(error)) from error
        if got and self._source is not None and not self._difference:
            self._compare_source(self._upload.layout.offset(index) + offset, buffer[:got])
        return got

    def _open_ahead(self, index: int) -> None:
        # A store may begin to read a chunk as soon as it is opened, while the one before is used.
        for ahead in range(index, min(index + _OPEN_AHEAD, self._upload.layout.count)):
            if ahead not in self._open_chunks:
                stored = self._services.chunks.open(chunk_key(self._upload.key_prefix, ahead))
                encoding = self._upload.chunks[ahead].encoding
                self._open_chunks[ahead] = self._services.encoding.decode(encoding, stored)

    def _compare_source(self, position: int, stored: memoryview) -> None:
        assert self._source is not None
        if len(self._source_buffer) != len(stored):
            self._source_buffer = bytearray(len(stored))
        try:
            got = self._source.read_into(position, memoryview(self._source_buffer))
        except SagaledgerError as error:
            self._difference = in_words(error)
            return
        # A bytearray compares with any buffer as a whole, without a copy of either.
        if got != len(stored) or self._source_buffer != stored:
            self._difference = f"content differs near byte {position}"

    def _digest(self, index: int, blocks: Iterable[memoryview]) -> tuple[int, bytes]:
        digest = hashlib.sha256()
        for block in blocks:
            digest.update(block)
        return index, digest.digest()

    def _compare(self, digests: list[tuple[int, bytes]]) -> None:
        for index, actual in digests:
            expected = self._upload.chunks[index].sha256
            if actual != expected:
                self._bad.append((index, expected, actual))

    def _close_chunks(self, before: int | None = None) -> None:
        for index in [i for i in self._open_chunks if before is None or i < before]:
            self._open_chunks.pop(index).close()
