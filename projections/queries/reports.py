"""Four reports on unresolved failures, as plain data.

They are computed from the read models only, so the same log always gives the same reports. Their
JSON schemas are in `docs/schemas/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sagaledger.projections.engine.projector import Projector

__all__ = ["REPORT_NAMES", "Report", "reports"]

Report: TypeAlias = Mapping[str, Any]

REPORT_NAMES = (
    "failed_cleanups",
    "critical_failures",
    "rollback_failures",
    "rollback_alerts",
)
_FORMAT = 1


def reports(projector: Projector) -> dict[str, Report]:
    """All reports by name.

    Raises:
        StorageBackendError: the read models or the log cannot be read.
    """
    entries: dict[str, list[dict[str, Any]]] = {
        "failed_cleanups": _failed_cleanups(projector),
        "critical_failures": _alerts(projector, "severity='critical'"),
        "rollback_failures": _rollback_failures(projector),
        "rollback_alerts": _alerts(
            projector, "rule IN ('rollback_failed', 'partial_rollback', 'rollback_rate')"
        ),
    }
    return {
        name: {"report": name, "format": _FORMAT, "count": len(rows), "entries": rows}
        for name, rows in entries.items()
    }


def _failed_cleanups(projector: Projector) -> list[dict[str, Any]]:
    return _entries(
        projector,
        "SELECT orphan_id, saga_id, store, ref, step, count, cause, state, decided_by, reason, "
        "tries, last_error, since_us, last_try_us, next_try_us FROM orphans "
        "WHERE listed=1 AND state<>'removed' ORDER BY since_us, store, ref, saga_id",
    )


def _alerts(projector: Projector, condition: str) -> list[dict[str, Any]]:
    return _entries(
        projector,
        "SELECT id, rule, severity, subject, message, count, state, acknowledged_by, note, "
        f"first_us, last_us FROM alerts WHERE state<>'resolved' AND {condition} "
        "ORDER BY first_us, id",
    )


def _rollback_failures(projector: Projector) -> list[dict[str, Any]]:
    failures = _entries(
        projector,
        "SELECT saga_id, definition, source, document_id, status, reason, owner, "
        "started_us, rollback_us, ended_us FROM sagas "
        "WHERE status='compensation_failed' OR (status='failed' AND reason<>'') ORDER BY position",
    )
    for failure in failures:
        failure["steps"] = _entries(
            projector,
            "SELECT step, undo_attempts, undo_removed, undo_residue, undo_error FROM steps "
            "WHERE saga_id=? AND (undo_residue>0 OR undo_error<>'') ORDER BY started_us, step",
            (failure["saga_id"],),
        )
    return failures


def _entries(
    projector: Projector, query: str, bindings: Sequence[object] = ()
) -> list[dict[str, Any]]:
    return [
        {
            (name.removesuffix("_us") if name.endswith("_us") else name): (
                _timestamp(row[name]) if name.endswith("_us") else row[name]
            )
            for name in row.keys()  # noqa: SIM118 - iterating over a row yields its values
        }
        for row in projector.rows(query, bindings)
    ]


def _timestamp(at_us: int) -> str | None:
    """The time in UTC in the format of RFC 3339; None for 0."""
    if not at_us:
        return None
    seconds, rest_us = divmod(at_us, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest_us)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
