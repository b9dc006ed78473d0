"""The parameters of an ingestion. `SagaStarted` stores them, so that they survive a restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from sagaledger.application.plain_data import integer, items, number, text
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.document.values import Classification
from sagaledger.domain.saga.errors import PlainDataInvalidError
from sagaledger.domain.saga.retry import RetryPolicy
from sagaledger.domain.values import Parameters, Value

__all__ = ["VERSION_1_STORES", "IngestionParameters", "StoreList"]

VERSION_1_STORES = ("vector", "graph", "relational")
"""The stores of version 1 of the definitions, which its parameters do not list."""
_STORES = "downstream_stores"
_RETRY_FIELDS = 5


@dataclass(frozen=True, slots=True)
class StoreList:
    """The downstream stores of a saga: those configured when it started.

    A saga of version 1 of its definition lists no stores, and records no facts of its document.
    """

    names: tuple[str, ...]
    version: int
    """The version of the shipped definitions."""

    @classmethod
    def from_stored(cls, stored: Parameters) -> StoreList:
        """Read the list from the parameters in `SagaStarted`.

        Raises:
            PlainDataInvalidError: It is not a list of names.
        """
        if _STORES not in stored:
            return cls(VERSION_1_STORES, 1)
        names = items(stored, _STORES)
        if not names or not all(isinstance(name, str) and name for name in names):
            raise PlainDataInvalidError(_STORES, "is not a list of store names")
        return cls(tuple(map(str, names)), 2)

    @staticmethod
    def to_stored(names: Sequence[str]) -> dict[str, Value]:
        """Plain data for `SagaStarted`."""
        return {_STORES: list(names)}


@dataclass(frozen=True, slots=True)
class IngestionParameters:
    """The settings of one ingestion that its steps and its recovery use."""

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
    stores: StoreList

    @classmethod
    def from_config(
        cls, source: str, config: StreamingSagaConfig, stores: Sequence[str]
    ) -> IngestionParameters:
        """The parameters for a file, a configuration and these downstream stores."""
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
            stores=StoreList(tuple(stores), 2),
        )

    @classmethod
    def from_stored(cls, stored: Parameters) -> IngestionParameters:
        """Read the parameters from `SagaStarted`.

        Raises:
            PlainDataInvalidError: One is missing or malformed; the error names it.
        """
        raw = stored.get("source_bytes")
        source = text(stored, "source")
        if isinstance(raw, bytes):
            source = raw.decode("utf-8", "surrogateescape")
        return cls(
            source=source,
            namespace=text(stored, "namespace"),
            classification=_classification(stored),
            compression=text(stored, "compression"),
            chunk_size_bytes=integer(stored, "chunk_size_bytes"),
            writer_threads=integer(stored, "writer_threads"),
            upload_retry=_policy(stored, "upload_retry"),
            store_retry=_policy(stored, "store_retry"),
            compensation_retry=_policy(stored, "compensation_retry"),
            stores=StoreList.from_stored(stored),
        )

    @property
    def shown_source(self) -> str:
        """The path as text that every codec and terminal accepts."""
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
            **StoreList.to_stored(self.stores.names),
        }
        if self.shown_source != self.source:
            # A file name may be any bytes, which text alone cannot represent.
            stored["source_bytes"] = self.source.encode("utf-8", "surrogateescape")
        return stored


def _classification(stored: Parameters) -> Classification:
    given = text(stored, "classification")
    try:
        return Classification(given)
    except ValueError as error:
        raise PlainDataInvalidError("classification", f"is {given!r}, which is unknown") from error


def _policy(stored: Parameters, name: str) -> RetryPolicy:
    values = items(stored, name)
    if len(values) != _RETRY_FIELDS:
        problem = f"has {len(values)} values instead of {_RETRY_FIELDS}"
        raise PlainDataInvalidError(name, problem)
    fields: Parameters = {f"{name}[{place}]": value for place, value in enumerate(values)}
    attempts, *others = fields
    try:
        return RetryPolicy(integer(fields, attempts), *(number(fields, f) for f in others))
    except ValueError as error:
        raise PlainDataInvalidError(name, str(error)) from error
