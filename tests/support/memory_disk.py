"""Everything that outlives a process, in memory; and ledgers on it that can die and come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.ports.source_reader import OpenSource
from sagaledger.infrastructure.keys.ed25519_signer import Ed25519Signer
from sagaledger.infrastructure.leases.sqlite_leases import MemoryLeases, MemoryLeaseStore
from sagaledger.infrastructure.local_source import LocalSourceReader
from sagaledger.infrastructure.passage_spool import TemporaryFilePassageSpool
from sagaledger.interface.certification.port_calls import Interceptor, intercepted
from sagaledger.interface.library.ledger import Ledger
from sagaledger.projections import open_projections
from sagaledger.testing import ManualClock

from tests.support.memory_ledgers import memory_services

__all__ = ["MemoryDisk", "NoReserve", "ProcessDied"]


class ProcessDied(BaseException):
    """Ends a worker the way SIGKILL does: nothing of it may run any further."""


class NoReserve:
    """Memory keeps no room for a full disk."""

    def release(self) -> bool:
        return False

    def restore(self) -> None:
        pass


class _SourcesOfOne:
    """The source files of one worker, which can be closed for it when it is dead."""

    def __init__(self) -> None:
        self._reader = LocalSourceReader()
        self._opened: list[OpenSource] = []

    def open(self, path: str) -> OpenSource:
        opened = self._reader.open(path)
        self._opened.append(opened)
        return opened

    def close_all(self) -> None:
        for source in self._opened:
            source.close()


@dataclass(slots=True)
class MemoryDisk:
    """Stores that every worker of a test shares."""

    folder: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(tick_us=1))
    leases: MemoryLeases = field(default_factory=MemoryLeases)
    services: IngestionServices = field(init=False)
    sources: dict[str, _SourcesOfOne] = field(default_factory=dict)
    """What each worker has open, by its name."""

    def __post_init__(self) -> None:
        self.services = memory_services(self.clock, Ed25519Signer.open(self.folder))

    def ledger(
        self, config: StreamingSagaConfig, interceptors: Sequence[Interceptor] = ()
    ) -> Ledger:
        """A worker of its own, every port call of which goes through the interceptors."""
        leases = MemoryLeaseStore(f"test:1:{uuid4().hex[:8]}", self.leases, self.clock)
        names = (
            *("log", "snapshots", "chunks", "vectors", "graph", "relational", "manifests"),
            "clock",
        )
        bare: dict[str, Any] = {name: getattr(self.services, name) for name in names}
        sources = _SourcesOfOne()
        ports = intercepted({**bare, "source": sources, "leases": leases}, interceptors)
        wrapped_leases = ports.pop("leases")
        self.sources[leases.owner] = sources
        services = IngestionServices(
            **ports,
            encoding=self.services.encoding,
            extractor=self.services.extractor,
            embedder=self.services.embedder,
            signer=self.services.signer,
            spool=TemporaryFilePassageSpool(),
        )
        projector = open_projections(None, services.log)
        return Ledger(services, wrapped_leases, NoReserve(), projector, config)

    def bury(self, ledger: Ledger) -> None:
        """What the system does when a worker has died: its locks are free, its files closed."""
        owner = ledger.orchestrator.leases.owner
        self.leases.alive.discard(owner)
        self.sources.pop(owner).close_all()
