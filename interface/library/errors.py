"""The errors of the library itself."""

from __future__ import annotations

from sagaledger.domain.errors import SagaledgerError

__all__ = ["AppError"]


class AppError(SagaledgerError):
    """An app cannot be used: its name, its module, its attribute, or what it does."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"app {name!r}: {cause}")
        self.name = name
        self.cause = cause
