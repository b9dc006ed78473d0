"""An embedder that is opened with the first text: many commands need none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from sagaledger.domain.document.errors import EmbedderMismatchError
from sagaledger.domain.document.values import EmbedderIdentity

if TYPE_CHECKING:
    from sagaledger.domain.ports.embedder import Embedder

__all__ = ["EmbedderOnDemand"]


class EmbedderOnDemand:
    """Known by its identity; safe for several threads."""

    def __init__(self, identity: EmbedderIdentity, open_embedder: Callable[[], Embedder]) -> None:
        self._identity = identity
        self._open = open_embedder
        self._opened: Embedder | None = None
        self._lock = Lock()

    @property
    def identity(self) -> EmbedderIdentity:
        """Name and dimension, stored with the vectors."""
        return self._identity

    def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        """A vector per text.

        Raises:
            EmbedderMismatchError: what was opened calls itself otherwise.
            SagaledgerError: it cannot be opened.
        """
        with self._lock:
            if self._opened is None:
                opened = self._open()
                if opened.identity != self._identity:
                    raise EmbedderMismatchError(self._identity, opened.identity)
                self._opened = opened
        return self._opened.embed(texts)
