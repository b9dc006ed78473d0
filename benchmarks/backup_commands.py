"""The whole command from process start, compared with backup tools that write and verify a file.

restic (https://restic.net), BorgBackup (https://www.borgbackup.org) and rclone (https://rclone.org),
each with a new repository on the same disk, default settings, and its own full verification.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import Comparison, LeftOut, interleaved
from benchmarks.ingest import random_file
from benchmarks.processes import run_to_end

__all__ = ["against_backup_tools"]

_SIZE_BYTES = 300 * 1024 * 1024
_SETTINGS = {
    "RESTIC_PASSWORD": "benchmark",
    "BORG_PASSPHRASE": "benchmark",
    "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
}


@dataclass(frozen=True, slots=True)
class _Tool:
    name: str
    target: float
    """The required speed-up of our command."""
    version: Sequence[str]
    prepare: Callable[[Path], Sequence[Sequence[str]]]
    commands: Callable[[Path, Path], Sequence[Sequence[str]]]
    """The measured commands, for a source and a target."""


_TOOLS = (
    _Tool(
        "restic backup, check --read-data",
        5.0,
        ("restic", "version"),
        lambda place: [("restic", "-q", "-r", str(place), "init")],
        lambda source, place: [
            ("restic", "-q", "-r", str(place), "backup", str(source)),
            ("restic", "-q", "-r", str(place), "check", "--read-data"),
        ],
    ),
    _Tool(
        "borg create, check --verify-data",
        3.0,
        ("borg", "--version"),
        lambda place: [("borg", "init", "--encryption", "none", str(place))],
        lambda source, place: [
            ("borg", "create", f"{place}::one", str(source)),
            ("borg", "check", "--verify-data", str(place)),
        ],
    ),
    _Tool(
        "rclone copy, check --download",
        2.0,
        ("rclone", "version"),
        lambda place: [("mkdir", str(place))],
        lambda source, place: [
            ("rclone", "copy", str(source), str(place)),
            ("sync", "-f", str(place)),
            ("rclone", "check", "--download", str(source), str(place)),
        ],
    ),
)


def against_backup_tools(scratch: Path, rounds: int) -> Iterator[Comparison | LeftOut]:
    """The time of each tool divided by ours, for the same 300 MiB of random bytes."""
    sagaledger = Path(sys.executable).with_name("sagaledger")
    source = random_file(scratch / "source" / "300.bin", _SIZE_BYTES)
    for tool in _TOOLS:
        if shutil.which(tool.version[0]) is None:
            yield LeftOut("command", f"{tool.version[0]} is not installed")
            continue

        peaks: list[float] = []

        def ours(number: int, peaks: list[float] = peaks) -> float:
            data = scratch / f"data-{number}"
            taken_s, peak_mib = _timed(
                [(str(sagaledger), "--data", str(data), "ingest", str(source))]
            )
            peaks.append(peak_mib)
            shutil.rmtree(data)
            return taken_s

        def theirs(number: int, tool: _Tool = tool) -> float:
            place = scratch / f"place-{number}"
            _timed(tool.prepare(place))
            taken_s, _ = _timed(tool.commands(source, place))
            shutil.rmtree(place)
            return taken_s

        mine, others = interleaved(rounds, ours, theirs)
        yield Comparison(
            "command",
            "300 MiB, times faster",
            tool.name,
            mine,
            others,
            "s",
            tool.target,
            at_most=False,
            times_faster=True,
            peak_mib=max(peaks),
            settings={"peer": _version(tool)},
        )


def _timed(commands: Sequence[Sequence[str]]) -> tuple[float, float]:
    """The total time in seconds, and the largest peak memory of a command in MiB."""
    began_s = time.perf_counter()
    peak_mib = 0.0
    for command in commands:
        done = run_to_end(command, {**os.environ, **_SETTINGS})
        peak_mib = max(peak_mib, done.peak_mib or 0.0)
        assert done.returncode == 0, f"{command[0]}: {done.stderr}"
    return time.perf_counter() - began_s, peak_mib


def _version(tool: _Tool) -> str:
    done = subprocess.run(tool.version, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]
