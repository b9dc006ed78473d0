"""How a file is divided into chunks, their keys, and the Merkle root over their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "MAX_CHUNKS",
    "MIN_CHUNK_BYTES",
    "ChunkLayout",
    "automatic_chunk_size",
    "chunk_key",
    "chunk_list_root",
]

MIN_CHUNK_BYTES = 4 * 1024 * 1024
MAX_CHUNKS = 10_000
_MEBIBYTE = 1024 * 1024


def automatic_chunk_size(size_bytes: int) -> int:
    """The smallest whole number of MiB, at least 4, that gives at most 10,000 chunks."""
    needed = -(-size_bytes // MAX_CHUNKS)
    return max(MIN_CHUNK_BYTES, -(-needed // _MEBIBYTE) * _MEBIBYTE)


@dataclass(frozen=True, slots=True)
class ChunkLayout:
    """A file of `size_bytes` in chunks of `chunk_size_bytes`; the last one may be shorter."""

    size_bytes: int
    chunk_size_bytes: int

    def __post_init__(self) -> None:
        if self.size_bytes < 0 or self.chunk_size_bytes < 1:
            raise ValueError("a layout needs a size of 0 or more and a chunk size of 1 or more")

    @property
    def count(self) -> int:
        """The number of chunks; 0 for an empty file."""
        return -(-self.size_bytes // self.chunk_size_bytes)

    def offset(self, index: int) -> int:
        """The offset of chunk `index` in bytes."""
        return index * self.chunk_size_bytes

    def length(self, index: int) -> int:
        """The length of chunk `index` in bytes."""
        if not 0 <= index < self.count:
            raise IndexError(f"chunk {index} of {self.count}")
        return min(self.chunk_size_bytes, self.size_bytes - self.offset(index))


def chunk_key(prefix: str, index: int) -> str:
    """The key of chunk `index`. Writing, listing and deleting all use this function."""
    return f"{prefix}{index:08d}"


def chunk_list_root(digests: Sequence[bytes]) -> bytes:
    """The Merkle tree hash over the chunk digests, in order (RFC 9162, section 2.1.1)."""
    if not digests:
        return hashlib.sha256(b"").digest()
    level = [hashlib.sha256(b"\x00" + digest).digest() for digest in digests]
    # Pairing neighbours and promoting an unpaired last node equals the RFC's recursive split at
    # the largest power of two below n.
    while len(level) > 1:
        carried = level[-1:] if len(level) % 2 else []
        level = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ] + carried
    return level[0]
