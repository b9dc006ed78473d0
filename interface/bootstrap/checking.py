"""Checks every part that the settings name, each separately, and leaves no traces."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sagaledger.application.closing import is_closeable
from sagaledger.application.housekeeping.probes import (
    probe_chunks,
    probe_downstream,
    probe_embedder,
    probe_events,
    probe_items,
    probe_manifests,
    probe_signer,
    probe_snapshots,
    probe_vectors,
)
from sagaledger.domain.errors import describe
from sagaledger.infrastructure.data_folder import MARK_NAME, DataFolder
from sagaledger.infrastructure.errors import DataFolderError
from sagaledger.infrastructure.system_clock import SystemClock
from sagaledger.interface.bootstrap.adapters import open_listed, open_setting
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.bootstrap.places import require_apart
from sagaledger.interface.bootstrap.remembered import remembered, require_same_stores
from sagaledger.interface.bootstrap.settings import (
    LISTS,
    LOCAL_SCHEMES,
    SNAPSHOTS,
    STORES,
    Settings,
)

__all__ = ["PartCheck", "check_parts"]


@dataclass(frozen=True, slots=True)
class PartCheck:
    """The result of checking one part."""

    key: str
    value: str
    """The configured value, with secrets masked."""
    is_ok: bool
    detail: str
    """The actions of the check, or the error."""


def check_parts(settings: Settings) -> Iterator[PartCheck]:
    """Open each part, write a probe, read it and delete it. A failure does not stop other checks.

    If the data folder does not exist yet, its parts are checked in a temporary folder next to it.
    """
    with ExitStack() as place:
        try:
            root = place.enter_context(_place(settings))
        except Exception as error:  # noqa: BLE001 - becomes the line of this part
            yield _failed("data", str(settings.data), error)
            return
        is_made = root == settings.data.expanduser().absolute()
        detail = "usable" if is_made else "does not exist yet; an ingestion creates it"
        yield PartCheck("data", str(settings.data), is_ok=True, detail=detail)
        yield from _Parts(settings, root).checks()


@contextmanager
def _place(settings: Settings) -> Iterator[Path]:
    require_apart(settings)
    root = settings.data.expanduser().absolute()
    if (root / MARK_NAME).exists():
        folder = DataFolder.open(settings.data)
        noted = remembered(root)
        if noted is not None:
            require_same_stores(settings.data, noted, settings.store_identities())
        yield folder.root
        return
    parent = next(path for path in root.parents if path.exists())
    if root.exists() and not root.is_dir():
        raise DataFolderError(str(settings.data), "is a file, not a folder")
    with _throwaway_in(parent) as throwaway:
        yield throwaway


@contextmanager
def _throwaway_in(parent: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=".sagaledger-check-", dir=parent) as throwaway:
        yield Path(throwaway)


class _Parts:
    """The parts of one configuration, opened one at a time."""

    def __init__(self, settings: Settings, root: Path) -> None:
        self._settings = settings
        self._root = root
        self._clock = SystemClock()
        self._open: dict[str, Any] = {}
        """The parts that others need: the embedder and the signer."""
        self._throwaway = ExitStack()

    def checks(self) -> Iterator[PartCheck]:
        """The checks of all parts, in the order in which an ingestion uses them."""
        try:
            yield self._checked("embedder", probe_embedder, keep=True)
            yield self._checked("signer", probe_signer, keep=True)
            for key, probe in self._store_probes().items():
                yield self._checked(key, probe)
            for name in self._settings.downstream:
                yield self._checked(f"downstream.{name}", probe_downstream)
            for key in LISTS:
                if self._settings.values[key].value:
                    yield self._checked_list(key)
        finally:
            for part in self._open.values():
                _close(part)
            self._throwaway.close()

    def _store_probes(self) -> dict[str, Callable[[Any], str]]:
        probes: dict[str, Callable[[Any], str]] = {
            "stores.events": probe_events,
            SNAPSHOTS: probe_snapshots,
            "stores.chunks": probe_chunks,
            "stores.vectors": lambda store: probe_vectors(store, self._needed("embedder")),
            "stores.graph": probe_items,
            "stores.relational": probe_items,
            "stores.manifests": lambda store: probe_manifests(store, self._needed("signer")),
        }
        assert probes.keys() == {*STORES, SNAPSHOTS}
        return probes

    def _needed(self, key: str) -> Any:
        if key not in self._open:
            raise ConfigurationError(f"not checked, because it needs the {key}")
        return self._open[key]

    def _checked(self, key: str, probe: Callable[[Any], str], *, keep: bool = False) -> PartCheck:
        shown = str(self._settings.values[key].value)
        try:
            shown = str(self._settings.url(key))
            tried = self._tried(key)
            part = open_setting(tried, key, self._root, self._clock)
            try:
                detail = probe(part)
            finally:
                if not keep:
                    _close(part)
        except Exception as error:  # noqa: BLE001 - becomes the line of this part
            return _failed(key, shown, error)
        if keep:
            self._open[key] = part
        return PartCheck(key, shown, is_ok=True, detail=detail)

    def _tried(self, key: str) -> Settings:
        """The settings to open a part with: one that is not made yet is tried beside its place."""
        setting, url = self._settings.values[key], self._settings.url(key)
        if url.scheme not in LOCAL_SCHEMES or url.host or not url.path.startswith("/"):
            return self._settings
        place = Path(url.path)
        if place.exists():
            return self._settings
        parent = next(path for path in place.parents if path.exists())
        throwaway = self._throwaway.enter_context(_throwaway_in(parent))
        beside = replace(setting, value=f"{url.scheme}:///{throwaway / place.name}")
        return self._settings.with_values([beside])

    def _checked_list(self, key: str) -> PartCheck:
        shown = ""
        try:
            shown = ", ".join(str(url) for url in self._settings.urls(key))
            for part in open_listed(self._settings, key, self._root, self._clock):
                _close(part)
        except Exception as error:  # noqa: BLE001 - becomes the line of this part
            return _failed(key, shown, error)
        return PartCheck(key, shown, is_ok=True, detail="can be opened")


def _failed(key: str, value: str, error: Exception) -> PartCheck:
    return PartCheck(key, value, is_ok=False, detail=describe(error))


def _close(part: Any) -> None:
    if is_closeable(part):
        part.close()
