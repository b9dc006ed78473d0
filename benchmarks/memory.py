"""Peak memory above the bare process, for files of 300 MiB, 5 GiB and 10 GiB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Comparison
from benchmarks.ingest import ingester, random_file
from benchmarks.worker import Worker

__all__ = ["of_several_sizes"]

_MIB = 1024 * 1024
_SMALL_MIB, _LARGE_MIB, _HUGE_MIB = 300, 5 * 1024, 10 * 1024
_LIMIT_MIB = 100.0


def of_several_sizes(scratch: Path, rounds: int) -> Iterator[Comparison]:
    """Each measurement in a separate process; the largest file once."""
    peaks: dict[int, list[float]] = {_SMALL_MIB: [], _LARGE_MIB: [], _HUGE_MIB: []}
    for size_mib in peaks:
        source = random_file(scratch / f"{size_mib}.bin", size_mib * _MIB)
        for _ in range(rounds if size_mib < _HUGE_MIB else 1):
            with Worker(ingester, scratch / f"data-{size_mib}") as worker:
                worker(source)
                peaks[size_mib].append(worker.above_bare_mib)
        source.unlink()
    small, large = peaks[_SMALL_MIB], peaks[_LARGE_MIB]
    yield Comparison(
        "memory", "5 GiB", "300 MiB", large, small, "MiB", 1.05, at_most=True, peak_mib=max(large)
    )
    yield Comparison(
        "memory", "5 GiB", "the limit", large, [_LIMIT_MIB] * rounds, "MiB", 1.0, at_most=True,
        peak_mib=max(large),
    )  # fmt: skip
    (huge,) = peaks[_HUGE_MIB]
    yield Comparison(
        "memory", "10 GiB", "1 % of the file", [huge], [_HUGE_MIB / 100], "MiB", 1.0, at_most=True,
        peak_mib=huge,
    )  # fmt: skip
