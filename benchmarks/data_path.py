"""The bare data path in plain Python, in sequence: the minimum of every ingestion that verifies.

Chunks of 4 MiB, SHA-256 of each and of the whole, a durable file each (write, fdatasync, dropped
from the page cache, rename, the folder synced), four threads; then every chunk is read back from
the disk, hashed again in both ways and held against the source.

Also the time of the disk alone for the same bytes, without any computation or copy in memory.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from mmap import mmap
from pathlib import Path

__all__ = ["sent_and_read_back", "written_and_read"]

_CHUNK_BYTES = 4 * 1024 * 1024
_THREADS = 4


def sent_and_read_back(source: Path, folder: Path) -> float:
    """The time in seconds. The chunks are removed afterwards."""
    folder.mkdir()
    began_s = time.perf_counter()
    count = -(-source.stat().st_size // _CHUNK_BYTES)
    file = os.open(source, os.O_RDONLY)
    with ThreadPoolExecutor(_THREADS) as threads:
        sent = _hashed(threads, count, lambda index: _read(file, index), folder, _written)
        _sync(folder)
        found = _hashed(
            threads, count, lambda index: (folder / str(index)).read_bytes(), file, _same
        )
    os.close(file)
    taken_s = time.perf_counter() - began_s
    assert sent == found
    shutil.rmtree(folder)
    return taken_s


def written_and_read(size_bytes: int, folder: Path) -> float:
    """The seconds that the disk takes to write so many bytes durably, and to read them in parallel.

    With O_DIRECT, in chunks of 4 MiB, with four concurrent writes and four concurrent reads.
    """
    folder.mkdir()
    content = mmap(-1, _CHUNK_BYTES)
    content.write(os.urandom(_CHUNK_BYTES))
    count = -(-size_bytes // _CHUNK_BYTES)

    def write(index: int) -> None:
        file = os.open(folder / str(index), os.O_WRONLY | os.O_CREAT | os.O_DIRECT, 0o600)
        os.write(file, content)
        os.fdatasync(file)
        os.close(file)

    def read(index: int) -> None:
        written[index].result()
        file = os.open(folder / str(index), os.O_RDONLY | os.O_DIRECT)
        os.readv(file, [mmap(-1, _CHUNK_BYTES)])
        os.close(file)

    began_s = time.perf_counter()
    with ThreadPoolExecutor(_THREADS) as writers, ThreadPoolExecutor(_THREADS) as readers:
        written = [writers.submit(write, index) for index in range(count)]
        for done in [readers.submit(read, index) for index in range(count)]:
            done.result()
    taken_s = time.perf_counter() - began_s
    shutil.rmtree(folder)
    return taken_s


def _hashed(
    threads: ThreadPoolExecutor,
    count: int,
    block_of: Callable[[int], bytes],
    place: Path | int,
    work: Callable[..., None],
) -> tuple[str, list[bytes]]:
    """The digest of the whole and of each chunk; `work` is called for each chunk."""
    whole = hashlib.sha256()
    digests: list[bytes] = []

    def one(index: int, block: bytes) -> bytes:
        work(place, index, block)
        return hashlib.sha256(block).digest()

    waiting: deque[Future[bytes]] = deque()
    hashing: Future[None] | None = None
    for index, block in enumerate(_ahead(threads, count, block_of)):
        if hashing is not None:
            hashing.result()
        hashing = threads.submit(whole.update, block)
        waiting.append(threads.submit(one, index, block))
        if len(waiting) >= _THREADS:
            digests.append(waiting.popleft().result())
    digests += [future.result() for future in waiting]
    if hashing is not None:
        hashing.result()
    return whole.hexdigest(), digests


def _ahead(
    threads: ThreadPoolExecutor, count: int, block_of: Callable[[int], bytes]
) -> Iterator[bytes]:
    """The blocks in order; the next one is read while the caller processes this one."""
    coming = threads.submit(block_of, 0)
    for index in range(count):
        block = coming.result()
        if index + 1 < count:
            coming = threads.submit(block_of, index + 1)
        yield block


def _read(file: int, index: int) -> bytes:
    return os.pread(file, _CHUNK_BYTES, index * _CHUNK_BYTES)


def _written(folder: Path, index: int, block: bytes) -> None:
    partial = folder / f".{index}"
    with partial.open("wb", buffering=0) as file:
        file.write(block)
        os.fdatasync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    partial.rename(folder / str(index))


def _same(source: int, index: int, block: bytes) -> None:
    assert _read(source, index) == block


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)
