"""Reads chunks back while later ones are being written; the verification continues from there.

Writing and reading back both keep the disk busy; in parallel they take little longer than either.
An early read counts only if the store reports these chunks as unchanged since, and the file system
reports the source as unchanged. Otherwise the verification reads everything again.
"""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING

from sagaledger.application.engine.failures import adding_to
from sagaledger.application.ingestion.transfer.read_back import SentChunk, UploadReader
from sagaledger.domain.upload.errors import ChunkMissingError
from sagaledger.domain.upload.events import ChunkWritten
from sagaledger.domain.upload.state import Upload

if TYPE_CHECKING:
    from sagaledger.domain.ports.chunk_encoding import ChunkEncoding
    from sagaledger.domain.ports.chunk_store import ChunkStore
    from sagaledger.domain.ports.source_reader import OpenSource

__all__ = ["ReadAhead"]

_FINE_TICK_NS = 100_000_000
_COARSE_TICK_NS = 2_000_000_000
"""Two changes within this time may get the same timestamp: a timer tick, or whole seconds."""
_WRITTEN_BACK_NS = 60_000_000_000
"""A write through a memory mapping updates the timestamp only if the page was clean. After this
time the system has written every dirty page back by itself (Linux: within 35 s)."""


class ReadAhead:
    """Reads one upload back in parallel to its writing. A context manager around the sending."""

    def __init__(
        self,
        chunks: ChunkStore,
        encoding: ChunkEncoding,
        upload: Upload,
        threads: int,
        source: OpenSource,
        source_changed_ns: int,
    ) -> None:
        self._chunks = chunks
        self._encoding = encoding
        self._threads = threads
        self._reader = UploadReader(chunks, encoding, upload, threads)
        self._count = upload.layout.count
        self._source = source
        self._source_changed_ns = source_changed_ns
        self._offered: SimpleQueue[tuple[ChunkWritten, str] | None] = SimpleQueue()
        self._sent: dict[int, SentChunk] = {}
        self._ending = Event()
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._run, name="sagaledger-read-ahead")

    @staticmethod
    def settled_since(source: OpenSource, now_ns: int) -> int | None:
        """The time of the source's last change, if a later change would alter it; else None."""
        if now_ns - source.changed_ns < _WRITTEN_BACK_NS and not source.write_back():
            return None
        changed_ns = source.changed_ns
        tick_ns = _FINE_TICK_NS if changed_ns % 1_000_000_000 else _COARSE_TICK_NS
        return changed_ns if now_ns - changed_ns > tick_ns else None

    def offer(self, written: ChunkWritten, etag: str) -> None:
        """Announce a durable chunk. Chunks may arrive in any order, from any thread."""
        if not self._ending.is_set():
            self._offered.put((written, etag))

    def take_reader(self, upload: Upload) -> UploadReader:
        """The reader, which continues with the upload as recorded in the log.

        Raises:
            Exception: the error that ended the early read.
        """
        if isinstance(self._failure, ChunkMissingError):
            # The verification starts by listing the chunks, and records its own event.
            return UploadReader(self._chunks, self._encoding, upload, self._threads)
        if self._failure is not None:
            raise self._failure
        self._reader.switch_to(upload)
        return self._reader

    def __enter__(self) -> ReadAhead:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._offered.put(None)
        self._thread.join()
        if self._failure is None:
            return
        if not isinstance(self._failure, Exception):
            raise self._failure
        if error is not None:
            # No verification will follow that could report this failure.
            with adding_to(error, "the read-back failed too"):
                raise self._failure

    def _run(self) -> None:
        try:
            self._reader.read_early(
                self._in_order(), self._sent, self._source, self._source_changed_ns
            )
        except BaseException as failure:  # noqa: BLE001 - the thread that joins this one raises it
            self._failure = failure
        finally:
            self._ending.set()

    def _in_order(self) -> Iterator[tuple[int, str]]:
        etags: dict[int, str] = {}
        for index in range(self._count):
            while index not in etags:
                offered = self._offered.get()
                if offered is None:
                    return
                written, etag = offered
                self._sent[written.index], etags[written.index] = written, etag
            etag = etags.pop(index)
            if self._ending.is_set() or not etag:
                return
            yield index, etag
