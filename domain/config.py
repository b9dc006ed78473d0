"""The configuration of a streaming saga: every limit and delay, with its default."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from sagaledger.domain.document.values import Classification
from sagaledger.domain.saga.retry import RetryPolicy
from sagaledger.domain.upload.chunking import automatic_chunk_size

__all__ = ["StreamingSagaConfig"]


@dataclass(frozen=True, slots=True)
class StreamingSagaConfig:
    """The settings of one ingestion. Times are in seconds, sizes in bytes."""

    max_resume_attempts: int = 3
    """The maximum number of attempts of the upload step, the first one included."""
    resume_retry_delay_s: float = 5.0
    """The wait before the upload step's second try."""
    resume_backoff: float = 2.0
    """By what each further wait of the upload step is longer than the one before."""
    resume_max_delay_s: float = 300.0
    """The longest wait between two tries of the upload step."""
    resume_jitter: float = 0.1
    """The share by which a wait is longer or shorter at random, at most."""
    store_attempts: int = 3
    """The maximum number of attempts of a step that writes to a database."""
    store_retry_delay_s: float = 1.0
    """The wait before the second try of such a step; it doubles with each further one."""
    compensation_attempts: int = 3
    """The maximum number of attempts of each undo in one round; a sweep starts a new round."""
    compensation_retry_delay_s: float = 0.2
    """The wait before an undo's second try; it doubles with each further one."""
    deadline_s: float | None = None
    """The limit of the working time on the forward path; None for no limit. Never ends an undo."""
    chunk_size_bytes: int | None = None
    """None for automatic: at least 4 MiB, and large enough for at most 10,000 chunks."""
    compress: bool = False
    """Compress chunks with zstd if that makes them smaller."""
    classification: Classification = Classification.INTERNAL
    """How confidential the document is; its manifest says so."""
    namespace: str = "default"
    """What a document's id begins with; the same content in two namespaces is two documents."""
    again: bool = False
    """Make a new document even if one with the same content exists."""
    writer_threads: int = 4
    """Chunks in flight at once."""
    lease_s: float = 30.0
    """How long a worker keeps its sagas without a sign of life."""

    def __post_init__(self) -> None:
        if self.chunk_size_bytes is not None and self.chunk_size_bytes < 1:
            raise ValueError(f"chunk size must be at least 1 byte, not {self.chunk_size_bytes}")
        if self.deadline_s is not None and not self.deadline_s > 0:
            raise ValueError(f"deadline must be more than 0 s, not {self.deadline_s}")
        if self.writer_threads < 1:
            raise ValueError(f"writer_threads must be at least 1, not {self.writer_threads}")
        if not 1 <= self.lease_s < inf:
            raise ValueError(f"lease must be at least 1 s, and finite, not {self.lease_s}")
        if not self.namespace.replace("_", "").isalnum() or not self.namespace.isascii():
            raise ValueError(f"namespace {self.namespace!r} must be ASCII letters, digits and _")
        # Building the policies checks the remaining numbers.
        _ = self.upload_retry, self.store_retry, self.compensation_retry

    @property
    def upload_retry(self) -> RetryPolicy:
        """The policy of the upload step."""
        return RetryPolicy(
            self.max_resume_attempts,
            self.resume_retry_delay_s,
            self.resume_backoff,
            self.resume_max_delay_s,
            self.resume_jitter,
        )

    @property
    def store_retry(self) -> RetryPolicy:
        """The policy of the steps that write to a database."""
        return RetryPolicy(self.store_attempts, self.store_retry_delay_s, max_delay_s=60.0)

    @property
    def compensation_retry(self) -> RetryPolicy:
        """The policy of every undo."""
        return RetryPolicy(
            self.compensation_attempts, self.compensation_retry_delay_s, max_delay_s=10.0
        )

    def chunk_size_for(self, size_bytes: int) -> int:
        """The chunk size for a new upload of this size."""
        return self.chunk_size_bytes or automatic_chunk_size(size_bytes)
