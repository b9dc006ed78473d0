"""The registry of adapters: every adapter is an entry point, including the shipped ones.

Other distributions are searched only for names that no shipped adapter has, because searching
every installed distribution takes longer than a small command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagaledger.domain.errors import SagaledgerError, describe
from sagaledger.interface.bootstrap.errors import (
    AdapterUnavailableError,
    AdapterUnknownError,
    ConfigurationError,
)
from sagaledger.interface.bootstrap.shipped import SHIPPED
from sagaledger.interface.bootstrap.store_url import StoreUrl

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from sagaledger.domain.ports.clock import Clock
    from sagaledger.domain.ports.event_observer import AppendParticipant

__all__ = [
    "AdapterContext",
    "AdapterFactory",
    "AdapterKind",
    "is_registered",
    "names_of",
    "open_adapter",
]


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """What a factory may use in addition to its URL."""

    data_folder: Path
    """The folder for relative paths: `url.path_in(context.data_folder)`."""
    clock: Clock
    participants: tuple[AppendParticipant[Any], ...] = ()
    """The participants in each transaction of an event store; empty for other factories."""


AdapterFactory = Callable[[StoreUrl, AdapterContext], Any]
"""The target of an entry point: makes the adapter for a URL."""


class AdapterKind(Enum):
    """A kind of adapter: the group of its entry points, and its name in messages."""

    EVENT_STORE = "event_stores", "event store"
    SNAPSHOT_STORE = "snapshot_stores", "snapshot store"
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
    PARTICIPANT = "participants", "participant"
    SAGA = "sagas", "saga"

    def __init__(self, suffix: str, noun: str) -> None:
        self.group = f"sagaledger.{suffix}"
        self.noun = noun


def open_adapter(kind: AdapterKind, url: StoreUrl, context: AdapterContext) -> Any:
    """Make the adapter for a URL; only its own module is imported.

    Raises:
        AdapterUnknownError: no installed package registers the scheme.
        AdapterUnavailableError: it cannot be imported, two packages register the scheme, its
            factory fails, or what it makes is no adapter of the kind.
        ConfigurationError: the factory refuses the URL.
        SagaledgerError: Raised by the factory.
    """
    factory = _shipped_factory(kind, url.scheme)
    if factory is None:
        return _outside_adapter(kind, url, context)
    try:
        return factory(url, context)
    except ValueError as error:
        raise ConfigurationError(f"{kind.noun} {url}: {error}") from error


def names_of(kind: AdapterKind) -> list[str]:
    """All names of a kind that installed packages register, the shipped ones first."""
    from importlib.metadata import entry_points

    outside = sorted(point.name for point in entry_points(group=kind.group))
    return list(dict.fromkeys([*SHIPPED.get(kind.group, ()), *outside]))


def is_registered(kind: AdapterKind, name: str) -> bool:
    """Whether an installed package registers the name."""
    return name in SHIPPED.get(kind.group, ()) or name in names_of(kind)


def _shipped_factory(kind: AdapterKind, name: str) -> AdapterFactory | None:
    place = SHIPPED.get(kind.group, {}).get(name)
    if place is None:
        return None
    module, _, attribute = place.partition(":")
    factory: AdapterFactory = getattr(import_module(module), attribute)
    return factory


def _outside_adapter(kind: AdapterKind, url: StoreUrl, context: AdapterContext) -> Any:
    """Call a factory that is not ours: whatever it raises or returns ends in one clear error."""
    factory = _outside_factory(kind, url.scheme)
    try:
        part = factory(url, context)
    except SagaledgerError:
        raise
    except ValueError as error:
        raise ConfigurationError(f"{kind.noun} {url}: {url.masked(str(error))}") from error
    except (Exception, SystemExit) as error:
        cause = url.masked(f"{type(error).__name__}: {describe(error)}")
        raise AdapterUnavailableError(f"{kind.noun} {url} cannot be opened: {cause}") from error
    # Imported here: a command with what ships needs no list of every port.
    from sagaledger.interface.bootstrap.roles import missing_members

    missing = missing_members(kind.noun, part)
    if missing:
        raise AdapterUnavailableError(
            f"{kind.noun} {url}: its factory returns a {type(part).__name__}, which is no "
            f"{kind.noun}: it lacks {', '.join(missing)}"
        )
    return part


def _outside_factory(kind: AdapterKind, name: str) -> AdapterFactory:
    from importlib.metadata import entry_points

    found = {point.value: point for point in entry_points(group=kind.group, name=name)}
    if not found:
        raise AdapterUnknownError(kind.noun, name, names_of(kind), kind.group)
    if len(found) > 1:
        values = " and ".join(sorted(found))
        raise AdapterUnavailableError(
            f"{kind.noun} {name!r} is registered twice, by {values}; uninstall one of them"
        )
    (point,) = found.values()
    try:
        factory: AdapterFactory = point.load()
    except (ImportError, AttributeError) as error:
        raise AdapterUnavailableError(
            f"{kind.noun} {name!r} cannot be imported: {error}{_advice(point)}"
        ) from error
    except (Exception, SystemExit) as error:
        cause = f"{type(error).__name__}: {describe(error)}"
        raise AdapterUnavailableError(
            f"{kind.noun} {name!r} cannot be imported: {cause}"
        ) from error
    if not callable(factory):
        raise AdapterUnavailableError(
            f"{kind.noun} {name!r} is registered as {point.value}, which is no function"
        )
    return factory


def _advice(point: EntryPoint) -> str:
    if point.dist is None:
        return ""
    extras = f"[{','.join(point.extras)}]" if point.extras else ""
    return f"; pip install '{point.dist.name}{extras}'"
