"""Which chunks an upload has, in a few flat arrays: 262,144 chunks fit in 12 MB."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["DIGEST_BYTES", "ChunkRecord", "ChunkTable"]

DIGEST_BYTES = 32
_ENCODINGS = ("raw", "zstd")
_ABSENT = 255
_ENCODING_BYTES = bytes([*range(len(_ENCODINGS)), _ABSENT])
_MAX_STORED_BYTES = 2**64 - 1


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """The recorded facts about one durable chunk."""

    index: int
    sha256: bytes
    stored_bytes: int
    encoding: str


class ChunkTable:
    """The chunks that the log records as durable, by index."""

    __slots__ = ("_digests", "_encodings", "_stored_bytes", "count", "known")

    def __init__(self, count: int) -> None:
        self.count = count
        """The number of chunks of the complete upload."""
        self.known = 0
        """The number of durable chunks."""
        self._encodings = bytearray([_ABSENT]) * count
        self._stored_bytes = array("Q", bytes(8 * count))
        self._digests = bytearray(DIGEST_BYTES * count)

    def record(self, index: int, sha256: bytes, stored_bytes: int, encoding: str) -> None:
        """Record a durable chunk. A chunk that was sent again replaces the earlier record.

        Raises:
            ValueError: the index, digest, size or encoding is invalid for this upload; nothing was
                recorded.
        """
        self._check_index(index)
        if len(sha256) != DIGEST_BYTES:
            raise ValueError(f"chunk {index} has a digest of {len(sha256)} bytes")
        if not 0 <= stored_bytes <= _MAX_STORED_BYTES or encoding not in _ENCODINGS:
            raise ValueError(f"chunk {index} has {stored_bytes} bytes of {encoding!r}")
        if self._encodings[index] == _ABSENT:
            self.known += 1
        self._encodings[index] = _ENCODINGS.index(encoding)
        self._stored_bytes[index] = stored_bytes
        self._digests[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES] = sha256

    def record_all(
        self,
        indexes: Sequence[int],
        digests: Sequence[bytes],
        stored_bytes: Sequence[int],
        encodings: Sequence[str],
    ) -> None:
        """Record one or more durable chunks, with the same result as `record` for each.

        Raises:
            ValueError: one of them is invalid for this upload; others may have been recorded.
        """
        first, end = indexes[0], indexes[0] + len(indexes)
        if tuple(indexes) != tuple(range(first, end)):
            for chunk in zip(indexes, digests, stored_bytes, encodings, strict=True):
                self.record(*chunk)
            return
        # The indexes are contiguous, as almost always: each array is updated in one operation.
        self._check_index(first)
        self._check_index(end - 1)
        if {*map(len, digests)} != {DIGEST_BYTES} or not {*encodings} <= {*_ENCODINGS}:
            raise ValueError("a digest is too short or too long, or an encoding is unknown")
        try:
            sizes = array("Q", stored_bytes)
        except OverflowError as error:
            raise ValueError("a stored size is out of bounds") from error
        self.known += self._encodings.count(_ABSENT, first, end)
        self._encodings[first:end] = bytes(map(_ENCODINGS.index, encodings))
        self._stored_bytes[first:end] = sizes
        self._digests[first * DIGEST_BYTES : end * DIGEST_BYTES] = b"".join(digests)

    def forget(self, index: int) -> None:
        """Remove a chunk that the store has lost.

        Raises:
            ValueError: the index is invalid for this upload.
        """
        self._check_index(index)
        if self._encodings[index] != _ABSENT:
            self.known -= 1
        self._encodings[index] = _ABSENT
        self._stored_bytes[index] = 0
        self._digests[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES] = bytes(DIGEST_BYTES)

    def __contains__(self, index: int) -> bool:
        return 0 <= index < self.count and self._encodings[index] != _ABSENT

    def __getitem__(self, index: int) -> ChunkRecord:
        if index not in self:
            raise KeyError(index)
        return ChunkRecord(
            index,
            bytes(self._digests[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES]),
            self._stored_bytes[index],
            _ENCODINGS[self._encodings[index]],
        )

    def __iter__(self) -> Iterator[ChunkRecord]:
        return (self[index] for index in range(self.count) if index in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChunkTable) and self.to_parts() == other.to_parts()

    __hash__ = None  # type: ignore[assignment]  # Mutable: equal tables may differ later.

    @property
    def is_complete(self) -> bool:
        """Whether every chunk is durable."""
        return self.known == self.count

    @property
    def stored_bytes(self) -> int:
        """The total size of the durable chunks in the store."""
        return sum(record.stored_bytes for record in self)

    def missing(self) -> list[int]:
        """The indexes of the missing chunks, in order."""
        return [index for index in range(self.count) if self._encodings[index] == _ABSENT]

    def digests(self) -> list[bytes]:
        """The digests of the durable chunks, in order of index."""
        return [record.sha256 for record in self]

    def to_parts(self) -> tuple[int, bytes, bytes, bytes]:
        """The table as flat data for a snapshot: count, encodings, stored sizes, digests."""
        sizes = array("Q", self._stored_bytes)
        return self.count, bytes(self._encodings), sizes.tobytes(), bytes(self._digests)

    @classmethod
    def from_parts(cls, parts: tuple[int, bytes, bytes, bytes]) -> ChunkTable:
        """The table from the result of `to_parts`.

        Raises:
            ValueError: the parts are inconsistent.
        """
        count, encodings, sizes, digests = parts
        lengths = (len(encodings), len(sizes), len(digests))
        unknown = encodings.translate(None, _ENCODING_BYTES)
        if lengths != (count, 8 * count, DIGEST_BYTES * count) or unknown:
            raise ValueError("the parts of a chunk table do not fit together")
        # Bypass `__init__`, which would first allocate an empty table of this size.
        table = cls.__new__(cls)
        table.count = count
        table._encodings = bytearray(encodings)
        table._stored_bytes = array("Q", sizes)
        table._digests = bytearray(digests)
        table.known = count - encodings.count(_ABSENT)
        return table

    def _check_index(self, index: int) -> None:
        if not 0 <= index < self.count:
            raise ValueError(f"chunk index {index} is outside 0..{self.count - 1}")
