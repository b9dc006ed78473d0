"""Start-up recovery: every open saga is brought to its end, with no human decision."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from sagaledger.domain.errors import (
    LeaseHeldError,
    LeaseLostError,
    SagaledgerError,
    SagaStateError,
    in_words,
)
from sagaledger.domain.ports import SagaDirectory
from sagaledger.domain.result import SagaExecutionResult

__all__ = ["RecoveryReport", "recover"]

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class RecoveryReport:
    """What a recovery found and did."""

    finished: list[SagaExecutionResult] = field(default_factory=list)
    """Sagas that were taken over, as they stand now."""
    held: dict[UUID, str] = field(default_factory=dict)
    """Sagas that another living worker drives, and who that is."""
    paused: list[UUID] = field(default_factory=list)
    """Sagas that somebody paused: they wait for `resume`."""
    failed: dict[UUID, str] = field(default_factory=dict)
    """Sagas that could not be taken over, and why; the others went on."""


def recover(
    directory: SagaDirectory,
    drive: Callable[[UUID], SagaExecutionResult],
    is_stopping: Callable[[], bool],
) -> RecoveryReport:
    """Drive every open saga that nobody else drives, until the worker is to stop.

    One that cannot be taken over is reported, and the others go on. Idempotent, and may itself be
    ended at any moment.
    """
    done = RecoveryReport()
    for summary in directory.open_sagas():
        if is_stopping():
            break
        if summary.paused and not summary.decided:
            done.paused.append(summary.saga_id)
            continue
        try:
            done.finished.append(drive(summary.saga_id))
        except LeaseHeldError as error:
            done.held[summary.saga_id] = error.owner
        except LeaseLostError as error:
            done.held[summary.saga_id] = in_words(error)
        except SagaStateError:
            # It ended between our list and our claim: another worker was faster.
            continue
        except SagaledgerError as error:
            done.failed[summary.saga_id] = in_words(error)
        except Exception as error:
            # A defect that one saga brings to light must not keep the others from their end.
            _logger.exception("saga %s breaks its recovery", summary.saga_id.hex)
            done.failed[summary.saga_id] = f"{type(error).__name__}: {in_words(error)}"
    return done
