"""Our manifest stores keep what every manifest store promises; and what lies in the folder."""

from __future__ import annotations

from pathlib import Path

from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.ports.manifest_store import ManifestStore
from sagaledger.infrastructure.manifest_stores.folder import (
    FolderManifestStore,
    MemoryManifestStore,
)
from sagaledger.testing import ManifestStoreContract
from sagaledger.testing.contracts.manifest_store import manifest_of
from sagaledger.testing.document_rows import owner_of
from sagaledger.testing.writers import allowed

ONE = owner_of(1)


class TestFolder(ManifestStoreContract):
    def open_store(self, folder: Path) -> ManifestStore:
        return FolderManifestStore(folder / "manifests")


class TestMemory(ManifestStoreContract):
    durable = False

    def open_store(self, folder: Path) -> ManifestStore:
        return MemoryManifestStore()


def test_manifest_put_in_a_folder_is_one_file_named_like_the_document(tmp_path: Path) -> None:
    FolderManifestStore(tmp_path).put(ONE, manifest_of(ONE), allowed)

    assert [path.name for path in tmp_path.iterdir()] == [f"{ONE.document_id}.json"]


def test_damaged_manifest_belongs_to_nobody_and_is_still_listed(tmp_path: Path) -> None:
    store = FolderManifestStore(tmp_path)
    store.put(ONE, manifest_of(ONE), allowed)
    (tmp_path / f"{ONE.document_id}.json").write_bytes(b"{")

    assert store.count(ONE) == 0
    assert list(store.owners()) == [DocumentOwner(ONE.document_id, "")]
