"""Rollback statistics by day, reason, step and definition: views over one row per saga."""

from __future__ import annotations

from sagaledger.projections.engine.tables import View, integer, real, text

__all__ = ["ROLLBACK_VIEWS", "SUMMED"]

_ENDED = "reason<>'' AND outcome IN ('compensated', 'compensation_failed')"
_PERCENTILES = (50, 90, 99)

SUMMED = (
    integer("sagas", "Sagas that started."),
    integer("completed", "Sagas that completed all steps."),
    integer("rollbacks", "Sagas whose rollback was decided."),
    integer("clean", "Rollbacks that ended without residue."),
    integer("failed", "Rollbacks that ended with residue."),
    real("success_rate", "The share of ended rollbacks without residue; null without one."),
    integer("attempts", "Attempts to undo a step."),
    integer("attempts_failed", "Attempts that raised an error or left residue."),
    integer("removed", "Chunks, rows, nodes, vectors and records that rollbacks removed."),
    integer("removed_bytes", "The stored bytes of the removed chunks."),
    integer("residue", "Items that failed rollbacks left."),
    integer("retries", "Repeated attempts at forward steps."),
    real("retries_to_success", "Mean retries of completed sagas with retries; null without one."),
    integer("p50_us", "The median duration of ended rollbacks, in µs; or null."),
    integer("p90_us", "The 90th percentile of their durations, in µs; or null."),
    integer("p99_us", "The 99th percentile of their durations, in µs; or null."),
    integer("longest_us", "The longest duration, in µs; or null."),
)
"""The columns that all views share. Percentiles are exact, by nearest rank."""


def _select(key: str, condition: str) -> str:
    percentiles = ", ".join(
        f"max(CASE WHEN rank=(ended*{share}+99)/100 THEN took_us END) AS p{share}_us"
        for share in _PERCENTILES
    )
    # A wall clock may be set back: count a negative duration as 0.
    return f"""
        WITH chosen AS (SELECT *, {key} AS key FROM rollbacks WHERE {condition}),
        timed AS (
            SELECT key, max(0, ended_us-rollback_us) AS took_us,
                row_number() OVER (PARTITION BY key ORDER BY max(0, ended_us-rollback_us)) AS rank,
                count(*) OVER (PARTITION BY key) AS ended
            FROM chosen WHERE {_ENDED}
        ),
        summed AS (
            SELECT key, count(*), sum(outcome='completed'), sum(reason<>''),
                sum({_ENDED} AND outcome='compensated'),
                sum(outcome='compensation_failed'),
                avg(CASE WHEN {_ENDED} THEN outcome='compensated' END),
                sum(attempts), sum(attempts_failed), sum(removed), sum(removed_bytes),
                sum(CASE outcome WHEN 'compensation_failed' THEN residue ELSE 0 END), sum(retries),
                avg(CASE WHEN outcome='completed' AND retries>0 THEN retries END)
            FROM chosen GROUP BY key
        ),
        ranked AS (
            SELECT key AS ranked_key, {percentiles}, max(took_us) AS longest_us
            FROM timed GROUP BY key
        )
        SELECT summed.*, p50_us, p90_us, p99_us, longest_us
        FROM summed LEFT JOIN ranked ON ranked_key=key ORDER BY key
    """


def _view(name: str, column: str, about: str, meaning: str, key: str, condition: str) -> View:
    return View(name, about, (text(column, meaning), *SUMMED), _select(key, condition), (column,))


ROLLBACK_VIEWS = (
    _view(
        "rollbacks_by_day",
        "day",
        "The outcomes of the sagas that started on one day.",
        "The day in UTC, such as `2026-01-31`.",
        "date(started_us/1000000, 'unixepoch')",
        "1",
    ),
    _view(
        "rollbacks_by_reason",
        "reason",
        "The rollbacks with one reason.",
        "The reason of the rollback; see `RollbackReason`.",
        "reason",
        "reason<>''",
    ),
    _view(
        "rollbacks_by_step",
        "step",
        "The rollbacks that started in one step.",
        "The step that was running at the decision; `-` if no step was.",
        "step",
        "reason<>''",
    ),
    _view(
        "rollbacks_by_definition",
        "definition",
        "The outcomes of the sagas of one definition.",
        "The saga definition, such as `streaming-upload`.",
        "definition",
        "1",
    ),
    _view(
        "rollbacks_total",
        "total",
        "The outcomes of all sagas: one row, or none.",
        "`all`.",
        "'all'",
        "1",
    ),
)
