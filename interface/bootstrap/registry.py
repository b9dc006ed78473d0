"""The registry of adapters: every one is an entry point, those that ship included.

The entry points of this distribution are looked at first, for looking at those of every installed
one takes longer than a small command.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from pathlib import Path
from typing import Any

from sagaledger.domain.ports.clock import Clock
from sagaledger.interface.bootstrap.errors import (
    AdapterUnavailableError,
    AdapterUnknownError,
    ConfigurationError,
)
from sagaledger.interface.bootstrap.store_url import StoreUrl

__all__ = ["AdapterContext", "AdapterFactory", "AdapterKind", "names_of", "open_adapter"]


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """What a factory may use beside its URL."""

    data_folder: Path
    """Where relative paths begin: `url.path_in(context.data_folder)`."""
    clock: Clock


AdapterFactory = Callable[[StoreUrl, AdapterContext], Any]
"""What an entry point names: makes the adapter that a URL asks for."""


class AdapterKind(Enum):
    """What can be registered: the group of its entry points, and what messages call one."""

    EVENT_STORE = "event_stores", "event store"
    CHUNK_STORE = "chunk_stores", "chunk store"
    VECTOR_STORE = "vector_stores", "vector store"
    GRAPH_STORE = "graph_stores", "graph store"
    RELATIONAL_STORE = "relational_stores", "relational store"
    DOWNSTREAM_STORE = "downstream_stores", "downstream store"
    MANIFEST_STORE = "manifest_stores", "manifest store"
    EMBEDDER = "embedders", "embedder"
    TEXT_FORMAT = "text_formats", "text format"
    SIGNER = "signers", "signer"
    PROJECTION = "projections", "projection"
    OBSERVER = "observers", "observer"
    SAGA = "sagas", "saga"

    def __init__(self, suffix: str, noun: str) -> None:
        self.group = f"sagaledger.{suffix}"
        self.noun = noun


def open_adapter(kind: AdapterKind, url: StoreUrl, context: AdapterContext) -> Any:
    """Make the adapter that a URL asks for; only its own module is imported.

    Raises:
        AdapterUnknownError: no installed package registers the scheme.
        AdapterUnavailableError: it cannot be imported, or two packages register the scheme.
        ConfigurationError: the factory refuses the URL.
        SagaledgerError: what the factory raises itself.
    """
    point = _find(kind, url.scheme)
    try:
        factory: AdapterFactory = point.load()
    except (ImportError, AttributeError) as error:
        raise AdapterUnavailableError(
            f"{kind.noun} {url.scheme!r} cannot be imported: {error}{_advice(point)}"
        ) from error
    try:
        return factory(url, context)
    except ValueError as error:
        raise ConfigurationError(f"{kind.noun} {url}: {error}") from error


def names_of(kind: AdapterKind) -> list[str]:
    """Every name of a kind that installed packages register, our own first."""
    own = [point.name for point in _own_entry_points() if point.group == kind.group]
    return list(dict.fromkeys([*own, *sorted(p.name for p in entry_points(group=kind.group))]))


def is_registered(kind: AdapterKind, name: str) -> bool:
    """Whether an installed package registers the name."""
    return bool(_registered(kind, name))


def _find(kind: AdapterKind, name: str) -> EntryPoint:
    found = {point.value: point for point in _registered(kind, name)}
    if not found:
        raise AdapterUnknownError(kind.noun, name, names_of(kind), kind.group)
    if len(found) > 1:
        values = " and ".join(sorted(found))
        raise AdapterUnavailableError(
            f"{kind.noun} {name!r} is registered twice, by {values}; uninstall one of them"
        )
    return next(iter(found.values()))


def _registered(kind: AdapterKind, name: str) -> Iterable[EntryPoint]:
    own = [p for p in _own_entry_points() if p.group == kind.group and p.name == name]
    return own or entry_points(group=kind.group, name=name)


@lru_cache(maxsize=1)
def _own_entry_points() -> tuple[EntryPoint, ...]:
    try:
        return tuple(distribution("sagaledger").entry_points)
    except PackageNotFoundError as error:
        raise AdapterUnavailableError(
            "sagaledger is not installed as a package, so its adapters are not registered; "
            "install it with pip"
        ) from error


def _advice(point: EntryPoint) -> str:
    if point.dist is None:
        return ""
    extras = f"[{','.join(point.extras)}]" if point.extras else ""
    return f"; pip install '{point.dist.name}{extras}'"
