"""A relational store in memory, for tests and embedding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.infrastructure.relational_stores.storable_text import storable

if TYPE_CHECKING:
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["MemoryRelationalStore"]


@dataclass(frozen=True, slots=True)
class _Rows:
    document: DocumentRecord
    chunks: tuple[ChunkRow, ...]
    passages: dict[int, Passage]
    state: str

    @property
    def count(self) -> int:
        return 1 + len(self.chunks) + len(self.passages)


class MemoryRelationalStore:
    """A relational store that lives as long as its process."""

    def __init__(self) -> None:
        self._rows: dict[DocumentOwner, _Rows] = {}
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The store's name in events and residue."""
        return "relational"

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
        by_number = {p.number: replace(p, text=storable(p.text)) for p in passages}
        rows = _Rows(document, tuple(chunks), by_number, "pending")
        with self._lock:
            check_ownership()
            known = self._rows.get(document.owner)
            if known is None or known.state != "committed":
                self._rows[document.owner] = rows
            return self._rows[document.owner].count

    def commit(self, owner: DocumentOwner) -> int:
        """Make the owner's rows visible atomically."""
        return self._flip(owner, "pending", "committed")

    def hide(self, owner: DocumentOwner) -> int:
        """Hide a committed document from readers atomically."""
        return self._flip(owner, "committed", "hidden")

    def delete(self, owner: DocumentOwner) -> int:
        """Delete the owner's rows. Returns the number of deleted rows."""
        with self._lock:
            rows = self._rows.pop(owner, None)
        return rows.count if rows else 0

    def count(self, owner: DocumentOwner) -> int:
        """The number of the owner's rows, in any state."""
        with self._lock:
            rows = self._rows.get(owner)
        return rows.count if rows else 0

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has rows."""
        with self._lock:
            return iter(list(self._rows))

    def documents(self, limit: int = 1000) -> Sequence[DocumentRecord]:
        """Committed documents, newest first."""
        return self._committed()[:limit]

    def find(self, id_prefix: str) -> Sequence[DocumentRecord]:
        """Committed documents whose id starts with this prefix."""
        return [d for d in self._committed() if d.document_id.startswith(id_prefix)]

    def with_size(self, namespace: str, size_bytes: int) -> Sequence[DocumentRecord]:
        """Committed documents of a namespace with this size."""
        return [
            d for d in self._committed() if (d.namespace, d.size_bytes) == (namespace, size_bytes)
        ]

    def committed_among(self, owners: Sequence[DocumentOwner]) -> frozenset[DocumentOwner]:
        """Which of these owners' documents are committed."""
        return frozenset(d.owner for d in self._committed()) & frozenset(owners)

    def passages(self, owner: DocumentOwner, numbers: Sequence[int]) -> dict[int, Passage]:
        """Committed passages by number; missing numbers are omitted."""
        with self._lock:
            rows = self._rows.get(owner)
        if rows is None or rows.state != "committed":
            return {}
        return {n: rows.passages[n] for n in numbers if n in rows.passages}

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _committed(self) -> list[DocumentRecord]:
        with self._lock:
            documents = [r.document for r in self._rows.values() if r.state == "committed"]
        return sorted(documents, key=lambda d: (-d.created_us, d.document_id))

    def _flip(self, owner: DocumentOwner, before: str, after: str) -> int:
        with self._lock:
            rows = self._rows.get(owner)
            if rows is not None and rows.state == before:
                rows = self._rows[owner] = replace(rows, state=after)
            return int(rows is not None and rows.state == after)
