"""Step 1, validate: check that the source is a readable regular file, and take its fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sagaledger.application.engine.failures import finally_doing
from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.saga.errors import SagaRollbackRequired
from sagaledger.domain.saga.values import RollbackReason
from sagaledger.domain.upload.chunking import ChunkLayout, automatic_chunk_size
from sagaledger.domain.upload.errors import SourceChangedError
from sagaledger.domain.upload.values import SourceFingerprint
from sagaledger.domain.values import Parameters

if TYPE_CHECKING:
    from sagaledger.domain.ports.source_reader import OpenSource

__all__ = ["MAX_CHUNKS_PER_UPLOAD", "ValidateStep", "check_unchanged", "opened_source"]

MAX_CHUNKS_PER_UPLOAD = 1_000_000
"""The maximum number of chunks of an upload, for any chunk size."""


@dataclass(frozen=True, slots=True)
class ValidateStep:
    """Opens the source read-only under a shared lock and fingerprints it. Leaves no trace."""

    services: IngestionServices

    def __call__(self, context: StepContext) -> Parameters:
        """Check the source.

        Raises:
            SourceNotFoundError: The source does not exist.
            SourceUnreadableError: The source cannot be read as a regular file.
            SagaRollbackRequired: The source would make too many chunks.
        """
        parameters = IngestionParameters.from_stored(context.parameters)
        with opened_source(self.services, parameters.source) as source:
            fingerprint, locked = source.fingerprint, source.is_locked
        size = parameters.chunk_size_bytes or automatic_chunk_size(fingerprint.size_bytes)
        count = ChunkLayout(fingerprint.size_bytes, size).count
        if count > MAX_CHUNKS_PER_UPLOAD:
            raise SagaRollbackRequired(
                RollbackReason.INVALID_STATE,
                f"{count} chunks of {size} bytes are too many (at most {MAX_CHUNKS_PER_UPLOAD}); "
                "give a larger chunk size",
            )
        return {**asdict(fingerprint), "locked": locked, "chunk_size_bytes": size}


@contextmanager
def opened_source(services: IngestionServices, path: str) -> Iterator[OpenSource]:
    """The source, open and locked during a `with` block."""
    source = services.source.open(path)
    with finally_doing(source.close, "the source could not be closed"):
        yield source


def check_unchanged(source: OpenSource, path: str, expected: SourceFingerprint) -> None:
    """Check that the source has not changed since the saga started.

    Raises:
        SourceChangedError: The source has changed.
    """
    difference = expected.difference(source.fingerprint)
    if difference:
        raise SourceChangedError(path, difference)
