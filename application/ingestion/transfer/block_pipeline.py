"""Moves a file's bytes through threads, block by block, in memory independent of the file's size.

One thread reads the blocks in order, one hashes all of them in order, and each of several others
consumes one chunk. A block's buffer returns to the pool once all threads have released it.
Hashing, file reads and file writes release the interpreter lock, so the threads run in parallel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from mmap import mmap
from queue import Empty, SimpleQueue
from threading import Lock, Semaphore
from typing import Generic, Protocol, TypeVar

from sagaledger.application.engine.failures import add, adding_to

__all__ = ["BLOCK_BYTES", "Abandoned", "Block", "BlockPipeline", "Digest", "Pacing"]

BLOCK_BYTES = 1024 * 1024
_BLOCKS_PER_WORKER = 2
_BLOCKS_PER_LOOK = 4
_T = TypeVar("_T")


class Digest(Protocol):
    """An incremental hash, like the classes of `hashlib`."""

    def update(self, data: memoryview, /) -> None:
        """Add the next bytes."""

    def digest(self) -> bytes:
        """The digest of all bytes so far."""


class Block:
    """A filled buffer that several threads read before it is reused."""

    __slots__ = ("_buffer", "_lock", "_pool", "_users", "view")

    def __init__(self, buffer: mmap, length: int, pool: SimpleQueue[mmap]) -> None:
        self.view = memoryview(buffer)[:length]
        self._buffer = buffer
        self._pool = pool
        self._users = 2
        self._lock = Lock()

    def release(self) -> None:
        """Release the buffer for one of its users. The last release returns it to the pool."""
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:
            self._pool.put(self._buffer)


class Abandoned(Exception):  # noqa: N818 - a signal between our own threads, not an error
    """The run has ended; the remaining blocks of the chunk will not arrive."""


class _ChunkBlocks:
    """A queue of the blocks of one chunk, for its consumer."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Block | type[Abandoned] | None] = SimpleQueue()
        self._ended = False

    def put(self, block: Block | type[Abandoned] | None) -> None:
        self._queue.put(block)

    def __iter__(self) -> Iterator[memoryview]:
        while isinstance(block := self._queue.get(), Block):
            try:
                yield block.view
            finally:
                block.release()
        self._ended = True
        if block is Abandoned:
            raise Abandoned

    def drain(self) -> None:
        """Release the blocks that the consumer did not read, so that the pool never runs empty."""
        # If the consumer fails after its last block, no further block arrives.
        while not self._ended:
            block = self._queue.get()
            if isinstance(block, Block):
                block.release()
            else:
                self._ended = True


class Pacing:
    """Decides when to run a checkpoint. A checkpoint costs as much as half a block.

    It is due after every few full blocks and after a chunk's last block, which is rarely full.
    """

    def __init__(self) -> None:
        self._full_blocks = 0

    def is_due(self, length: int) -> bool:
        """Whether a checkpoint is due after a block of this length."""
        self._full_blocks = self._full_blocks + 1 if length == BLOCK_BYTES else _BLOCKS_PER_LOOK
        if self._full_blocks < _BLOCKS_PER_LOOK:
            return False
        self._full_blocks = 0
        return True


class BlockPipeline(Generic[_T]):
    """Runs the chunks of a file through a reader, a hash of the whole, and a consumer per chunk.

    `read(index, offset, buffer)` fills the buffer from an offset within a chunk and returns the
    number of bytes read. `consume(index, blocks)` iterates over a chunk's blocks and returns a
    result. If the run ends before the chunk does, iterating over the blocks raises `Abandoned`.
    """

    def __init__(
        self,
        read: Callable[[int, int, memoryview], int],
        consume: Callable[[int, Iterable[memoryview]], _T],
        workers: int,
    ) -> None:
        self._read = read
        self._consume = consume
        self._workers = workers
        self._pool: SimpleQueue[mmap] = SimpleQueue()
        for _ in range(workers * _BLOCKS_PER_WORKER):
            # Anonymous maps are page-aligned, which reads and writes with O_DIRECT require.
            self._pool.put(mmap(-1, BLOCK_BYTES))
        self._results: SimpleQueue[Future[_T]] = SimpleQueue()

    def run(
        self,
        chunks: Iterable[tuple[int, int]],
        on_block: Callable[[int], None],
        on_results: Callable[[list[_T]], None],
        whole: Digest | None = None,
    ) -> tuple[int, bytes]:
        """Process the chunks in order.

        Args:
            chunks: the index of each chunk and its length in bytes.
            on_block: called in the caller's thread after each block, with the block's length.
            on_results: called in the caller's thread with finished results, in any order.
            whole: the hash that all bytes are added to in order, after the bytes it has already;
                a new SHA-256 by default.

        Returns:
            The number of bytes in this run, and the digest of the whole.

        If a thread fails, `on_results` first receives the results of all finished chunks. Then the
        first exception is raised, with the other ones as its notes.
        """
        blocks: SimpleQueue[Block | None] = SimpleQueue()
        try:
            with ThreadPoolExecutor(self._workers + 1, "sagaledger-blocks") as threads:
                hashed = threads.submit(_hash_all, blocks, whole or hashlib.sha256())
                try:
                    size = self._send_all(threads, chunks, blocks, on_block, on_results)
                finally:
                    blocks.put(None)
        except BaseException as error:
            # Finished chunks are delivered no matter what ended the run.
            with adding_to(error, "besides"):
                failure = self._deliver(on_results)
                if failure is not None:
                    raise failure from error
            raise
        failure = self._deliver(on_results)
        if failure is not None:
            raise failure
        return size, hashed.result()

    def _send_all(
        self,
        threads: ThreadPoolExecutor,
        chunks: Iterable[tuple[int, int]],
        whole: SimpleQueue[Block | None],
        on_block: Callable[[int], None],
        on_results: Callable[[list[_T]], None],
    ) -> int:
        # A chunk starts only when a thread is free: a chunk that waits for a thread could hold all
        # the buffers that the running chunks need.
        in_flight = Semaphore(self._workers)
        size = 0
        for index, length in chunks:
            in_flight.acquire()
            size += self._send_chunk(threads, index, length, whole, in_flight, on_block)
            failure = self._deliver(on_results)
            if failure is not None:
                raise failure
        return size

    def _send_chunk(
        self,
        threads: ThreadPoolExecutor,
        index: int,
        length: int,
        whole: SimpleQueue[Block | None],
        in_flight: Semaphore,
        on_block: Callable[[int], None],
    ) -> int:
        blocks = _ChunkBlocks()
        future = threads.submit(self._consume_chunk, index, blocks)

        def done(finished: Future[_T]) -> None:
            self._results.put(finished)
            in_flight.release()

        future.add_done_callback(done)
        sent = 0
        try:
            while sent < length:
                buffer = self._pool.get()
                wanted = min(BLOCK_BYTES, length - sent)
                try:
                    got = self._read(index, sent, memoryview(buffer)[:wanted])
                except BaseException:
                    self._pool.put(buffer)
                    raise
                if got == 0:
                    self._pool.put(buffer)
                    break
                block = Block(buffer, got, self._pool)
                whole.put(block)
                blocks.put(block)
                sent += got
                on_block(got)
        except BaseException:
            blocks.put(Abandoned)
            raise
        blocks.put(None)
        return sent

    def _consume_chunk(self, index: int, blocks: _ChunkBlocks) -> _T:
        iterator = iter(blocks)
        try:
            return self._consume(index, iterator)
        except Abandoned:
            raise
        except BaseException:
            iterator.close()  # type: ignore[attr-defined]  # It is a generator: this releases its block.
            blocks.drain()
            raise

    def _deliver(self, on_results: Callable[[list[_T]], None]) -> BaseException | None:
        """Pass finished results to the caller. Returns the failures as one exception with notes."""
        results: list[_T] = []
        failures: list[BaseException] = []
        with suppress(Empty):
            while True:
                future = self._results.get_nowait()
                error = future.exception()
                if error is None:
                    results.append(future.result())
                elif not isinstance(error, Abandoned):
                    failures.append(error)
        failure = next(iter(failures), None)
        for other in failures[1:]:
            add(failures[0], other, "another chunk")
        with adding_to(failure, "the finished results could not be delivered"):
            if results:
                on_results(results)
        return failure


def _hash_all(blocks: SimpleQueue[Block | None], digest: Digest) -> bytes:
    while (block := blocks.get()) is not None:
        digest.update(block.view)
        block.release()
    return digest.digest()
