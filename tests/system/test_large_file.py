"""Memory does not grow with the file: peaks of the real command, as the system counts them.

The long run takes a file of 1.2 GiB: `pytest -m long -s tests/system/test_large_file.py`.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("sagaledger")
MIB = 1024 * 1024
SMALL = 8 * MIB
ALLOWED_GROWTH = 40 * MIB
"""Ten chunks of 4 MiB: more than are ever in flight, and far less than any file here."""


def make_file(path: Path, size: int) -> str:
    """Random bytes of this size. Returns their SHA-256."""
    digest = hashlib.sha256()
    numbers = random.Random(size)
    with path.open("wb") as file:
        for start in range(0, size, MIB):
            block = numbers.randbytes(min(MIB, size - start))
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def peak_of(*command: str | Path) -> int:
    """The peak memory of a run of the command, in bytes; it must succeed."""
    process = subprocess.Popen([COMMAND, *command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024


def ingest_and_restore(folder: Path, size: int) -> dict[str, int]:
    """The peaks of an ingest of a file of this size, of its verification and of its restoration."""
    source, data, restored = folder / f"{size}.bin", folder / "data", folder / "restored.bin"
    sha256 = make_file(source, size)
    document = f"default-{sha256[:24]}"
    peaks = {"ingest": peak_of("--data", data, "ingest", source)}
    source.unlink()
    peaks["verify"] = peak_of("--data", data, "verify", document)
    peaks["get"] = peak_of("--data", data, "get", document, "-o", restored)
    with restored.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == sha256
    restored.unlink()
    return peaks


def assert_large_peaks_like_small(folder: Path, size: int) -> dict[str, int]:
    small = ingest_and_restore(folder, SMALL)
    large = ingest_and_restore(folder, size)
    for command, peak in large.items():
        assert peak < small[command] + ALLOWED_GROWTH
    return large


def test_peak_memory_of_200_mib_is_that_of_8_mib(tmp_path: Path) -> None:
    assert_large_peaks_like_small(tmp_path, 200 * MIB)


@pytest.mark.long
def test_peak_memory_of_1_2_gib_is_that_of_8_mib(tmp_path: Path) -> None:
    peaks = assert_large_peaks_like_small(tmp_path, int(1.2 * 1024 * MIB))

    for command, peak in peaks.items():
        sys.stdout.write(f"1.2 GiB, {command}: peak {peak / MIB:.1f} MiB\n")
