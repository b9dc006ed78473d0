"""Reads an upload back from the chunk store, and compares it with the log and the source."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, Protocol

from sagaledger.application.engine.failures import finally_doing
from sagaledger.application.ingestion.transfer.block_pipeline import BlockPipeline, Pacing
from sagaledger.domain.errors import SagaledgerError, StorageBackendError, describe
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.state import ReadBack, Upload
from sagaledger.domain.upload.stored_chunk import StoredChunk

if TYPE_CHECKING:
    from sagaledger.domain.ports.chunk_encoding import ChunkEncoding
    from sagaledger.domain.ports.chunk_store import ChunkStore
    from sagaledger.domain.ports.source_reader import OpenSource

__all__ = ["SentChunk", "UploadReader"]

_OPEN_AHEAD = 4
"""The number of chunks that are open at once during the read-back."""


class SentChunk(Protocol):
    """The facts about a chunk that was sent."""

    @property
    def sha256(self) -> bytes:
        """The digest of its plain bytes."""

    @property
    def encoding(self) -> str:
        """`raw` or `zstd`."""


class UploadReader:
    """Reads a whole upload back from the chunk store, together with its source if there is one.

    `read` is the verification. It does not repeat what `read_early` has read while later chunks
    were still being written, unless the store or the source has changed since.
    """

    def __init__(
        self, chunks: ChunkStore, encoding: ChunkEncoding, upload: Upload, threads: int
    ) -> None:
        self._chunks = chunks
        self._encoding = encoding
        self._upload = upload
        self._open_chunks: dict[int, BinaryIO] = {}
        self._source: OpenSource | None = None
        self._source_buffer = bytearray()
        self._sent: Callable[[int], SentChunk] = upload.chunks.__getitem__
        self._on_compared: Callable[[int], None] = _ignore
        self._threads = threads
        self._source_changed_ns = 0
        self._was_read = False
        self._begin()

    def _begin(self) -> None:
        self._whole = hashlib.sha256()
        self._etags = hashlib.sha256()
        self._chunk_count = 0
        self._size_bytes = 0
        self._difference = ""
        self._bad: list[tuple[int, bytes, bytes]] = []

    def read_early(
        self,
        chunks: Iterable[tuple[int, str]],
        sent: MutableMapping[int, SentChunk],
        source: OpenSource,
        source_changed_ns: int,
    ) -> None:
        """Read chunks back from the first one on, each as soon as the iterable yields it.

        Args:
            chunks: the index and ETag of each chunk, in order and without gaps.
            sent: the facts about the yielded and following chunks. A chunk is removed after its
                comparison.
            source: the source of the chunks.
            source_changed_ns: the time of the source's last change before the first chunk was sent.

        Raises:
            StorageBackendError: the store failed; discard everything that was read.
        """
        self._source, self._source_changed_ns = source, source_changed_ns
        self._sent, self._on_compared = sent.__getitem__, sent.__delitem__
        self._run(self._hash_etags(chunks), lambda _: None)

    def switch_to(self, upload: Upload) -> None:
        """Compare all further chunks with the upload as recorded in the log."""
        self._upload = upload
        self._sent, self._on_compared = upload.chunks.__getitem__, _ignore

    def read(self, context: StepContext | None, source: OpenSource | None) -> ReadBack:
        """Read what the store holds, chunk by chunk and as a whole.

        Raises:
            StorageBackendError: the store failed; the content is unknown.
        """
        upload = self._upload
        self._source = source
        listed = list(self._chunks.list(upload.key_prefix))
        keys = {chunk.key for chunk in listed}
        expected = {chunk_key(upload.key_prefix, i) for i in range(upload.layout.count)}
        if keys != expected:
            # The stored chunks are not the sent ones; reading them would add nothing.
            count = len(keys) if len(keys) != len(expected) else len(keys & expected)
            return ReadBack(count, 0, b"", (), "", self._chunks.read_from)

        if self._was_read or (self._chunk_count and not self._is_unchanged(listed, source)):
            self._begin()
        self._was_read = True
        pacing = Pacing()
        done_bytes = self._size_bytes

        def on_block(length: int) -> None:
            nonlocal done_bytes
            done_bytes += length
            if context is not None:
                if pacing.is_due(length):
                    context.checkpoint()
                context.progress(done_bytes, upload.layout.size_bytes, label=upload.source)

        # Request one byte more than the chunk should have, to detect a longer chunk.
        left = range(self._chunk_count, upload.layout.count)
        self._run(((index, upload.layout.length(index) + 1) for index in left), on_block)
        return ReadBack(
            upload.layout.count,
            self._size_bytes,
            self._whole.digest(),
            tuple(sorted(self._bad)),
            self._difference,
            self._chunks.read_from,
        )

    def _run(self, chunks: Iterable[tuple[int, int]], on_block: Callable[[int], None]) -> None:
        # The pipeline holds the memory of the blocks, so it lives only for this run.
        pipeline = BlockPipeline(self._read_block, self._digest, self._threads)
        with finally_doing(self._close_chunks, "a chunk could not be closed"):
            size, _ = pipeline.run(chunks, on_block, self._compare, self._whole)
        self._size_bytes += size

    def _hash_etags(self, chunks: Iterable[tuple[int, str]]) -> Iterable[tuple[int, int]]:
        for index, etag in chunks:
            self._etags.update(_line(etag))
            self._chunk_count = index + 1
            yield index, self._upload.layout.length(index) + 1

    def _is_unchanged(self, listed: Sequence[StoredChunk], source: OpenSource | None) -> bool:
        """Whether the chunks that were read early, and the source, have not changed since."""
        etags = hashlib.sha256()
        for chunk in sorted(listed, key=lambda chunk: chunk.key)[: self._chunk_count]:
            etags.update(_line(chunk.etag))
        if etags.digest() != self._etags.digest():
            return False
        return source is None or source.changed_ns == self._source_changed_ns

    def _read_block(self, index: int, offset: int, buffer: memoryview) -> int:
        if index not in self._open_chunks or offset == 0:
            self._close_chunks(before=index)
            self._open_ahead(index)
        try:
            got: int = self._open_chunks[index].readinto(buffer) or 0  # type: ignore[attr-defined]  # Binary files have it; the protocol class does not declare it.
        except OSError as error:
            raise StorageBackendError(self._chunks.name, "read", str(error)) from error
        if got and self._source is not None and not self._difference:
            self._compare_source(self._upload.layout.offset(index) + offset, buffer[:got])
        return got

    def _open_ahead(self, index: int) -> None:
        # A store may prefetch an opened chunk while the chunk before it is in use.
        for ahead in range(index, min(index + _OPEN_AHEAD, self._upload.layout.count)):
            if ahead in self._open_chunks:
                continue
            try:
                encoding = self._sent(ahead).encoding
            except KeyError:
                # The chunk is still being written.
                return
            stored = self._chunks.open(chunk_key(self._upload.key_prefix, ahead))
            self._open_chunks[ahead] = self._encoding.decode(encoding, stored)

    def _compare_source(self, position: int, stored: memoryview) -> None:
        assert self._source is not None
        if len(self._source_buffer) != len(stored):
            self._source_buffer = bytearray(len(stored))
        try:
            got = self._source.read_into(position, memoryview(self._source_buffer))
        except SagaledgerError as error:
            self._difference = describe(error)
            return
        # A bytearray compares with any buffer without a copy of either.
        if got != len(stored) or self._source_buffer != stored:
            self._difference = f"content differs near byte {position}"

    def _digest(self, index: int, blocks: Iterable[memoryview]) -> tuple[int, bytes]:
        digest = hashlib.sha256()
        for block in blocks:
            digest.update(block)
        return index, digest.digest()

    def _compare(self, digests: list[tuple[int, bytes]]) -> None:
        for index, actual in digests:
            expected = self._sent(index).sha256
            if actual != expected:
                self._bad.append((index, expected, actual))
            self._on_compared(index)

    def _close_chunks(self, before: int | None = None) -> None:
        for index in [i for i in self._open_chunks if before is None or i < before]:
            self._open_chunks.pop(index).close()


def _ignore(_index: int) -> None:
    pass


def _line(etag: str) -> bytes:
    return f"{etag}\n".encode()
