"""The current state: all open sagas with the progress of their uploads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sagaledger.domain.saga.values import SagaStatus
from sagaledger.projections.engine.projector import Projector

__all__ = ["LiveSaga", "Overview", "live_sagas", "overview"]

_OPEN = ",".join(f"'{status.value}'" for status in SagaStatus if status.is_open)


@dataclass(frozen=True, slots=True)
class LiveSaga:
    """An open saga."""

    saga_id: str
    definition: str
    status: str
    paused: bool
    step: str
    attempt: int
    source: str
    owner: str
    started_us: int
    changed_us: int
    size_bytes: int
    """The size of its source; 0 if unknown."""
    chunk_count: int
    """The number of chunks of its complete upload; 0 without an upload."""
    chunks_written: int
    stored_bytes: int
    """The size of the written chunks in the store."""
    upload_us: int
    """When its upload was opened, in µs since 1970 UTC; or 0."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts over all sagas, orphans and alerts."""

    open: int
    completed: int
    compensated: int
    compensation_failed: int
    failed: int
    orphans: int
    alerts: int
    """Alerts that are not acknowledged."""


def live_sagas(projector: Projector, limit: int = 100) -> Sequence[LiveSaga]:
    """The open sagas, oldest first.

    Raises:
        StorageBackendError: the read models or the log cannot be read.
    """
    rows = projector.rows(
        "SELECT saga_id, definition, sagas.status, paused, step, attempt, sagas.source, owner, "
        "sagas.started_us, changed_us, coalesce(size_bytes, 0) AS size_bytes, "
        "coalesce(chunk_count, 0) AS chunk_count, "
        "(SELECT count(*) FROM chunks WHERE chunks.upload_id=sagas.upload_id) AS chunks_written, "
        "(SELECT coalesce(sum(stored_bytes), 0) FROM chunks "
        "WHERE chunks.upload_id=sagas.upload_id) AS stored_bytes, "
        "coalesce(uploads.started_us, 0) AS upload_us "
        "FROM sagas LEFT JOIN uploads USING (saga_id) "
        f"WHERE sagas.status IN ({_OPEN}) ORDER BY position LIMIT ?",
        (limit,),
    )
    return [LiveSaga(**{**dict(row), "paused": bool(row["paused"])}) for row in rows]


def overview(projector: Projector) -> Overview:
    """The number of sagas by status, of orphans and of alerts.

    Raises:
        StorageBackendError: the read models or the log cannot be read.
    """
    counts: dict[str, int] = dict(
        tuple(row) for row in projector.rows("SELECT status, count(*) FROM sagas GROUP BY status")
    )
    ((orphans, alerts),) = projector.rows(
        "SELECT (SELECT count(*) FROM orphans WHERE listed=1 AND state='open'), "
        "(SELECT count(*) FROM alerts WHERE state='open')"
    )
    return Overview(
        open=sum(counts.get(status, 0) for status in SagaStatus if status.is_open),
        completed=counts.get(SagaStatus.COMPLETED, 0),
        compensated=counts.get(SagaStatus.COMPENSATED, 0),
        compensation_failed=counts.get(SagaStatus.COMPENSATION_FAILED, 0),
        failed=counts.get(SagaStatus.FAILED, 0),
        orphans=orphans,
        alerts=alerts,
    )
