"""Descriptions of the floors, for the notes below the table."""

from __future__ import annotations

import platform
import sqlite3
import subprocess
from importlib.metadata import version

__all__ = ["AGGREGATE", "APPENDING", "DATA_PATH", "DISK", "READING", "copying"]

DATA_PATH = {
    "python": platform.python_version(),
    "chunks": "4 MiB, a file each",
    "threads": "4",
    "hashes": "SHA-256 of each chunk and of the whole, on both sides",
    "durable": "fdatasync of each chunk, fsync of the folder, then read back from the disk",
}
DISK = {
    "chunks": "4 MiB, written and read past the page cache, four at once each",
    "durable": "fdatasync of each chunk",
    "hashes": "none",
}
READING = {
    "sqlite3": f"{sqlite3.sqlite_version}, all rows of our file in one statement",
    "msgpack": f"{version('msgpack')}, each state unpacked and thrown away",
}
APPENDING = {
    "sqlite3": f"{sqlite3.sqlite_version}, WAL, synchronous=FULL, one transaction for each batch",
    "states": "the same bytes, encoded before",
}
AGGREGATE = {
    "eventsourcing": f"{version('eventsourcing')}, its SQLite recorder and JSON, defaults",
}


def copying() -> dict[str, str]:
    """The version of `cp`, and how its copy is made durable."""
    done = subprocess.run(["cp", "--version"], capture_output=True, text=True, check=False)
    return {
        "peer": (done.stdout.splitlines() or ["cp without a version"])[0],
        "durable": "fsync of the copy and of its folder",
    }
