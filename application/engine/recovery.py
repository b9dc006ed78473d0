"""Start-up recovery: every open saga is brought to its end, with no human decision."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

from sagaledger.domain.errors import SagaledgerError, describe
from sagaledger.domain.ports.open_sagas import OpenSaga, OpenSagas
from sagaledger.domain.saga.errors import LeaseHeldError, LeaseLostError, SagaStateError
from sagaledger.domain.saga.result import SagaExecutionResult

__all__ = ["RecoveryReport", "recover"]

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class RecoveryReport:
    """What a recovery found and did."""

    finished: list[SagaExecutionResult] = field(default_factory=list)
    """Sagas that were taken over, as they stand now, oldest first."""
    held: dict[UUID, str] = field(default_factory=dict)
    """Sagas that another living worker drives, and who that is."""
    paused: list[UUID] = field(default_factory=list)
    """Sagas that somebody paused: they wait for `resume`."""
    failed: dict[UUID, str] = field(default_factory=dict)
    """Sagas that could not be taken over, and why; the others went on."""


def recover(
    directory: OpenSagas,
    drive: Callable[[UUID], SagaExecutionResult],
    is_stopping: Callable[[], bool],
    at_once: int = 1,
) -> RecoveryReport:
    """Drive every open saga that nobody else drives, until the worker is to stop.

    The oldest are taken up first, `at_once` of them at a time, each in a thread of its own. One
    that cannot be taken over is reported, and the others go on. Idempotent, and may itself be
    ended at any moment.
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
            # What ends one thread is no saga's failure, so it ends the recovery.
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
            # It ended between our list and our claim: another worker was faster.
            return
        except SagaledgerError as error:
            self.done.failed[saga_id] = describe(error)
        except Exception as error:
            # A defect that one saga brings to light must not keep the others from their end.
            _logger.exception("saga %s breaks its recovery", saga_id.hex)
            self.done.failed[saga_id] = f"{type(error).__name__}: {describe(error)}"
