"""Documents, chunks and passages in SQL tables, through SQLAlchemy Core.

The state of a document's rows decides what readers see: `pending` before the commit, `committed`
after it, `hidden` once its deletion is decided.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.infrastructure.migrations import migrate
from sagaledger.infrastructure.migrations.documents import DOCUMENTS
from sagaledger.infrastructure.relational_stores.storable_text import storable
from sagaledger.infrastructure.sqlite_files import BUSY_TIMEOUT_S, storage_error
from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

if TYPE_CHECKING:
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["SqlAlchemyRelationalStore"]

_NAME = "relational"
_BATCH = 5000
_MAX_KEYS = 1000
"""The maximum number of keys in one query: database engines limit the number of variables."""
_AFTER_ANY_ID = "\U0010ffff"
_PENDING, _COMMITTED, _HIDDEN = "pending", "committed", "hidden"

_metadata = MetaData()
_documents = Table(
    "documents",
    _metadata,
    Column("document_id", String(200), primary_key=True),
    Column("saga_id", String(32), primary_key=True),
    Column("upload_id", String(32), nullable=False),
    Column("namespace", String(100), nullable=False),
    Column("content_id", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("source_name", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("chunk_size_bytes", Integer, nullable=False),
    Column("chunk_count", Integer, nullable=False),
    Column("passage_count", Integer, nullable=False),
    Column("media_type", String(200), nullable=False),
    Column("text_note", Text, nullable=False),
    Column("classification", String(20), nullable=False),
    Column("embedder", String(100), nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Index("documents_by_size", "namespace", "size_bytes", "state"),
    Index("documents_by_time", "state", "created_us"),
)
_chunks = Table(
    "chunks",
    _metadata,
    Column("document_id", String(200), primary_key=True),
    Column("saga_id", String(32), primary_key=True),
    Column("index", Integer, primary_key=True),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("key", String(100), nullable=False),
    Column("state", String(10), nullable=False),
)
_passages = Table(
    "passages",
    _metadata,
    Column("document_id", String(200), primary_key=True),
    Column("saga_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("page", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("state", String(10), nullable=False),
)
_TABLES = (_passages, _chunks, _documents)
_FIELDS = tuple(field.name for field in fields(DocumentRecord))


class SqlAlchemyRelationalStore:
    """A durable relational store. Safe for several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Use this SQLite file; create it if it is missing.

        Raises:
            DataFolderError: it was written by a newer version.
            DatabaseCorruptError: it is damaged.
            StorageBackendError: it cannot be opened.
        """
        self._path = path
        self._engine = _sqlite_engine(path)
        try:
            with self._errors("open"), self._engine.connect() as connection:
                driver: Any = connection.connection.driver_connection
                migrate(driver, path, DOCUMENTS)
        except BaseException:
            self._engine.dispose()
            raise

    @property
    def name(self) -> str:
        """The store's name in events and residue."""
        return _NAME

    def upsert(
        self,
        document: DocumentRecord,
        chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        """Replace the owner's rows by these, in state `pending`. Returns the number of rows.

        Rows that are committed already stay unchanged.
        """
        owner = document.owner
        with self._transaction("upsert") as connection:
            check_ownership()
            state = _COMMITTED if _state(connection, owner) == _COMMITTED else _PENDING
            if state == _PENDING:
                _delete(connection, owner)
                connection.execute(insert(_documents), {**asdict(document), "state": state})
        if state == _COMMITTED:
            # The step is repeated after the commit: the same rows exist, and readers use them.
            return self.count(owner)
        keys = {**asdict(owner), "state": state}
        chunk_rows = ({**asdict(chunk), **keys} for chunk in chunks)
        passage_rows = (
            {"number": p.number, "page": p.page, "text": storable(p.text), **keys} for p in passages
        )
        chunk_count = self._insert(_chunks, chunk_rows, check_ownership)
        return 1 + chunk_count + self._insert(_passages, passage_rows, check_ownership)

    def commit(self, owner: DocumentOwner) -> int:
        """Flip the owner's rows from `pending` to `committed` in one transaction."""
        with self._transaction("commit") as connection:
            _flip(connection, owner, _PENDING, _COMMITTED)
            return int(_state(connection, owner) == _COMMITTED)

    def hide(self, owner: DocumentOwner) -> int:
        """Hide a committed document from readers in one transaction."""
        with self._transaction("hide") as connection:
            _flip(connection, owner, _COMMITTED, _HIDDEN)
            return int(_state(connection, owner) == _HIDDEN)

    def delete(self, owner: DocumentOwner) -> int:
        """Delete the owner's rows. Returns the number of deleted rows."""
        with self._transaction("delete") as connection:
            return _delete(connection, owner)

    def count(self, owner: DocumentOwner) -> int:
        """The number of the owner's rows, in any state."""
        with self._transaction("count", writing=False) as connection:
            return sum(
                connection.scalar(
                    select(func.count()).select_from(table).where(_owned(table, owner))
                )
                or 0
                for table in _TABLES
            )

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has rows."""
        with self._transaction("list", writing=False) as connection:
            found = {
                DocumentOwner(*row)
                for table in _TABLES
                for row in connection.execute(
                    select(table.c.document_id, table.c.saga_id).distinct()
                )
            }
        return iter(sorted(found, key=lambda owner: (owner.document_id, owner.saga_id)))

    def documents(self, limit: int = 1000) -> Sequence[DocumentRecord]:
        """Committed documents, newest first."""
        return self._read_documents(None, limit)

    def find(self, id_prefix: str) -> Sequence[DocumentRecord]:
        """Committed documents whose id starts with this prefix."""
        # A range, because LIKE ignores case and does not use the index.
        chosen = and_(
            _documents.c.document_id >= id_prefix,
            _documents.c.document_id < id_prefix + _AFTER_ANY_ID,
        )
        return self._read_documents(chosen, None)

    def with_size(self, namespace: str, size_bytes: int) -> Sequence[DocumentRecord]:
        """Committed documents of a namespace with this size."""
        chosen = and_(_documents.c.namespace == namespace, _documents.c.size_bytes == size_bytes)
        return self._read_documents(chosen, None)

    def committed_among(self, owners: Sequence[DocumentOwner]) -> frozenset[DocumentOwner]:
        """Which of these owners' documents are committed."""
        columns = (_documents.c.document_id, _documents.c.saga_id)
        found: set[DocumentOwner] = set()
        with self._transaction("read", writing=False) as connection:
            for start in range(0, len(owners), _MAX_KEYS):
                keys = [(o.document_id, o.saga_id) for o in owners[start : start + _MAX_KEYS]]
                query = select(*columns).where(
                    tuple_(*columns).in_(keys), _documents.c.state == _COMMITTED
                )
                found |= {DocumentOwner(*row) for row in connection.execute(query)}
        return frozenset(found)

    def passages(self, owner: DocumentOwner, numbers: Sequence[int]) -> dict[int, Passage]:
        """Committed passages by number; missing numbers are omitted."""
        columns = (_passages.c.number, _passages.c.page, _passages.c.text)
        chosen = and_(_owned(_passages, owner), _passages.c.state == _COMMITTED)
        found: dict[int, Passage] = {}
        with self._transaction("read", writing=False) as connection:
            for start in range(0, len(numbers), _MAX_KEYS):
                some = _passages.c.number.in_(numbers[start : start + _MAX_KEYS])
                query = select(*columns).where(chosen, some)
                found |= {row.number: Passage(*row) for row in connection.execute(query)}
        return found

    def close(self) -> None:
        """Release files and connections."""
        self._engine.dispose()

    def _insert(
        self, table: Table, rows: Iterator[dict[str, Any]], check_ownership: OwnershipCheck
    ) -> int:
        count = 0
        while batch := list(islice(rows, _BATCH)):
            with self._transaction("upsert") as connection:
                check_ownership()
                connection.execute(insert(table), batch)
            count += len(batch)
        return count

    def _read_documents(
        self, chosen: ColumnElement[bool] | None, limit: int | None
    ) -> Sequence[DocumentRecord]:
        query = (
            select(*(_documents.c[name] for name in _FIELDS))
            .where(_documents.c.state == _COMMITTED)
            .order_by(_documents.c.created_us.desc(), _documents.c.document_id)
            .limit(limit)
        )
        if chosen is not None:
            query = query.where(chosen)
        with self._transaction("read", writing=False) as connection:
            return [DocumentRecord(*row) for row in connection.execute(query)]

    @contextmanager
    def _transaction(self, operation: str, *, writing: bool = True) -> Iterator[Connection]:
        with self._errors(operation), self._engine.connect() as connection:
            # A write lock from the start: a reader that turns writer could only fail.
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
            yield connection
            connection.commit()

    @contextmanager
    def _errors(self, operation: str) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DatabaseError) else error
            known = cause if isinstance(cause, Exception) else error
            raise storage_error(known, _NAME, operation, self._path) from error


def _sqlite_engine(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)))

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        # Turn off the driver's transaction control: this class issues every BEGIN.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    return engine


def _owned(table: Table, owner: DocumentOwner) -> ColumnElement[bool]:
    return and_(table.c.document_id == owner.document_id, table.c.saga_id == owner.saga_id)


def _state(connection: Connection, owner: DocumentOwner) -> str | None:
    return connection.scalar(select(_documents.c.state).where(_owned(_documents, owner)))


def _flip(connection: Connection, owner: DocumentOwner, before: str, after: str) -> None:
    for table in _TABLES:
        connection.execute(
            update(table).where(_owned(table, owner), table.c.state == before).values(state=after)
        )


def _delete(connection: Connection, owner: DocumentOwner) -> int:
    return sum(
        connection.execute(delete(table).where(_owned(table, owner))).rowcount for table in _TABLES
    )
