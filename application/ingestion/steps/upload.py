"""Step 3, upload: store the source's bytes as durable chunks; resumable at every chunk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagaledger.application.engine.failures import add, adding_to, finally_doing, is_signal
from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.services import (
    IngestionServices,
    append_to_upload,
    known_upload,
    stage_to_upload,
)
from sagaledger.application.ingestion.steps.validate import check_unchanged, opened_source
from sagaledger.application.ingestion.transfer.block_pipeline import (
    Abandoned,
    BlockPipeline,
    Pacing,
)
from sagaledger.application.ingestion.transfer.read_ahead import ReadAhead
from sagaledger.domain.errors import StorageBackendError, describe
from sagaledger.domain.history.errors import VersionConflictError
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.saga.errors import LeaseLostError
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.errors import ChunkExistsError, SourceChangedError
from sagaledger.domain.upload.events import ChunkWritten
from sagaledger.domain.upload.state import (
    Upload,
    UploadStatus,
    complete_upload,
    interrupt_upload,
    resume_upload,
)
from sagaledger.domain.values import Parameters

if TYPE_CHECKING:
    from sagaledger.domain.ports.chunk_encoding import ChunkEncoder
    from sagaledger.domain.ports.chunk_store import ChunkWriter
    from sagaledger.domain.ports.source_reader import OpenSource

__all__ = ["UploadStep"]

_GROUP_CHUNKS = 64
_GROUP_S = 0.1
"""Durable chunks are recorded in groups: at most this many, or those of this many seconds."""


@dataclass(frozen=True, slots=True)
class UploadStep:
    """Streams the source into the chunk store.

    A chunk is durable before its `ChunkWritten` is stored. Another attempt, in this process or
    after a crash, continues from the chunks that are in the log and still in the store.
    """

    services: IngestionServices

    def __call__(self, context: StepContext) -> Parameters:
        """Send every chunk that is missing.

        Raises:
            SourceChangedError: The source has changed since the saga started.
            StorageBackendError: The chunk store failed; another attempt may continue.
            ChunkMetadataCorruptError: The upload's history contradicts itself.
        """
        upload = known_upload(self.services, context.saga_id)
        if upload.status not in (UploadStatus.COMPLETED, UploadStatus.VERIFIED):
            self._send(context, upload)
        return {
            "sha256": upload.sha256.hex(),
            "chunk_count": upload.layout.count,
            "size_bytes": upload.layout.size_bytes,
            "stored_bytes": upload.chunks.stored_bytes,
            "attempts": upload.attempt,
        }

    def _send(self, context: StepContext, upload: Upload) -> None:
        path = IngestionParameters.from_stored(context.parameters).source
        with opened_source(self.services, path) as source:
            check_unchanged(source, path, upload.fingerprint)
            if upload.version > 1:
                # An event after UploadStarted means that there was an earlier attempt.
                lost = self._lost_chunks(upload)
                append_to_upload(context, upload, resume_upload(upload, lost))
            try:
                sha256 = self._sent(context, upload, source)
                check_unchanged(source, path, upload.fingerprint)
            except LeaseLostError:
                raise
            except Exception as error:
                self._record_interruption(context, upload, error)
                raise
            stage_to_upload(context, upload, complete_upload(upload, sha256))

    def _sent(self, context: StepContext, upload: Upload, source: OpenSource) -> bytes:
        sending = _Sending(self.services, context, upload, source)
        if upload.attempt > 1 or upload.layout.count < 2:
            return sending.run()
        settled_ns = ReadAhead.settled_since(source, self.services.clock.now_us() * 1000)
        if settled_ns is None:
            return sending.run()
        threads = sending.parameters.writer_threads
        chunks, encoding = self.services.chunks, self.services.encoding
        with ReadAhead(chunks, encoding, upload, threads, source, settled_ns) as ahead:
            sha256 = sending.run(ahead.offer)
        self.services.reads_ahead.put(context.saga_id, ahead)
        return sha256

    def _record_interruption(self, context: StepContext, upload: Upload, error: Exception) -> None:
        cause, detail = type(error).__name__, describe(error)
        try:
            append_to_upload(context, upload, interrupt_upload(upload, cause, detail))
        except VersionConflictError:
            # Our last append was stored although it seemed to fail.
            stored = known_upload(self.services, context.saga_id)
            append_to_upload(context, stored, interrupt_upload(stored, cause, detail))
        except StorageBackendError as unrecorded:
            if is_signal(error):
                raise
            # The error of the attempt comes first: the same log records the step's failure next.
            add(error, unrecorded, "the interruption could not be recorded for the upload")

    def _lost_chunks(self, upload: Upload) -> list[int]:
        stored = {c.key: c.stored_bytes for c in self.services.chunks.list(upload.key_prefix)}
        return [
            chunk.index
            for chunk in upload.chunks
            if stored.get(chunk_key(upload.key_prefix, chunk.index)) != chunk.stored_bytes
        ]


def _no_reader(_written: ChunkWritten, _etag: str) -> None:
    pass


class _Sending:
    """One attempt at one upload."""

    def __init__(
        self, services: IngestionServices, context: StepContext, upload: Upload, source: OpenSource
    ) -> None:
        self._services = services
        self._context = context
        self._upload = upload
        self._source = source
        self.parameters = IngestionParameters.from_stored(context.parameters)
        self._offer: Callable[[ChunkWritten, str], None] = _no_reader
        self._known = frozenset(chunk.index for chunk in upload.chunks)
        self._waiting: list[ChunkWritten] = []
        self._recorded_s = services.clock.monotonic_s()
        self._done_bytes = 0
        self._pacing = Pacing()

    def run(self, offer: Callable[[ChunkWritten, str], None] | None = None) -> bytes:
        """Send what is missing, and return the SHA-256 of the whole file.

        Each chunk is offered, with its etag, as soon as it is durable.

        Chunks in the log are also read, for the digest of the whole, and compared with their own
        digest: a changed source is detected at the first chunk that differs.
        """
        self._offer = offer or _no_reader
        layout = self._upload.layout
        pipeline = BlockPipeline(self._read, self._consume, self.parameters.writer_threads)
        chunks = ((index, layout.length(index)) for index in range(layout.count))
        # Finished chunks are durable no matter what ended the attempt.
        with finally_doing(self._record_waiting, "written chunks are not recorded"):
            size, sha256 = pipeline.run(chunks, self._on_block, self._on_results)
            # The last ones are recorded in the transaction of the step's outcome.
            self._stage_waiting()
        if size != layout.size_bytes:
            raise SourceChangedError(
                self._upload.source, f"read {size} bytes of {layout.size_bytes}"
            )
        return sha256

    def _read(self, index: int, offset: int, buffer: memoryview) -> int:
        return self._source.read_into(self._upload.layout.offset(index) + offset, buffer)

    def _consume(self, index: int, blocks: Iterable[memoryview]) -> ChunkWritten | None:
        if index in self._known:
            self._compare_known(index, blocks)
            return None
        return self._write(index, blocks)

    def _compare_known(self, index: int, blocks: Iterable[memoryview]) -> None:
        digest = hashlib.sha256()
        for block in blocks:
            digest.update(block)
        if digest.digest() != self._upload.chunks[index].sha256:
            raise SourceChangedError(
                self._upload.source, f"chunk {index} has changed since it was sent"
            )

    def _write(self, index: int, blocks: Iterable[memoryview]) -> ChunkWritten:
        key = chunk_key(self._upload.key_prefix, index)
        writer = self._services.chunks.create(key)
        digest = hashlib.sha256()
        encoder: ChunkEncoder | None = None
        stored = 0
        try:
            for block in blocks:
                digest.update(block)
                if encoder is None:
                    encoder = self._services.encoding.encoder_for(self._upload.compression, block)
                encoded = encoder.encode(block)
                stored += len(encoded)
                writer.write(encoded)
            if encoder is None:
                raise SourceChangedError(self._upload.source, f"chunk {index} has no bytes")
            rest = encoder.finish()
            stored += len(rest)
            writer.write(rest)
            etag = self._commit(key, writer)
        except Abandoned:
            writer.abort()
            raise
        except BaseException as error:
            with adding_to(error, "the partly written chunk could not be removed"):
                writer.abort()
            raise
        attempt = self._upload.attempt
        written = ChunkWritten(index, digest.digest(), stored, encoder.name, attempt)
        self._offer(written, etag)
        return written

    def _commit(self, key: str, writer: ChunkWriter) -> str:
        try:
            return writer.commit()
        except ChunkExistsError:
            # An attempt wrote it and ended before it could record it. It lies under our
            # own prefix and no event claims it, so the new chunk replaces it.
            self._services.chunks.delete(key)
            return writer.commit()

    def _on_block(self, length: int) -> None:
        self._done_bytes += length
        if self._pacing.is_due(length):
            self._context.checkpoint()
        upload = self._upload
        self._context.progress(self._done_bytes, upload.layout.size_bytes, label=upload.source)

    def _on_results(self, written: list[ChunkWritten | None]) -> None:
        self._waiting += [chunk for chunk in written if chunk is not None]
        waited_s = self._services.clock.monotonic_s() - self._recorded_s
        if len(self._waiting) >= _GROUP_CHUNKS or waited_s >= _GROUP_S:
            self._record_waiting()

    def _record_waiting(self) -> None:
        self._recorded_s = self._services.clock.monotonic_s()
        if waiting := self._named_waiting():
            append_to_upload(self._context, self._upload, waiting)

    def _stage_waiting(self) -> None:
        if waiting := self._named_waiting():
            stage_to_upload(self._context, self._upload, waiting)

    def _named_waiting(self) -> list[ChunkWritten]:
        """Chunks that no event claims yet; their names are on disk from now on."""
        if self._waiting:
            self._services.chunks.flush(self._upload.key_prefix)
        waiting, self._waiting = self._waiting, []
        return waiting
