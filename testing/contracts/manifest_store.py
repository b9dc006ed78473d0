"""What every store of manifests promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sagaledger.domain.document.manifest import SignedManifest
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.ports.manifest_store import ManifestStore
from sagaledger.domain.saga.errors import LeaseLostError
from sagaledger.testing.contracts.contract import Contract, needs_durability
from sagaledger.testing.writers import allowed, refused

__all__ = ["ManifestStoreContract", "manifest_of"]

_ONE = DocumentOwner("default-aa-1", "1" * 32)
_TWO = DocumentOwner("default-aa-2", "2" * 32)


def manifest_of(owner: DocumentOwner, note: str = "") -> bytes:
    """A well-formed manifest; no store checks its signature."""
    text = json.dumps({"saga_id": owner.saga_id, "note": note}).encode()
    return SignedManifest(text, b"s" * 64, b"k" * 32, "0" * 16).to_bytes()


class ManifestStoreContract(Contract):
    """The tests of a `ManifestStore`.

    Example:
        class TestMyManifestStore(ManifestStoreContract):
            def open_store(self, folder: Path) -> ManifestStore:
                return MyManifestStore(folder)
    """

    def open_store(self, folder: Path) -> ManifestStore:
        """Open the store that keeps its data in this folder, empty the first time."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> ManifestStore:
        """An empty store."""
        return self.open_store(tmp_path)

    def test_manifest_put_is_read_back_counted_and_listed(self, store: ManifestStore) -> None:
        store.put(_ONE, manifest_of(_ONE), allowed)

        assert store.get(_ONE.document_id) == manifest_of(_ONE)
        assert (store.count(_ONE), store.count(_TWO)) == (1, 0)
        assert list(store.owners()) == [_ONE]

    def test_manifest_put_again_replaces_the_first(self, store: ManifestStore) -> None:
        store.put(_ONE, manifest_of(_ONE, "first"), allowed)

        store.put(_ONE, manifest_of(_ONE, "second"), allowed)

        assert store.get(_ONE.document_id) == manifest_of(_ONE, "second")
        assert store.count(_ONE) == 1

    def test_manifest_deleted_is_gone_and_others_stay(self, store: ManifestStore) -> None:
        for owner in (_ONE, _TWO):
            store.put(owner, manifest_of(owner), allowed)

        assert store.delete(_ONE) is True
        assert store.delete(_ONE) is False

        assert store.get(_ONE.document_id) is None
        assert list(store.owners()) == [_TWO]

    def test_manifest_of_another_saga_is_not_deleted(self, store: ManifestStore) -> None:
        store.put(_ONE, manifest_of(_ONE), allowed)

        assert store.delete(DocumentOwner(_ONE.document_id, "f" * 32)) is False

        assert store.count(_ONE) == 1

    def test_unknown_manifest_is_none(self, store: ManifestStore) -> None:
        assert store.get("default-aa-9") is None
        assert store.count(_ONE) == 0
        assert list(store.owners()) == []

    def test_writer_that_may_not_write_changes_nothing(self, store: ManifestStore) -> None:
        store.put(_ONE, manifest_of(_ONE, "first"), allowed)

        for owner in (_ONE, _TWO):
            with pytest.raises(LeaseLostError):
                store.put(owner, manifest_of(owner, "late"), refused)

        assert store.get(_ONE.document_id) == manifest_of(_ONE, "first")
        assert list(store.owners()) == [_ONE]

    @needs_durability
    def test_manifest_put_is_there_when_the_store_is_opened_again(self, tmp_path: Path) -> None:
        self.open_store(tmp_path).put(_ONE, manifest_of(_ONE), allowed)

        again = self.open_store(tmp_path)

        assert again.get(_ONE.document_id) == manifest_of(_ONE)
        assert list(again.owners()) == [_ONE]
