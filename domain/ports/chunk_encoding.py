"""The port of chunk compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from sagaledger.domain.ports.buffer import Buffer


__all__ = ["ChunkEncoder", "ChunkEncoding"]


class ChunkEncoder(Protocol):
    """Encodes the plain bytes of one chunk for storage."""

    @property
    def name(self) -> str:
        """`raw` or `zstd`, as the log records it."""

    def encode(self, block: Buffer) -> Buffer:
        """Encode the next block. The result may be empty while the encoder buffers bytes."""

    def finish(self) -> bytes:
        """Return the remaining encoded bytes."""


class ChunkEncoding(Protocol):
    """Encodes and decodes chunks."""

    def encoder_for(self, compression: str, first_block: Buffer) -> ChunkEncoder:
        """The encoder for a chunk with this first block; compresses only if that saves space."""

    def decode(self, encoding: str, stored: BinaryIO) -> BinaryIO:
        """The plain bytes of a stored chunk, as a stream that ends where they end.

        Reading raises StorageBackendError if the stored bytes are damaged.
        """
