"""The stores and the embedder that a data folder was made with; it cannot be opened with others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sagaledger.domain.document.values import EmbedderIdentity
from sagaledger.infrastructure.data_folder import (
    EMBEDDED_FORMAT,
    FORMAT,
    MARK_NAME,
    DataFolder,
)
from sagaledger.infrastructure.errors import DataFolderError
from sagaledger.infrastructure.made_with import MadeWith
from sagaledger.infrastructure.vector_stores.stored_embedder import stored_embedder

__all__ = ["EMBEDDED_STORES", "format_for", "remembered", "require_same", "require_same_stores"]

EMBEDDED_STORES: Mapping[str, str] = {
    "stores.events": "sqlite:///events.db",
    "stores.chunks": "file:///chunks",
    "stores.vectors": "sqlite:///vectors.db",
    "stores.graph": "ladybug:///graph.lbug",
    "stores.relational": "sqlite:///documents.db",
    "stores.manifests": "file:///manifests",
}
"""The stores of version 0.1.0, which are still the default."""

_EMBEDDERS_OF_0_1_0 = {"hashing-mmh3-v1": "hashing", "all-minilm-l6-v2": "minilm"}


def remembered(data: Path) -> MadeWith | None:
    """What a data folder was made with; None if it is not made yet, or only tried to be.

    The mark of 0.1.0 names no stores: that version had the embedded ones only, and its vector
    store knows the embedder.
    """
    root = data.expanduser().absolute()
    try:
        if not (root / MARK_NAME).is_file():
            return None
    except OSError:
        # Opening the folder reports the problem.
        return None
    noted = DataFolder.made_with(root)
    if noted is not None:
        return noted if noted.is_complete else None
    identity = stored_embedder(DataFolder(root).vectors_db)
    name = _EMBEDDERS_OF_0_1_0.get(identity.name, "") if identity else ""
    return MadeWith(EMBEDDED_STORES, name, identity)


def format_for(stores: Mapping[str, str]) -> int:
    """The format of a folder with these stores: the first version opens the embedded ones only."""
    return EMBEDDED_FORMAT if dict(stores) == dict(EMBEDDED_STORES) else FORMAT


def require_same_stores(data: Path, noted: MadeWith, stores: Mapping[str, str]) -> None:
    """Require that a folder is opened with the stores it was made with.

    Raises:
        DataFolderError: Others are configured; the message names both.
    """
    _refuse(data, _other_stores(noted, stores))


def require_same(data: Path, noted: MadeWith, given: MadeWith) -> None:
    """Require that a folder is opened with the stores and the embedder it was made with.

    Raises:
        DataFolderError: Others are configured; the message names both.
    """
    differences = _other_stores(noted, given.stores)
    if noted.embedder and given.embedder and noted.embedder != given.embedder:
        differences.append(
            f"embedder {_described(noted.embedder)}, not {_described(given.embedder)}"
        )
    _refuse(data, differences)


def _other_stores(noted: MadeWith, stores: Mapping[str, str]) -> list[str]:
    return [
        f"{key} {noted.stores.get(key, 'none')}, not {stores.get(key, 'none')}"
        for key in sorted({*noted.stores, *stores})
        if noted.stores.get(key) != stores.get(key)
    ]


def _refuse(data: Path, differences: list[str]) -> None:
    if differences:
        detail = f"was made with {'; '.join(differences)}; use these, or another data folder"
        raise DataFolderError(str(data), detail)


def _described(identity: EmbedderIdentity) -> str:
    return f"{identity.name} ({identity.dimension} dimensions)"
