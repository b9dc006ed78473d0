"""The verified chunks as one seekable file: the indexed bytes are the verified bytes."""

from __future__ import annotations

import io
import tempfile
from typing import IO, TYPE_CHECKING

from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.errors import ChunkMissingError
from sagaledger.domain.upload.state import Upload

if TYPE_CHECKING:
    from sagaledger.domain.ports.chunk_encoding import ChunkEncoding
    from sagaledger.domain.ports.chunk_store import ChunkStore

__all__ = ["ChunkReader"]

_COPY_BYTES = 1024 * 1024


class ChunkReader(io.RawIOBase):
    """Reads an upload's plain bytes from the chunk store, with one chunk open at a time.

    A compressed chunk is first unpacked into a temporary file, because it cannot be read from the
    middle. Reading raises StorageBackendError if the store fails.
    """

    def __init__(self, chunks: ChunkStore, encoding: ChunkEncoding, upload: Upload) -> None:
        super().__init__()
        self._chunks = chunks
        self._encoding = encoding
        self._upload = upload
        self._position = 0
        self._open: tuple[int, IO[bytes]] | None = None

    def readable(self) -> bool:
        """Always True."""
        return True

    def seekable(self) -> bool:
        """Always True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position within the whole file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position}.get(
            whence, self._upload.layout.size_bytes
        )
        if base + offset < 0:
            raise ValueError(f"negative position {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """The current position within the whole file."""
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # The base class accepts any buffer; callers pass only these.
        """Fill the buffer, at most up to the end of the current chunk. Returns the bytes read."""
        layout = self._upload.layout
        if self._position >= layout.size_bytes or not len(buffer):
            return 0
        index, offset = divmod(self._position, layout.chunk_size_bytes)
        wanted = min(len(buffer), layout.length(index) - offset)
        file = self._chunk(index)
        try:
            file.seek(offset)
            block = file.read(wanted)
        except OSError as error:
            raise StorageBackendError(self._chunks.name, "read", str(error)) from error
        if len(block) == 0:
            raise StorageBackendError(
                self._chunks.name, "read", f"chunk {index} ends early at byte {offset}"
            )
        memoryview(buffer)[: len(block)] = block
        self._position += len(block)
        return len(block)

    def close(self) -> None:
        """Close the open chunk."""
        if self._open is not None:
            self._open[1].close()
            self._open = None
        super().close()

    def _chunk(self, index: int) -> IO[bytes]:
        if self._open is not None and self._open[0] == index:
            return self._open[1]
        if self._open is not None:
            self._open[1].close()
            self._open = None
        key = chunk_key(self._upload.key_prefix, index)
        try:
            file: IO[bytes] = self._chunks.open(key)
        except ChunkMissingError as error:
            raise StorageBackendError(self._chunks.name, "read", str(error)) from error
        if self._upload.chunks[index].encoding != "raw":
            file = self._unpack(index, file)
        self._open = (index, file)
        return file

    def _unpack(self, index: int, stored: IO[bytes]) -> IO[bytes]:
        unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - it outlives this call
        with self._encoding.decode(self._upload.chunks[index].encoding, stored) as plain:  # type: ignore[arg-type]  # The store returns a binary file.
            while block := plain.read(_COPY_BYTES):
                unpacked.write(block)
        return unpacked
