"""What an adapter of each kind has to have: the members of its port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sagaledger.domain.ports.chunk_store import ChunkStore
from sagaledger.domain.ports.downstream_store import DownstreamStore
from sagaledger.domain.ports.embedder import Embedder
from sagaledger.domain.ports.event_observer import AppendParticipant
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.ports.graph_store import GraphStore
from sagaledger.domain.ports.manifest_store import ManifestStore
from sagaledger.domain.ports.relational_store import RelationalStore
from sagaledger.domain.ports.signer import Signer
from sagaledger.domain.ports.snapshot_store import SnapshotStore
from sagaledger.domain.ports.text_format import TextFormat
from sagaledger.domain.ports.vector_store import VectorStore
from sagaledger.projections.engine.projector import Projection

__all__ = ["missing_members"]

_PORTS: dict[str, type[Any]] = {
    "event store": EventStore,
    "snapshot store": SnapshotStore,
    "chunk store": ChunkStore,
    "vector store": VectorStore,
    "graph store": GraphStore,
    "relational store": RelationalStore,
    "downstream store": DownstreamStore,
    "manifest store": ManifestStore,
    "embedder": Embedder,
    "text format": TextFormat,
    "signer": Signer,
    "projection": Projection,
    "participant": AppendParticipant,
}
"""By the noun of the kind. Observers and sagas are functions."""


def missing_members(noun: str, part: object) -> list[str]:
    """The members of its port that an object lacks; no property is read to find out."""
    port = _PORTS.get(noun)
    if port is None:
        return [] if callable(part) else ["__call__"]
    kind = type(part)
    return [name for name in _members(port) if not (hasattr(kind, name) or hasattr(part, name))]


def _members(port: type[Any]) -> Iterator[str]:
    for base in port.__mro__:
        names = {**vars(base), **vars(base).get("__annotations__", {})}
        yield from (name for name in names if not name.startswith("_"))
