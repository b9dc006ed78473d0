"""Reads chunks back while later ones are still written, for the verification to go on from.

Writing keeps the disk busy and reading back keeps it busy again: side by side they take little
longer than either. What was read early counts only where the store says that these chunks have not
changed since, and the file system that the source has not; else the verification reads all again.
"""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from threading import Event, Thread
from types import TracebackType

from sagaledger.application.engine.failures import adding_to
from sagaledger.application.ingestion.transfer.read_back import SentChunk, UploadReader
from sagaledger.domain.ports.chunk_encoding import ChunkEncoding
from sagaledger.domain.ports.chunk_store import ChunkStore
from sagaledger.domain.ports.source_reader import OpenSource
from sagaledger.domain.upload.errors import ChunkMissingError
from sagaledger.domain.upload.events import ChunkWritten
from sagaledger.domain.upload.state import Upload

__all__ = ["ReadAhead"]

_FINE_TICK_NS = 100_000_000
_COARSE_TICK_NS = 2_000_000_000
"""How far apart two changes may be that get the same time: a timer tick, or whole seconds."""
_WRITTEN_BACK_NS = 60_000_000_000
"""What a program stores through a mapping changes the time only with the first store into a page
since it was written back. By then the system has done that by itself (Linux: within 35 s)."""


class ReadAhead:
    """One upload's reading beside its writing. A context manager around the sending."""

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
        """When the source last changed, if any later change would show; else None."""
        if now_ns - source.changed_ns < _WRITTEN_BACK_NS and not source.write_back():
            return None
        changed_ns = source.changed_ns
        tick_ns = _FINE_TICK_NS if changed_ns % 1_000_000_000 else _COARSE_TICK_NS
        return changed_ns if now_ns - changed_ns > tick_ns else None

    def offer(self, written: ChunkWritten, mark: str) -> None:
        """Say that a chunk can be read. Chunks may come in any order, from any thread."""
        if not self._ending.is_set():
            self._offered.put((written, mark))

    def taken_over(self, upload: Upload) -> UploadReader:
        """The reader, to go on with, for the upload as the log has it by now.

        Raises:
            Exception: whatever ended the reading.
        """
        if isinstance(self._failure, ChunkMissingError):
            # The verification begins by listing what is there, and has an event for it.
            return UploadReader(self._chunks, self._encoding, upload, self._threads)
        if self._failure is not None:
            raise self._failure
        self._reader.go_on_for(upload)
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
            # The verification, which would tell of it, does not come.
            with adding_to(error, "reading back failed too"):
                raise self._failure

    def _run(self) -> None:
        try:
            self._reader.read_begun(
                self._in_order(), self._sent, self._source, self._source_changed_ns
            )
        except BaseException as failure:  # noqa: BLE001 - the thread that joins this one raises it
            self._failure = failure
        finally:
            self._ending.set()

    def _in_order(self) -> Iterator[tuple[int, str]]:
        marks: dict[int, str] = {}
        for index in range(self._count):
            while index not in marks:
                offered = self._offered.get()
                if offered is None:
                    return
                written, mark = offered
                self._sent[written.index], marks[written.index] = written, mark
            mark = marks.pop(index)
            if self._ending.is_set() or not mark:
                return
            yield index, mark
