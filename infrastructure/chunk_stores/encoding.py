"""Chunk encodings: raw, or zstd (RFC 8878) with a checksum where compression saves space."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, cast

import zstandard
from sagaledger.domain.errors import StorageBackendError

if TYPE_CHECKING:
    from sagaledger.domain.ports.buffer import Buffer
    from sagaledger.domain.ports.chunk_encoding import ChunkEncoder

__all__ = ["ZstdChunkEncoding"]

_LEVEL = 3
_SAMPLE_BYTES = 256 * 1024
_WORTH_IT = 0.9
"""The chunk is compressed only if a sample shrinks to this share of its size or less."""


class ZstdChunkEncoding:
    """Encodes each chunk independently, so that each can be read alone."""

    def encoder_for(self, compression: str, first_block: Buffer) -> ChunkEncoder:
        """The encoder for a chunk with this first block: zstd if requested and worth it."""
        if compression == "zstd" and _shrinks(first_block):
            return _ZstdEncoder()
        return _RawEncoder()

    def decode(self, encoding: str, stored: BinaryIO) -> BinaryIO:
        """The plain bytes of a stored chunk. Reading a damaged chunk raises StorageBackendError."""
        return stored if encoding == "raw" else cast(BinaryIO, _ZstdReader(stored))


def _shrinks(block: Buffer) -> bool:
    sample = bytes(block[:_SAMPLE_BYTES])
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(sample)
    return len(packed) <= _WORTH_IT * len(sample)


class _RawEncoder:
    name = "raw"

    def encode(self, block: Buffer) -> Buffer:
        return block

    def finish(self) -> bytes:
        return b""


class _ZstdEncoder:
    name = "zstd"

    def __init__(self) -> None:
        self._stream = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compressobj()

    def encode(self, block: Buffer) -> Buffer:
        return self._stream.compress(block)

    def finish(self) -> bytes:
        return self._stream.flush()


class _ZstdReader:
    """The plain bytes of one zstd frame, read in order."""

    def __init__(self, stored: BinaryIO) -> None:
        self._stored = stored
        self._reader = zstandard.ZstdDecompressor().stream_reader(stored)

    def read(self, size: int = -1) -> bytes:
        try:
            return self._reader.read(size)
        except zstandard.ZstdError as error:
            raise StorageBackendError("chunks", "decompress", str(error)) from error

    def readinto(self, buffer: bytearray | memoryview) -> int:
        try:
            return self._reader.readinto(buffer)
        except zstandard.ZstdError as error:
            raise StorageBackendError("chunks", "decompress", str(error)) from error

    def close(self) -> None:
        self._reader.close()  # type: ignore[no-untyped-call]  # zstandard does not annotate it.
        self._stored.close()

    def __enter__(self) -> _ZstdReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
