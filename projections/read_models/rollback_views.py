"""Rollback statistics by day, reason, step and kind of saga: views over one row per saga."""

from __future__ import annotations

from sagaledger.projections.engine.tables import View, integer, real, text

__all__ = ["ROLLBACK_VIEWS", "SUMMED"]

_ENDED = "reason<>'' AND outcome IN ('compensated', 'compensation_failed')"
_PERCENTILES = (50, 90, 99)

SUMMED = (
    integer("sagas", "Sagas that were begun."),
    integer("completed", "Those whose every step is done."),
    integer("rollbacks", "Those whose rollback was decided."),
    integer("clean", "Rollbacks that ended with nothing left."),
    integer("failed", "Rollbacks that ended with something left."),
    real("success_rate", "The share of ended rollbacks that left nothing; null without one."),
    integer("attempts", "Tries to undo a step."),
    integer("attempts_failed", "Those that raised or left something."),
    integer("removed", "Chunks, rows, nodes, vectors and records that rollbacks removed."),
    integer("removed_bytes", "The stored bytes of the chunks among them."),
    integer("residue", "Things that failed rollbacks left."),
    integer("retries", "Further attempts at steps of the forward path."),
    real("retries_to_success", "Retries of a saga that completed after some, on average; or null."),
    integer("p50_us", "Half of the ended rollbacks took at most this long, in µs; or null."),
    integer("p90_us", "Nine in ten took at most this long, in µs; or null."),
    integer("p99_us", "99 in 100 took at most this long, in µs; or null."),
    integer("longest_us", "The longest, in µs; or null."),
)
"""What each of the views says of its sagas. Percentiles are exact, by nearest rank."""


def _select(key: str, condition: str) -> str:
    percentiles = ", ".join(
        f"max(CASE WHEN rank=(ended*{share}+99)/100 THEN took_us END) AS p{share}_us"
        for share in _PERCENTILES
    )
    # Wall clocks may be set back: no rollback took less than nothing.
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
        "What became of the sagas that were begun on one day.",
        "The day by UTC, as `2026-01-31`.",
        "date(started_us/1000000, 'unixepoch')",
        "1",
    ),
    _view(
        "rollbacks_by_reason",
        "reason",
        "The rollbacks that one reason led to.",
        "Why they were rolled back; see `RollbackReason`.",
        "reason",
        "reason<>''",
    ),
    _view(
        "rollbacks_by_step",
        "step",
        "The rollbacks that one step led to.",
        "The step that ran when it was decided, `-` for none.",
        "step",
        "reason<>''",
    ),
    _view(
        "rollbacks_by_definition",
        "definition",
        "What became of the sagas of one kind.",
        "What kind of saga it is, as `streaming-upload`.",
        "definition",
        "1",
    ),
    _view(
        "rollbacks_total",
        "total",
        "What became of all sagas: one row, or none.",
        "`all`.",
        "'all'",
        "1",
    ),
)
