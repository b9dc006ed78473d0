"""A worker in this process: planned calls go wrong in it, and it dies as by SIGKILL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.errors import SagaledgerError
from sagaledger.interface.certification.faults import FaultInjector, FaultKind
from sagaledger.interface.certification.port_calls import Interceptor, Invocation, PortCall
from sagaledger.interface.library.ledger import Ledger

from tests.support.memory_disk import MemoryDisk, ProcessDied

__all__ = ["mortal_worker"]


class _Life:
    """Ends a worker for good: from then on none of its calls reaches anything."""

    def __init__(self) -> None:
        self.is_over = False

    def __call__(self, invocation: Invocation) -> Any:
        self._check()
        try:
            return invocation.proceed()
        finally:
            self._check()

    def end(self) -> NoReturn:
        self.is_over = True
        raise ProcessDied

    def _check(self) -> None:
        if self.is_over:
            raise ProcessDied


@contextmanager
def mortal_worker(
    disk: MemoryDisk,
    config: StreamingSagaConfig,
    plan: Mapping[PortCall, FaultKind],
    interceptors: Sequence[Interceptor] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Ledger]:
    """A ledger on the disk for the length of a block; `tell` hears what went wrong in it."""
    life = _Life()
    injector = FaultInjector(
        plan, on_fault=lambda call, kind: tell(f"{kind} at {call}"), crash=life.end
    )
    ledger = disk.ledger(config, [life, *interceptors, injector])
    try:
        yield ledger
    except (SagaledgerError, OSError) as told:
        tell(f"the caller was told: {told}")
    except ProcessDied:
        tell("the worker died")
    finally:
        with suppress(ProcessDied, SagaledgerError, OSError):
            ledger.close()
        disk.bury(ledger)
