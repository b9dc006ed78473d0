"""A downstream store of a kind that the package does not know: a full-text index of passages.

Written against the port alone, as somebody else's package would.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["SearchIndex"]

_BATCH = 500


class SearchIndex:
    """Passages in SQLite's FTS5, found by their words."""

    name = "search"

    def __init__(self, path: Path) -> None:
        """Open the index, made where it is new.

        Raises:
            StorageBackendError: the file cannot be used.
        """
        self._lock = Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        with self._transaction() as connection:
            connection.execute(
                "CREATE VIRTUAL TABLE IF NOT EXISTS entries USING fts5 "
                "(document_id UNINDEXED, saga_id UNINDEXED, passage UNINDEXED, words)"
            )

    def expected(self, document: DocumentRecord) -> int:
        """An entry per passage."""
        return document.passage_count

    def upsert(
        self,
        document: DocumentRecord,
        _chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        """Leave exactly the entries of these passages."""
        owner = document.owner
        count = 0
        with self._transaction() as connection:
            self._remove(connection, owner)
            for passage in passages:
                connection.execute(
                    "INSERT INTO entries VALUES (?,?,?,?)",
                    (owner.document_id, owner.saga_id, passage.number, passage.text),
                )
                count += 1
                if count % _BATCH == 0:
                    check_ownership()
            check_ownership()
        return count

    def count(self, owner: DocumentOwner) -> int:
        """How many entries the owner has."""
        with self._transaction() as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM entries WHERE document_id=? AND saga_id=?",
                (owner.document_id, owner.saga_id),
            ).fetchone()
        return int(count)

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's entries."""
        with self._transaction() as connection:
            return self._remove(connection, owner)

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has entries."""
        with self._transaction() as connection:
            found = connection.execute(
                "SELECT DISTINCT document_id, saga_id FROM entries"
            ).fetchall()
        return (DocumentOwner(document_id, saga_id) for document_id, saga_id in found)

    def find(self, words: str) -> list[tuple[str, int]]:
        """Document and passage of each entry that holds all the words, the best first."""
        with self._transaction() as connection:
            return connection.execute(
                "SELECT document_id, passage FROM entries WHERE entries MATCH ? ORDER BY rank",
                (words,),
            ).fetchall()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _remove(self, connection: sqlite3.Connection, owner: DocumentOwner) -> int:
        return connection.execute(
            "DELETE FROM entries WHERE document_id=? AND saga_id=?",
            (owner.document_id, owner.saga_id),
        ).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise StorageBackendError(self.name, "use", str(error)) from error
