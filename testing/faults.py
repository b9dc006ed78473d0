"""Faults in front of any adapter, as `sagaledger certify` puts them there.

A port is wrapped from outside, and nothing of the adapter is patched. Calls are named by the port
(any name, and `chunk writer`, `stored chunk` and `source file` for what some calls open), the
method and, for a single one, its number from 1.
"""

from __future__ import annotations

from typing import TypeVar, cast

from sagaledger.interface.certification.faults import Fault, FaultInjector, FaultKind
from sagaledger.interface.certification.port_calls import (
    Interceptor,
    Invocation,
    PortCall,
    Recorder,
    intercepted,
)

__all__ = [
    "Fault",
    "FaultInjector",
    "FaultKind",
    "Interceptor",
    "Invocation",
    "PortCall",
    "Recorder",
    "intercepted",
    "with_faults",
]

_Adapter = TypeVar("_Adapter")


def with_faults(adapter: _Adapter, port: str = "port", **faults: FaultKind | Fault) -> _Adapter:
    """The adapter, some of whose methods always go wrong.

    Example:
        full = with_faults(MyChunkStore(folder), "chunks", flush=FaultKind.DISK_FULL)
        busy = Fault(StorageBackendError("chunks", "delete", "busy"), times=2)
        mended = with_faults(MyChunkStore(folder), "chunks", delete=busy)

    Args:
        adapter: what stands behind the port.
        port: what errors call it; `chunks` and `source` also wrap what they open.
        faults: by name of the method.
    """
    injector = FaultInjector(always={(port, method): fault for method, fault in faults.items()})
    return cast("_Adapter", intercepted({port: adapter}, [injector])[port])
