"""A staging file for a rebuild, next to the file that readers use."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagaledger.domain.errors import StorageBackendError

__all__ = ["discard", "staging_file"]


@contextmanager
def staging_file(served: Path | None) -> Iterator[Path]:
    """The path for a new database file, for the length of a `with` block; one process at a time.

    The call waits for another process in such a block, and removes the file of a killed process.

    Raises:
        StorageBackendError: the folder cannot be used.
    """
    if served is None:
        with tempfile.TemporaryDirectory(prefix="sagaledger-") as folder:
            yield Path(folder) / "staging.db"
        return
    path = served.with_name(f"{served.name}.rebuild")
    try:
        turn = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageBackendError("projections", "rebuild", str(error)) from error
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        discard(path)
        yield path
        discard(path)
    finally:
        os.close(turn)


def discard(path: Path) -> None:
    """Remove a database file with its write-ahead log."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
