"""What an ingestion is started with: kept in `SagaStarted`, so that it holds after a restart."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.document.values import Classification
from sagaledger.domain.saga.retry import RetryPolicy
from sagaledger.domain.values import Parameters, Value

__all__ = ["IngestionParameters"]


@dataclass(frozen=True, slots=True)
class IngestionParameters:
    """The settings of one ingestion that its steps and its recovery depend on."""

    source: str
    """The absolute path; bytes that are not UTF-8 as surrogate escapes."""
    namespace: str
    classification: Classification
    compression: str
    chunk_size_bytes: int
    """0 for automatic."""
    writer_threads: int
    upload_retry: RetryPolicy
    store_retry: RetryPolicy
    compensation_retry: RetryPolicy

    @classmethod
    def from_config(cls, source: str, config: StreamingSagaConfig) -> IngestionParameters:
        """The parameters for a file under a configuration."""
        return cls(
            source=source,
            namespace=config.namespace,
            classification=config.classification,
            compression="zstd" if config.compress else "none",
            chunk_size_bytes=config.chunk_size_bytes or 0,
            writer_threads=config.writer_threads,
            upload_retry=config.upload_retry,
            store_retry=config.store_retry,
            compensation_retry=config.compensation_retry,
        )

    @classmethod
    def from_stored(cls, stored: Parameters) -> IngestionParameters:
        """The parameters as `SagaStarted` keeps them."""
        raw = stored.get("source_bytes")
        source = str(stored["source"])
        if isinstance(raw, bytes):
            source = raw.decode("utf-8", "surrogateescape")
        return cls(
            source=source,
            namespace=str(stored["namespace"]),
            classification=Classification(str(stored["classification"])),
            compression=str(stored["compression"]),
            chunk_size_bytes=_integer(stored["chunk_size_bytes"]),
            writer_threads=_integer(stored["writer_threads"]),
            upload_retry=_policy(stored["upload_retry"]),
            store_retry=_policy(stored["store_retry"]),
            compensation_retry=_policy(stored["compensation_retry"]),
        )

    @property
    def shown_source(self) -> str:
        """The path as text that every codec and terminal takes."""
        raw = self.source.encode("utf-8", "surrogateescape")
        return raw.decode("utf-8", "backslashreplace")

    def to_stored(self) -> dict[str, Value]:
        """Plain data for `SagaStarted`."""
        stored: dict[str, Value] = {
            "source": self.shown_source,
            "namespace": self.namespace,
            "classification": self.classification.value,
            "compression": self.compression,
            "chunk_size_bytes": self.chunk_size_bytes,
            "writer_threads": self.writer_threads,
            "upload_retry": list(astuple(self.upload_retry)),
            "store_retry": list(astuple(self.store_retry)),
            "compensation_retry": list(astuple(self.compensation_retry)),
        }
        if self.shown_source != self.source:
            # A file name may be any bytes; text alone could not open it again.
            stored["source_bytes"] = self.source.encode("utf-8", "surrogateescape")
        return stored


def _integer(value: Value) -> int:
    assert isinstance(value, int)
    return value


def _policy(value: Value) -> RetryPolicy:
    assert isinstance(value, list)
    attempts, delay_s, backoff, max_delay_s, jitter = value
    return RetryPolicy(
        _integer(attempts),
        _number(delay_s),
        _number(backoff),
        _number(max_delay_s),
        _number(jitter),
    )


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return float(value)
