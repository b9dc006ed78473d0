"""Manifest stores: one readable file per document, or memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from sagaledger.domain.document.errors import SignatureInvalidError
from sagaledger.domain.document.manifest import SignedManifest
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.errors import StorageBackendError
from sagaledger.infrastructure.disk import disk_error, make_folder, sync_folder, write_file

if TYPE_CHECKING:
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["FolderManifestStore", "MemoryManifestStore"]

_NAME = "manifests"
_DOCUMENT_ID = re.compile(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*")


class FolderManifestStore:
    """Stores each manifest as `<document id>.json`. Writes are atomic and durable."""

    def __init__(self, root: Path) -> None:
        """Use this folder; create it if it is missing.

        Raises:
            StorageBackendError: the folder cannot be created.
        """
        self._root = root
        try:
            make_folder(root)
        except OSError as error:
            raise disk_error(_NAME, "open", error) from error

    @property
    def name(self) -> str:
        """The store's name in events and residue."""
        return _NAME

    def put(self, owner: DocumentOwner, manifest: bytes, check_ownership: OwnershipCheck) -> None:
        """Store or replace the owner's manifest, durably."""
        check_ownership()
        try:
            write_file(self._path(owner.document_id), manifest)
        except OSError as error:
            raise disk_error(_NAME, "write", error) from error

    def get(self, document_id: str) -> bytes | None:
        """The manifest, or None."""
        try:
            return self._path(document_id).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise disk_error(_NAME, "read", error) from error

    def delete(self, owner: DocumentOwner) -> bool:
        """Delete the owner's manifest. Returns False if there is none."""
        if not self.count(owner):
            return False
        try:
            self._path(owner.document_id).unlink(missing_ok=True)
            sync_folder(self._root)
        except OSError as error:
            raise disk_error(_NAME, "delete", error) from error
        return True

    def count(self, owner: DocumentOwner) -> int:
        """1 if the owner has a manifest, else 0."""
        record = self.get(owner.document_id)
        return int(record is not None and _saga_of(owner.document_id, record) == owner.saga_id)

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has a manifest."""
        for path in sorted(self._root.glob("*.json")):
            record = self.get(path.stem)
            if record is not None:
                yield DocumentOwner(path.stem, _saga_of(path.stem, record))

    def _path(self, document_id: str) -> Path:
        if not _DOCUMENT_ID.fullmatch(document_id):
            raise StorageBackendError(_NAME, "open", f"{document_id!r} is not a document id")
        return self._root / f"{document_id}.json"


class MemoryManifestStore:
    """A manifest store that lives as long as its process."""

    def __init__(self) -> None:
        self._records: dict[DocumentOwner, bytes] = {}
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The store's name in events and residue."""
        return _NAME

    def put(self, owner: DocumentOwner, manifest: bytes, check_ownership: OwnershipCheck) -> None:
        """Store or replace the owner's manifest."""
        with self._lock:
            check_ownership()
            self._records[owner] = manifest

    def get(self, document_id: str) -> bytes | None:
        """The manifest, or None."""
        with self._lock:
            found = [r for owner, r in self._records.items() if owner.document_id == document_id]
        return found[0] if found else None

    def delete(self, owner: DocumentOwner) -> bool:
        """Delete the owner's manifest. Returns False if there is none."""
        with self._lock:
            return self._records.pop(owner, None) is not None

    def count(self, owner: DocumentOwner) -> int:
        """1 if the owner has a manifest, else 0."""
        with self._lock:
            return int(owner in self._records)

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has a manifest."""
        with self._lock:
            return iter(sorted(self._records, key=lambda owner: owner.document_id))


def _saga_of(document_id: str, record: bytes) -> str:
    try:
        return str(SignedManifest.from_bytes(document_id, record).facts().get("saga_id", ""))
    except (SignatureInvalidError, ValueError):
        # The file name still gives the document of a damaged record.
        return ""
