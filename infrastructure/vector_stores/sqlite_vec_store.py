"""Vectors in one SQLite file, searched by the sqlite-vec extension through apsw.

A plain table stores the owner of each vector; a `vec0` table stores the vectors under the same
row numbers. (A partition per document would allocate a block of 1,024 vectors for each.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import apsw
from sagaledger.domain.document.errors import EmbedderMismatchError
from sagaledger.domain.document.records import VectorHit, VectorRow
from sagaledger.domain.document.values import DocumentOwner, EmbedderIdentity
from sagaledger.domain.errors import StorageBackendError
from sagaledger.infrastructure.migrations import migrate
from sagaledger.infrastructure.migrations.vectors import VECTORS
from sagaledger.infrastructure.sqlite_files import BUSY_TIMEOUT_S, storage_error
from sagaledger.infrastructure.vector_stores.vector_numbers import numbers_of

if TYPE_CHECKING:
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["SqliteVecVectorStore"]

_NAME = "vector"
_BATCH = 1000
_MAX_NEIGHBOURS = 4096


def _extension() -> str:
    """The path of the SQLite extension in the package `sqlite_vec`.

    The package is not imported: it would import numpy, which takes longer than all our queries.
    """
    package = find_spec("sqlite_vec")
    if package is None or package.origin is None:
        raise StorageBackendError(_NAME, "open", "the package sqlite-vec is not installed")
    return str(Path(package.origin).with_name("vec0"))


def _prepare(connection: apsw.Connection, path: Path) -> None:
    connection.set_busy_timeout(BUSY_TIMEOUT_S * 1000)
    connection.enable_load_extension(True)
    connection.load_extension(_extension())
    connection.enable_load_extension(False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    migrate(connection, path, VECTORS)


class SqliteVecVectorStore:
    """A durable vector store. Safe for several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Use this file; create it if it is missing.

        Raises:
            DataFolderError: it was written by a newer version.
            DatabaseCorruptError: it is damaged.
            StorageBackendError: it cannot be opened.
        """
        self._path = path
        self._lock = RLock()
        with self._errors("open"):
            self._connection = apsw.Connection(str(path))
            try:
                _prepare(self._connection, path)
            except BaseException:
                self._connection.close()
                raise

    @property
    def name(self) -> str:
        """The store's name in events and residue."""
        return _NAME

    def prepare(self, embedder: EmbedderIdentity) -> None:
        """Bind the store to one embedder. The first call binds it permanently.

        Raises:
            EmbedderMismatchError: the store is bound to another embedder.
        """
        with self._errors("prepare"), self._transaction() as connection:
            stored = self._embedder()
            if stored is None:
                connection.execute(
                    "INSERT INTO embedder VALUES (?,?)", (embedder.name, embedder.dimension)
                )
                connection.execute(
                    "CREATE VIRTUAL TABLE vectors USING vec0("
                    f"vector float[{int(embedder.dimension)}] distance_metric=cosine)"
                )
            elif stored != embedder:
                raise EmbedderMismatchError(stored, embedder)

    def upsert(
        self, owner: DocumentOwner, rows: Iterable[VectorRow], check_ownership: OwnershipCheck
    ) -> int:
        """Replace the owner's vectors by these. Returns the number of vectors."""
        self._remove(owner, check_ownership)
        iterator = iter(rows)
        count = 0
        while batch := list(islice(iterator, _BATCH)):
            with self._errors("upsert"), self._transaction() as connection:
                check_ownership()
                self._insert(connection, owner, batch)
            count += len(batch)
        return count

    def delete(self, owner: DocumentOwner) -> int:
        """Delete the owner's vectors. Returns the number of deleted vectors."""
        return self._remove(owner)

    def count(self, owner: DocumentOwner) -> int:
        """The number of the owner's vectors."""
        with self._errors("count"), self._lock:
            rows = self._rows(
                "SELECT count(*) FROM passages WHERE document_id=? AND saga_id=?",
                (owner.document_id, owner.saga_id),
            )
        return int(rows[0][0])

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has vectors."""
        with self._errors("list"), self._lock:
            rows = self._rows(
                "SELECT DISTINCT document_id, saga_id FROM passages ORDER BY 1, 2", ()
            )
        return (DocumentOwner(*row) for row in rows)

    def search(self, vector: bytes, limit: int) -> Sequence[VectorHit]:
        """The nearest vectors over all owners, nearest first, at most 4,096."""
        with self._errors("search"), self._lock:
            embedder = self._embedder()
            if embedder is None or limit < 1:
                return []
            if not any(numbers_of(vector, embedder)):
                return []
            rows = self._rows(
                "SELECT document_id, saga_id, passage, distance FROM "
                "(SELECT rowid AS found, distance FROM vectors WHERE vector MATCH ? AND k=?) "
                "JOIN passages ON number=found ORDER BY distance, document_id, passage",
                (vector, min(limit, _MAX_NEIGHBOURS)),
            )
        return [
            VectorHit(document, saga, passage, 1.0 - distance)
            for document, saga, passage, distance in rows
        ]

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def _remove(self, owner: DocumentOwner, check_ownership: OwnershipCheck = lambda: None) -> int:
        count = 0
        while True:
            with self._errors("delete"), self._transaction() as connection:
                check_ownership()
                removed = self._delete_batch(connection, owner)
            count += removed
            if removed < _BATCH:
                return count

    def _insert(
        self, connection: apsw.Connection, owner: DocumentOwner, batch: Sequence[VectorRow]
    ) -> None:
        embedder = self._embedder()
        if embedder is None:
            raise StorageBackendError(_NAME, "upsert", "the store is not prepared")
        for row in batch:
            connection.execute(
                "INSERT INTO passages (document_id, saga_id, passage) VALUES (?,?,?)",
                (owner.document_id, owner.saga_id, row.passage),
            )
            # A zero vector is similar to nothing. In a search its distance is not a number and
            # would displace a true neighbour.
            if any(numbers_of(row.vector, embedder)):
                connection.execute(
                    "INSERT INTO vectors (rowid, vector) VALUES (?,?)",
                    (connection.last_insert_rowid(), row.vector),
                )

    def _delete_batch(self, connection: apsw.Connection, owner: DocumentOwner) -> int:
        batch = (
            "(SELECT number FROM passages WHERE document_id=? AND saga_id=? "
            f"ORDER BY passage LIMIT {_BATCH})"
        )
        key = (owner.document_id, owner.saga_id)
        if self._embedder() is not None:
            connection.execute(f"DELETE FROM vectors WHERE rowid IN {batch}", key)
        connection.execute(f"DELETE FROM passages WHERE number IN {batch}", key)
        return connection.changes()

    def _embedder(self) -> EmbedderIdentity | None:
        rows = self._rows("SELECT name, dimension FROM embedder", ())
        return EmbedderIdentity(*rows[0]) if rows else None

    def _rows(self, statement: str, bindings: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return list(self._connection.execute(statement, bindings))

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # On a full disk SQLite rolls back by itself, and a second rollback is an error.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self, operation: str) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise storage_error(error, _NAME, operation, self._path) from error
