"""Ingestion inside a running process, compared with `cp` and a sync of the copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sagaledger import StreamingSagaConfig, open_ledger

from benchmarks import floors
from benchmarks.data_path import sent_and_read_back, written_and_read
from benchmarks.harness import Comparison, interleaved, settled
from benchmarks.worker import Worker

__all__ = ["against_cp", "copied", "ingester", "random_file"]

_MIB = 1024 * 1024
_SIZES_MIB = (300, 1024)
_TARGET = 1.5


def against_cp(scratch: Path, rounds: int) -> Iterator[Comparison]:
    """All nine steps including the read-back, compared with the time of a durable copy."""
    for size_mib in _SIZES_MIB:
        source = random_file(scratch / f"{size_mib}.bin", size_mib * _MIB)
        with Worker(ingester, scratch / f"data-{size_mib}") as worker:

            def ours(_round: int, source: Path = source, worker: Worker = worker) -> float:
                taken_s: float = worker(source)
                return taken_s

            def theirs(_round: int, source: Path = source) -> float:
                return copied(source, scratch / "copy")

            figures = interleaved(rounds, settled(ours), settled(theirs))
            yield Comparison(
                "ingest",
                f"{size_mib} MiB",
                "cp + sync",
                *figures,
                "s",
                _TARGET,
                at_most=True,
                peak_mib=worker.peak_mib,
                settings=floors.copying(),
            )

            def bare(_round: int, source: Path = source) -> float:
                return sent_and_read_back(source, scratch / "chunks")

            yield Comparison(
                "ingest",
                f"{size_mib} MiB",
                "the bare data path",
                *interleaved(rounds, settled(ours), settled(bare)),
                "s",
                None,
                at_most=True,
                peak_mib=worker.peak_mib,
                settings=floors.DATA_PATH,
            )

            def disk(_round: int, size_bytes: int = size_mib * _MIB) -> float:
                return written_and_read(size_bytes, scratch / "chunks")

            yield Comparison(
                "ingest",
                f"{size_mib} MiB",
                "the disk alone",
                *interleaved(rounds, settled(ours), settled(disk)),
                "s",
                None,
                at_most=True,
                peak_mib=worker.peak_mib,
                settings=floors.DISK,
            )
        source.unlink()
        shutil.rmtree(scratch / f"data-{size_mib}")


def random_file(path: Path, size_bytes: int) -> Path:
    """Create a durable file of random bytes that is also in the page cache."""
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        for _ in range(0, size_bytes, 4 * _MIB):
            file.write(os.urandom(min(4 * _MIB, size_bytes)))
        file.flush()
        os.fsync(file.fileno())
    return path


def copied(source: Path, copy: Path) -> float:
    """The time in seconds until `cp` has made a durable copy."""
    began_s = time.perf_counter()
    subprocess.run(["cp", source, copy], check=True)
    for path, flags in ((copy, os.O_RDONLY), (copy.parent, os.O_RDONLY | os.O_DIRECTORY)):
        descriptor = os.open(path, flags)
        os.fsync(descriptor)
        os.close(descriptor)
    taken_s = time.perf_counter() - began_s
    copy.unlink()
    return taken_s


def ingester(data: Path) -> Callable[[Path], float]:
    """Open a ledger. The returned function ingests a file and returns the time in seconds."""
    ledger = open_ledger(data, StreamingSagaConfig(again=True))

    def ingest(source: Path) -> float:
        began_s = time.perf_counter()
        done = ledger.ingest(source)
        taken_s = time.perf_counter() - began_s
        assert done.document is not None
        # Free the space for the next round; the figure does not include the deletion.
        ledger.delete(done.document)
        return taken_s

    return ingest
