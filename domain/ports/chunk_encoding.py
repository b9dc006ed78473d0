"""The port of chunk compression."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from sagaledger.domain.ports.buffer import Buffer

__all__ = ["ChunkEncoder", "ChunkEncoding"]


class ChunkEncoder(Protocol):
    """Turns the plain bytes of one chunk into what is stored."""

    @property
    def name(self) -> str:
        """`raw` or `zstd`, as the log records it."""

    def encode(self, block: Buffer) -> Buffer:
        """The stored form of the next block; may be empty while bytes are held back."""

    def finish(self) -> bytes:
        """The rest of the stored form."""


class ChunkEncoding(Protocol):
    """How chunks may be encoded."""

    def encoder_for(self, compression: str, first_block: Buffer) -> ChunkEncoder:
        """An encoder for a chunk that begins so: compressing only where it pays."""

    def decode(self, encoding: str, stored: BinaryIO) -> BinaryIO:
        """The plain bytes of a stored chunk, as a stream that ends where they end.

        Reading raises StorageBackendError where the stored form is damaged.
        """
