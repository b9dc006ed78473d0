"""Recovery at start-up: drives every open saga to its end without a human decision."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.domain.errors import SagaledgerError, describe
from sagaledger.domain.saga.errors import LeaseHeldError, LeaseLostError, SagaStateError
from sagaledger.domain.saga.result import SagaExecutionResult

if TYPE_CHECKING:
    from sagaledger.domain.ports.open_sagas import OpenSaga, OpenSagas

__all__ = ["RecoveryReport", "recover"]

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class RecoveryReport:
    """The report of a recovery."""

    finished: list[SagaExecutionResult] = field(default_factory=list)
    """Sagas that were claimed, with their current state, oldest first."""
    held: dict[UUID, str] = field(default_factory=dict)
    """Sagas that another living worker drives, with the name of that worker."""
    paused: list[UUID] = field(default_factory=list)
    """Paused sagas: they wait for `resume`."""
    failed: dict[UUID, str] = field(default_factory=dict)
    """Sagas that could not be claimed, with the reason; the others continued."""


def recover(
    directory: OpenSagas,
    drive: Callable[[UUID], SagaExecutionResult],
    is_stopping: Callable[[], bool],
    at_once: int = 1,
) -> RecoveryReport:
    """Drive every open saga that no other worker drives, until this worker must stop.

    The oldest sagas come first, `at_once` of them in parallel, each in its own thread. A saga that
    cannot be claimed is reported and does not stop the others. Idempotent, and may itself be
    interrupted at any time.
    """
    done = RecoveryReport()
    waiting: list[OpenSaga] = []
    for found in directory.open_sagas():
        if found.paused and not found.decided:
            done.paused.append(found.saga_id)
        else:
            waiting.append(found)
    _Recovery(done, iter(waiting), drive, is_stopping).run(min(at_once, len(waiting)))
    age = {found.saga_id: number for number, found in enumerate(waiting)}
    done.finished.sort(key=lambda result: age[result.saga_id])
    return done


@dataclass(slots=True)
class _Recovery:
    """The threads of one recovery share a list of sagas and a report."""

    done: RecoveryReport
    waiting: Iterator[OpenSaga]
    drive: Callable[[UUID], SagaExecutionResult]
    is_stopping: Callable[[], bool]
    _is_broken: bool = False
    _lock: Lock = field(default_factory=Lock)

    def run(self, at_once: int) -> None:
        if at_once <= 1:
            self._work()
            return
        with ThreadPoolExecutor(at_once, "sagaledger-recovery") as threads:
            try:
                for worker in [threads.submit(self._work) for _ in range(at_once)]:
                    worker.result()
            except BaseException:
                self._is_broken = True
                raise

    def _work(self) -> None:
        try:
            while (found := self._next()) is not None:
                self._take_up(found.saga_id)
        except BaseException:
            # An error that ends a thread is not a saga's failure, so it ends the recovery.
            self._is_broken = True
            raise

    def _next(self) -> OpenSaga | None:
        with self._lock:
            if self._is_broken or self.is_stopping():
                return None
            return next(self.waiting, None)

    def _take_up(self, saga_id: UUID) -> None:
        try:
            self.done.finished.append(self.drive(saga_id))
        except LeaseHeldError as error:
            self.done.held[saga_id] = error.owner
        except LeaseLostError as error:
            self.done.held[saga_id] = describe(error)
        except SagaStateError:
            # Another worker ended the saga between our list and our claim.
            return
        except SagaledgerError as error:
            self.done.failed[saga_id] = describe(error)
        except Exception as error:
            # A defect in one saga must not stop the others.
            _logger.exception("saga %s breaks its recovery", saga_id.hex)
            self.done.failed[saga_id] = f"{type(error).__name__}: {describe(error)}"
