"""Injects faults in front of any adapter, as `sagaledger certify` does.

The port is wrapped from outside; the adapter is not patched. A call is identified by the port (any
name, and `chunk writer`, `stored chunk` and `source file` for the objects that calls open), the
method and, for a single call, its number from 1.
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
    """Wrap the adapter so that some of its methods fail.

    Example:
        full = with_faults(MyChunkStore(folder), "chunks", flush=FaultKind.DISK_FULL)
        busy = Fault(StorageBackendError("chunks", "delete", "busy"), times=2)
        mended = with_faults(MyChunkStore(folder), "chunks", delete=busy)

    Args:
        adapter: the adapter behind the port.
        port: its name in errors; `chunks` and `source` also wrap the objects that they open.
        faults: the faults by the name of the method.
    """
    injector = FaultInjector(always={(port, method): fault for method, fault in faults.items()})
    return cast("_Adapter", intercepted({port: adapter}, [injector])[port])
