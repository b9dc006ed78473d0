"""The errors of driving sagas."""

from __future__ import annotations

from collections.abc import Sequence

from sagaledger.domain.errors import SagaledgerError
from sagaledger.domain.saga.values import Residue, RollbackReason

__all__ = [
    "CompensationError",
    "DefinitionMismatchError",
    "DefinitionUnknownError",
    "LeaseHeldError",
    "LeaseLostError",
    "PlainDataInvalidError",
    "SagaCancelledError",
    "SagaPausedError",
    "SagaRollbackRequired",
    "SagaStateError",
    "WorkerStoppedError",
]


class SagaRollbackRequired(SagaledgerError):  # noqa: N818 - the name users of UDS3 look for
    """Raised by a step to end the forward path at once, with the reason."""

    def __init__(
        self,
        reason: RollbackReason,
        message: str,
        *,
        operation_id: str = "",
        retry_count: int = 0,
        last_error: str = "",
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.operation_id = operation_id
        self.retry_count = retry_count
        self.last_error = last_error


class CompensationError(SagaledgerError):
    """An undo is incomplete; `residue` holds the remaining items."""

    def __init__(
        self, step: str, message: str, residue: Sequence[Residue] = (), removed: int = 0
    ) -> None:
        super().__init__(f"compensation of step {step!r} failed: {message}")
        self.step = step
        self.residue = tuple(residue)
        self.removed = removed


class SagaCancelledError(SagaledgerError):
    """Raised at a checkpoint of a step whose saga was cancelled or ran out of time."""

    reason = RollbackReason.CANCELLED

    def __init__(self, message: str, reason: RollbackReason = RollbackReason.CANCELLED) -> None:
        super().__init__(message)
        self.reason = reason


class SagaPausedError(SagaledgerError):
    """Raised at a checkpoint of a step whose saga was paused: stop, undo nothing."""


class WorkerStoppedError(SagaledgerError):
    """Raised at a checkpoint when this worker is shutting down: stop, undo nothing."""


class LeaseHeldError(SagaledgerError):
    """Another worker that is alive drives this saga."""

    def __init__(self, saga_id: str, owner: str, expires_in_s: float) -> None:
        super().__init__(
            f"saga {saga_id} is driven by {owner} (lease ends in {max(expires_in_s, 0):.0f} s "
            "unless renewed)"
        )
        self.saga_id = saga_id
        self.owner = owner
        self.expires_in_s = expires_in_s


class LeaseLostError(SagaledgerError):
    """Another worker claimed the saga: this one must stop and write nothing more."""

    def __init__(self, saga_id: str) -> None:
        super().__init__(f"saga {saga_id} was taken over by another worker")
        self.saga_id = saga_id


class SagaStateError(SagaledgerError):
    """The command makes no sense in the saga's present state."""

    reason = RollbackReason.INVALID_STATE


class DefinitionUnknownError(SagaledgerError):
    """A saga was started under a definition that this process has not registered."""

    def __init__(self, name: str, version: int) -> None:
        super().__init__(f"saga definition {name!r} version {version} is not registered")
        self.name = name
        self.version = version


class DefinitionMismatchError(SagaledgerError):
    """The registered definition has other steps than the saga started with: register the former
    steps again, and the new ones as another version. Nothing was recorded.
    """

    def __init__(
        self, name: str, version: int, recorded: Sequence[str], registered: Sequence[str]
    ) -> None:
        super().__init__(
            f"saga definition {name!r} version {version} is registered with the steps "
            f"{', '.join(registered)}; the saga began with {', '.join(recorded)}: register those "
            "again under this version, and other steps under another version"
        )
        self.name = name
        self.version = version
        self.recorded = tuple(recorded)
        """The steps as `SagaStarted` has them."""
        self.registered = tuple(registered)


class PlainDataInvalidError(SagaledgerError):
    """A parameter of a saga, or an output of a step, is missing or of the wrong kind."""

    reason = RollbackReason.INVALID_STATE

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name!r} {problem}")
        self.name = name
        self.problem = problem
