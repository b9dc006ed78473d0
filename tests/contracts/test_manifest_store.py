"""What every store of manifests promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sagaledger.domain.document.manifest import SignedManifest
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.ports.manifest_store import ManifestStore
from sagaledger.domain.saga.errors import LeaseLostError
from sagaledger.infrastructure.keys.ed25519_signer import Ed25519Signer
from sagaledger.infrastructure.manifest_stores.folder import (
    FolderManifestStore,
    MemoryManifestStore,
)

SIGNER = Ed25519Signer(Ed25519PrivateKey.generate())
ONE = DocumentOwner("default-aa-1", "1" * 32)
TWO = DocumentOwner("default-aa-2", "2" * 32)
MAKERS: dict[str, Callable[[Path], ManifestStore]] = {
    "folder": lambda folder: FolderManifestStore(folder / "manifests"),
    "memory": lambda _: MemoryManifestStore(),
}


@pytest.fixture(params=MAKERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ManifestStore:
    return MAKERS[request.param](tmp_path)


def allowed() -> None:
    """The writer may write."""


def manifest_of(owner: DocumentOwner, note: str = "") -> bytes:
    text = json.dumps({"saga_id": owner.saga_id, "note": note}).encode()
    return SignedManifest(text, SIGNER.sign(text), SIGNER.public_key, SIGNER.key_id).to_bytes()


def test_manifest_put_is_read_back_counted_and_listed(store: ManifestStore) -> None:
    store.put(ONE, manifest_of(ONE), allowed)

    assert store.get(ONE.document_id) == manifest_of(ONE)
    assert (store.count(ONE), store.count(TWO)) == (1, 0)
    assert list(store.owners()) == [ONE]


def test_manifest_put_again_replaces_the_first(store: ManifestStore) -> None:
    store.put(ONE, manifest_of(ONE, "first"), allowed)

    store.put(ONE, manifest_of(ONE, "second"), allowed)

    assert store.get(ONE.document_id) == manifest_of(ONE, "second")
    assert store.count(ONE) == 1


def test_manifest_deleted_is_gone_and_others_stay(store: ManifestStore) -> None:
    for owner in (ONE, TWO):
        store.put(owner, manifest_of(owner), allowed)

    assert store.delete(ONE) is True
    assert store.delete(ONE) is False

    assert store.get(ONE.document_id) is None
    assert list(store.owners()) == [TWO]


def test_manifest_of_another_saga_is_not_deleted(store: ManifestStore) -> None:
    store.put(ONE, manifest_of(ONE), allowed)

    assert store.delete(DocumentOwner(ONE.document_id, "f" * 32)) is False

    assert store.count(ONE) == 1


def test_unknown_manifest_is_none(store: ManifestStore) -> None:
    assert store.get("default-aa-9") is None
    assert store.count(ONE) == 0
    assert list(store.owners()) == []


def test_writer_that_may_not_write_changes_nothing(store: ManifestStore) -> None:
    store.put(ONE, manifest_of(ONE, "first"), allowed)

    def refused() -> None:
        raise LeaseLostError(ONE.saga_id)

    for owner in (ONE, TWO):
        with pytest.raises(LeaseLostError):
            store.put(owner, manifest_of(owner, "late"), refused)

    assert store.get(ONE.document_id) == manifest_of(ONE, "first")
    assert list(store.owners()) == [ONE]


def test_manifest_put_in_a_folder_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    FolderManifestStore(tmp_path).put(ONE, manifest_of(ONE), allowed)

    again = FolderManifestStore(tmp_path)

    assert again.get(ONE.document_id) == manifest_of(ONE)
    assert [path.name for path in tmp_path.iterdir()] == [f"{ONE.document_id}.json"]


def test_damaged_manifest_belongs_to_nobody_and_is_still_listed(tmp_path: Path) -> None:
    store = FolderManifestStore(tmp_path)
    store.put(ONE, manifest_of(ONE), allowed)
    (tmp_path / f"{ONE.document_id}.json").write_bytes(b"{")

    assert store.count(ONE) == 0
    assert list(store.owners()) == [DocumentOwner(ONE.document_id, "")]
