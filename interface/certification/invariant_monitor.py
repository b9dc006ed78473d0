"""Monitors the port calls of a run for invariants that must hold at every moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any
from uuid import UUID

from sagaledger.application.ingestion.parameters import StoreList
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.events import SagaStarted
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.events import ChunkWritten, IntegrityFailed, IntegrityVerified
from sagaledger.domain.upload.values import upload_id_of, upload_prefix_of
from sagaledger.interface.certification.guarantees import Guarantee
from sagaledger.interface.certification.port_calls import Invocation

__all__ = ["DurabilityMonitor", "InvariantMonitor"]

_ELSEWHERE = {
    *("log", "chunks", "chunk writer", "stored chunk", "source", "source file"),
    *("clock", "leases"),
}
"""Every other port is that of the manifests or of a downstream store."""
_WRITES = {"upsert", "put", "commit"}
_CHANGES = {*_WRITES, "delete", "hide"}


class InvariantMonitor:
    """Reports each moment at which G1 or G2 does not hold. It queries the adapters directly."""

    def __init__(
        self, services: IngestionServices, report: Callable[[Guarantee, str], None]
    ) -> None:
        """Watch calls whose adapters are these; they must be the bare ones."""
        self._services = services
        self._report = report

    def __call__(self, invocation: Invocation) -> Any:
        """Let the call through, and check the invariants before and after it."""
        call = invocation.call
        if call.port not in _ELSEWHERE and call.method in _WRITES:
            self._check_gate(invocation)
        try:
            return invocation.proceed()
        finally:
            if call.port not in _ELSEWHERE and call.method in _CHANGES:
                self._check_visibility(_owner_of(invocation))

    def _check_gate(self, invocation: Invocation) -> None:
        owner = _owner_of(invocation)
        verdict = None
        for recorded in events_of(
            self._services.log.read_stream(upload_id_of(UUID(owner.saga_id)))
        ):
            if isinstance(recorded.event, IntegrityVerified | IntegrityFailed):
                verdict = recorded.event
        if not isinstance(verdict, IntegrityVerified):
            self._report(Guarantee.G1, f"{invocation.call} before the upload was verified")
        elif verdict.sha256.hex()[:24] not in owner.document_id:
            self._report(Guarantee.G1, f"{invocation.call} for a digest that was not verified")

    def _check_visibility(self, owner: DocumentOwner) -> None:
        services = self._services
        if owner not in services.relational.committed_among([owner]):
            return
        (document,) = services.relational.find(owner.document_id)
        held = {services.manifests.name: (services.manifests.count(owner), 1)}
        for name in self._stores_of(owner):
            store = services.downstream_store(name)
            held[name] = (store.count(owner), store.expected(document))
        for name, (count, expected) in held.items():
            if count != expected:
                self._report(Guarantee.G2, f"{owner.document_id} is visible and partly in {name}")

    def _stores_of(self, owner: DocumentOwner) -> tuple[str, ...]:
        """Those that the saga of the document writes to."""
        started = next(events_of(self._services.log.read_stream(UUID(owner.saga_id))))
        if not isinstance(started.event, SagaStarted):
            raise TypeError(f"{type(started.event).__name__} begins the stream of a saga")
        return StoreList.from_stored(started.event.parameters).names


class DurabilityMonitor:
    """Reports each chunk that is recorded in the log before the store has confirmed it as durable.

    It sees the results that the caller sees, including those of injected faults.
    """

    def __init__(self, report: Callable[[Guarantee, str], None]) -> None:
        self._report = report
        self._lock = Lock()
        self._keys: dict[int, str] = {}
        self._committed: set[str] = set()
        self._durable: set[str] = set()

    def __call__(self, invocation: Invocation) -> Any:
        """Let the call through, and note the result that the caller sees."""
        match invocation.call.port, invocation.call.method:
            case "chunks", "create":
                writer = invocation.proceed()
                self._keys[id(writer)] = invocation.arguments[0]
                return writer
            case "chunk writer", "commit":
                result = invocation.proceed()
                with self._lock:
                    self._committed.add(self._keys[id(invocation.target)])
                return result
            case "chunks", "flush":
                return self._flush(invocation)
            case "log", "append":
                self._check_claims(invocation.arguments[0])
                return invocation.proceed()
            case _:
                return invocation.proceed()

    def _flush(self, invocation: Invocation) -> Any:
        # The flush makes only those chunks durable that were committed before it started.
        with self._lock:
            committed = set(self._committed)
        result = invocation.proceed()
        with self._lock:
            self._durable |= committed
        return result

    def _check_claims(self, recorded: Sequence[RecordedEvent]) -> None:
        for item in recorded:
            if isinstance(item.event, ChunkWritten):
                key = chunk_key(upload_prefix_of(item.originator_id), item.event.index)
                with self._lock:
                    is_durable = key in self._durable
                if not is_durable:
                    self._report(Guarantee.G6, f"the log records chunk {key} before it is durable")


def _owner_of(invocation: Invocation) -> DocumentOwner:
    first = invocation.arguments[0]
    owner: DocumentOwner = getattr(first, "owner", first)
    return owner
