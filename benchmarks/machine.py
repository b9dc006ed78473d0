"""The machine of a run: the facts that a comparison with another run needs."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path

__all__ = ["machine"]

_MOUNTS = Path("/proc/self/mountinfo")
_MEMORY = Path("/proc/meminfo")
_KIB_PER_GIB = 1024 * 1024


def machine(scratch: Path) -> dict[str, str]:
    """The machine, its software, and the file system of the scratch folder."""
    return {
        "sagaledger": version("sagaledger"),
        "cpus": str(os.cpu_count()),
        "processor": platform.machine(),
        "memory": _memory(),
        "kernel": f"{platform.system()} {platform.release()}",
        "file system": _file_system(scratch),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "eventsourcing": version("eventsourcing"),
        "msgpack": version("msgpack"),
    }


def _memory() -> str:
    if not _MEMORY.exists():
        return "unknown"
    total_kib = int(_MEMORY.read_text().split(maxsplit=2)[1])
    return f"{total_kib / _KIB_PER_GIB:.0f} GiB"


def _file_system(folder: Path) -> str:
    """The kernel's name for the type of a folder's file system."""
    if not _MOUNTS.exists():
        return "unknown"
    at = folder.resolve()
    found = {}
    for line in _MOUNTS.read_text().splitlines():
        place, kind = line.split(" - ", 1)
        # A later mount at the same place covers the earlier one.
        found[Path(place.split()[4])] = kind.split()[0]
    return next(found[place] for place in (at, *at.parents) if place in found)
