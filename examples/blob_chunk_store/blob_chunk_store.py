"""A chunk store that packs the chunks of one upload into one SQLite file.

A million chunks are a handful of files. Each chunk is a row, so that committing one is a
transaction; SQLite makes it whole and durable. A chunk is held in memory while it is written.
"""

from __future__ import annotations

import io
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from uuid import uuid4

from sagaledger.ports import (
    AdapterContext,
    Buffer,
    ChunkExistsError,
    ChunkMissingError,
    ChunkWriter,
    StorageBackendError,
    StorageFullError,
    StoredChunk,
    StoreUrl,
)

__all__ = ["BlobChunkStore", "open_chunk_store"]

_Rows: TypeAlias = list[tuple[Any, ...]]

_PREFIX = re.compile(r"([0-9a-f]{32})/")
_KEY = re.compile(r"([0-9a-f]{32}/)([0-9]{8,})")
_SUFFIX = ".blobs"
_BUSY_TIMEOUT_S = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS chunks (number TEXT PRIMARY KEY, mark TEXT NOT NULL, bytes BLOB NOT NULL)
"""


def open_chunk_store(url: StoreUrl, context: AdapterContext) -> BlobChunkStore:
    """The store that `blob:///folder` names: the entry point of this package."""
    return BlobChunkStore(url.path_in(context.data_folder))


class BlobChunkStore:
    """One file an upload, `<upload id>.blobs`. Safe for several threads and processes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    @property
    def name(self) -> str:
        """The store's name in events and residue."""
        return "chunks"

    @property
    def read_from(self) -> str:
        """How real a read is."""
        return "SQLite file, page cache of the system"

    def open_prefix(self, prefix: str) -> None:
        """Make the upload's file, durably. Idempotent."""
        path = self._path_of(prefix)
        with _errors("open prefix"):
            with closing(_connected(path, "rwc")) as connection:
                connection.execute(_SCHEMA)
            self._sync()

    def create(self, key: str) -> ChunkWriter:
        """Begin a chunk, in memory."""
        prefix, number = _parts_of(key)
        path = self._path_of(prefix)
        if not path.exists():
            raise StorageBackendError("chunks", "create", "the upload's file is not there")
        return _BlobWriter(path, key, number)

    def flush(self, prefix: str) -> None:
        """Nothing to do: each commit and each delete is durable on return."""
        self._path_of(prefix)

    def open(self, key: str) -> BinaryIO:
        """The stored bytes."""
        prefix, number = _parts_of(key)
        rows = self._rows(prefix, "open", "SELECT bytes FROM chunks WHERE number=?", number)
        if not rows:
            raise ChunkMissingError(key)
        return io.BytesIO(rows[0][0])

    def list(self, prefix: str) -> Iterator[StoredChunk]:
        """The committed chunks under a prefix, in order of key."""
        select = "SELECT number, length(bytes), mark FROM chunks ORDER BY number"
        rows = self._rows(prefix, "list", select)
        return (StoredChunk(prefix + number, size, mark) for number, size, mark in rows)

    def delete(self, key: str) -> bool:
        """Remove a chunk. Returns False if it does not exist."""
        prefix, number = _parts_of(key)
        path = self._path_of(prefix)
        if not path.exists():
            return False
        with _errors("delete"), closing(_connected(path)) as connection:
            found = _has_table(connection)
            delete = "DELETE FROM chunks WHERE number=?"
            return found and connection.execute(delete, (number,)).rowcount > 0

    def close_prefix(self, prefix: str) -> None:
        """Remove the upload's file, if it holds no chunk. Idempotent."""
        path = self._path_of(prefix)
        if not path.exists():
            return
        with _errors("close prefix"), closing(_connected(path)) as connection:
            # Until it is committed nobody else writes, and afterwards a late writer finds no table.
            connection.execute("BEGIN EXCLUSIVE")
            if _has_table(connection):
                if connection.execute("SELECT count(*) FROM chunks").fetchone() != (0,):
                    connection.execute("ROLLBACK")
                    raise StorageBackendError("chunks", "close prefix", "chunks are still there")
                connection.execute("DROP TABLE chunks")
            connection.execute("COMMIT")
            path.unlink(missing_ok=True)
            self._sync()

    def prefixes(self) -> Iterator[str]:
        """Every prefix that has a file."""
        return (f"{path.stem}/" for path in sorted(self._folder.glob(f"*{_SUFFIX}")))

    def _path_of(self, prefix: str) -> Path:
        found = _PREFIX.fullmatch(prefix)
        if found is None:
            raise StorageBackendError("chunks", "open", f"{prefix!r} is not a chunk prefix")
        return self._folder / f"{found[1]}{_SUFFIX}"

    def _rows(self, prefix: str, operation: str, select: str, *values: str) -> _Rows:
        path = self._path_of(prefix)
        if not path.exists():
            return []
        with _errors(operation), closing(_connected(path)) as connection:
            return connection.execute(select, values).fetchall() if _has_table(connection) else []

    def _sync(self) -> None:
        """Make the names in the folder durable."""
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class _BlobWriter:
    """Collects the bytes of one chunk; `commit` stores them in one transaction."""

    def __init__(self, path: Path, key: str, number: str) -> None:
        self._path = path
        self._key = key
        self._number = number
        self._bytes = bytearray()

    def write(self, block: Buffer) -> None:
        self._bytes += block

    def commit(self) -> str:
        mark = uuid4().hex
        with _errors("commit"), closing(_connected(self._path)) as connection:
            try:
                connection.execute(
                    "INSERT INTO chunks VALUES (?,?,?)", (self._number, mark, self._bytes)
                )
            except sqlite3.IntegrityError as error:
                raise ChunkExistsError(self._key) from error
        return mark

    def abort(self) -> None:
        self._bytes.clear()


def _parts_of(key: str) -> tuple[str, str]:
    found = _KEY.fullmatch(key)
    if found is None:
        raise StorageBackendError("chunks", "open", f"{key!r} is not a chunk key")
    return found[1], found[2]


def _connected(path: Path, mode: str = "rw") -> sqlite3.Connection:
    """A connection that creates no file unless requested, in which each statement commits."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        timeout=_BUSY_TIMEOUT_S,
        isolation_level=None,
        uri=True,
    )
    # Also the end of a transaction, which is the end of a journal file, survives a power loss.
    connection.execute("PRAGMA synchronous=EXTRA")
    return connection


def _has_table(connection: sqlite3.Connection) -> bool:
    """Whether the upload is open: its file is made, and removed, in two moments."""
    return bool(connection.execute("SELECT 1 FROM sqlite_schema").fetchall())


@contextmanager
def _errors(operation: str) -> Iterator[None]:
    """What SQLite and the system say, as errors of a store."""
    try:
        yield
    except sqlite3.Error as error:
        kind = (
            StorageFullError
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
            else StorageBackendError
        )
        raise kind("chunks", operation, str(error)) from error
    except OSError as error:
        raise StorageBackendError("chunks", operation, str(error)) from error
