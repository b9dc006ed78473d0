"""A vector store in plain SQLite that compares a query with every vector, one by one.

Exact, without an extension and without numpy; good for some ten thousand passages.
"""

from __future__ import annotations

import heapq
import math
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from sagaledger.ports import (
    AdapterContext,
    DocumentOwner,
    EmbedderIdentity,
    EmbedderMismatchError,
    OwnershipCheck,
    StorageBackendError,
    StorageFullError,
    StoreUrl,
    VectorHit,
    VectorInvalidError,
    VectorRow,
)

__all__ = ["FlatVectorStore", "open_vector_store"]

_BUSY_TIMEOUT_S = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS embedder (name TEXT NOT NULL, dimension INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS vectors (
    document_id TEXT NOT NULL,
    saga_id TEXT NOT NULL,
    passage INTEGER NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (document_id, saga_id, passage)) WITHOUT ROWID;
"""


def open_vector_store(url: StoreUrl, context: AdapterContext) -> FlatVectorStore:
    """The store that `flat:///vectors.db` names: the entry point of this package."""
    return FlatVectorStore(url.path_in(context.data_folder))


class FlatVectorStore:
    """One SQLite file. Safe for several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._lock = RLock()
        with _errors("open"):
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.executescript(_SCHEMA)

    @property
    def name(self) -> str:
        """The store's name in events and residue."""
        return "vector"

    def prepare(self, embedder: EmbedderIdentity) -> None:
        """Bind the store to one embedder, permanently the first time."""
        with self._transaction("prepare"):
            stored = self._embedder()
            if stored is None:
                insert = "INSERT INTO embedder VALUES (?,?)"
                self._connection.execute(insert, (embedder.name, embedder.dimension))
            elif stored != embedder:
                raise EmbedderMismatchError(stored, embedder)

    def upsert(
        self, owner: DocumentOwner, rows: Iterable[VectorRow], check_ownership: OwnershipCheck
    ) -> int:
        """Replace the owner's vectors by these, in one transaction. Returns their number."""
        with self._transaction("upsert"):
            # Asked while nobody else can write: a writer that was overtaken changes nothing.
            check_ownership()
            embedder = self._embedder()
            if embedder is None:
                raise StorageBackendError(self.name, "upsert", "the store is not prepared")
            self._delete(owner)
            self._connection.executemany(
                "INSERT INTO vectors VALUES (?,?,?,?)",
                (
                    (owner.document_id, owner.saga_id, row.passage, _checked(row.vector, embedder))
                    for row in rows
                ),
            )
            return self.count(owner)

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's vectors. Returns how many there were."""
        with self._transaction("delete"):
            return self._delete(owner)

    def count(self, owner: DocumentOwner) -> int:
        """How many vectors the owner has."""
        select = "SELECT count(*) FROM vectors WHERE document_id=? AND saga_id=?"
        with self._lock, _errors("count"):
            found = self._connection.execute(select, (owner.document_id, owner.saga_id))
            return int(found.fetchone()[0])

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has vectors."""
        select = "SELECT DISTINCT document_id, saga_id FROM vectors"
        with self._lock, _errors("list"):
            rows = self._connection.execute(select).fetchall()
        return (DocumentOwner(*row) for row in rows)

    def search(self, vector: bytes, limit: int) -> Sequence[VectorHit]:
        """The nearest vectors of any owner, nearest first."""
        with self._lock, _errors("search"):
            embedder = self._embedder()
            if embedder is None or limit < 1:
                return []
            query = array("f", _checked(vector, embedder))
            rows = self._connection.execute("SELECT * FROM vectors")
            # A zero vector has no direction, and is near to nothing.
            hits = (
                VectorHit(document, saga, passage, _cosine(query, array("f", stored)))
                for document, saga, passage, stored in rows
                if any(query) and any(stored)
            )
            return heapq.nsmallest(limit, hits, key=lambda hit: (-hit.score, hit.passage))

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def _delete(self, owner: DocumentOwner) -> int:
        return self._connection.execute(
            "DELETE FROM vectors WHERE document_id=? AND saga_id=?",
            (owner.document_id, owner.saga_id),
        ).rowcount

    def _embedder(self) -> EmbedderIdentity | None:
        row = self._connection.execute("SELECT * FROM embedder").fetchone()
        return None if row is None else EmbedderIdentity(*row)

    @contextmanager
    def _transaction(self, operation: str) -> Iterator[None]:
        with self._lock, _errors(operation):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _checked(vector: bytes, embedder: EmbedderIdentity) -> bytes:
    if len(vector) != 4 * embedder.dimension:
        raise VectorInvalidError(f"it has {len(vector)} bytes, not 4 for each dimension")
    if not all(map(math.isfinite, array("f", vector))):
        raise VectorInvalidError("one of its numbers is infinite or not a number")
    return vector


def _cosine(one: array[float], other: array[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / (math.hypot(*one) * math.hypot(*other))


@contextmanager
def _errors(operation: str) -> Iterator[None]:
    """What SQLite says, as errors of a store."""
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        kind = StorageFullError if full else StorageBackendError
        raise kind("vector", operation, str(error)) from error
