"""The errors of manifests, text and vectors."""

from __future__ import annotations

from sagaledger.domain.document.values import EmbedderIdentity
from sagaledger.domain.errors import SagaledgerError
from sagaledger.domain.saga.values import RollbackReason

__all__ = [
    "EmbedderMismatchError",
    "EmbedderUnavailableError",
    "SignatureInvalidError",
    "TextDamagedError",
    "VectorInvalidError",
]


class SignatureInvalidError(SagaledgerError):
    """A manifest's signature does not match its content and key."""

    reason = RollbackReason.HASH_MISMATCH

    def __init__(self, document_id: str, detail: str) -> None:
        super().__init__(f"manifest of document {document_id}: {detail}")
        self.document_id = document_id


class TextDamagedError(SagaledgerError):
    """A document's text cannot be read to its end. Its bytes are intact."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class EmbedderMismatchError(SagaledgerError):
    """The vector store holds vectors of another embedder."""

    reason = RollbackReason.EMBEDDER_MISMATCH

    def __init__(self, stored: EmbedderIdentity, given: EmbedderIdentity) -> None:
        super().__init__(
            f"the vector store holds vectors of {stored.name} ({stored.dimension} dimensions), "
            f"not of {given.name} ({given.dimension}); use that embedder or another data folder"
        )
        self.stored = stored
        self.given = given


class VectorInvalidError(SagaledgerError):
    """The vector does not fit the store's embedder. Not retryable."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"a vector cannot be used: {cause}; check the embedder that made it")
        self.cause = cause


class EmbedderUnavailableError(SagaledgerError):
    """An embedder cannot be used on this machine. The hint says what to do."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__(f"embedder {name!r} is not available: {hint}")
        self.name = name
        self.hint = hint
