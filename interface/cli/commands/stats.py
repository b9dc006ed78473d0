"""`sagaledger stats`: what became of the sagas, and what their rollbacks took."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.ledger_access import existing_projections
from sagaledger.interface.cli.output import (
    bytes_text,
    duration_text,
    print_json,
    print_table,
    say,
)
from sagaledger.projections import GroupKey, RollbackDirectory, RollbackFigures, RollbackGroup

__all__ = ["stats"]

_BAR = 40
_US = 1_000_000


@click.command()
@click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=14,
    show_default=True,
    help="How many of the last days with sagas are shown.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every day.")
@click.pass_obj
def stats(data: Path, days: int, as_json: bool) -> int:
    """Show what became of the sagas, and of their rollbacks."""
    with existing_projections(data) as projector:
        directory = RollbackDirectory(projector)
        figures = directory.figures()
        groups = {key: directory.by(key) for key in GroupKey}
    if as_json:
        rate = figures.rollback_success_rate
        by = {f"by_{key}": found for key, found in groups.items()}
        print_json({"total": figures, "rollback_success_rate": rate, **by})
        return ExitCode.OK
    _print_total(figures)
    if not figures.sagas:
        return ExitCode.OK
    say("")
    for line in _chart(groups[GroupKey.DAY][-days:]):
        say(line)
    for key in (GroupKey.REASON, GroupKey.STEP, GroupKey.DEFINITION):
        if groups[key]:
            say("")
            _print_groups(key, groups[key])
    return ExitCode.OK


def _print_total(figures: RollbackFigures) -> None:
    say(
        f"{figures.sagas:,} sagas: {figures.completed:,} completed, "
        f"{figures.rolled_back:,} rolled back, {figures.rollback_failed:,} rollbacks failed, "
        f"{figures.set_aside:,} parked, {figures.open:,} open"
    )
    if not figures.compensation_attempts:
        say("no rollbacks")
        return
    say(
        f"rollbacks: {figures.rollback_success_rate:.1%} left nothing; "
        f"{figures.compensation_attempts:,} undos tried, "
        f"{figures.compensation_attempts_failed:,} of them failed; "
        f"{figures.removed:,} things ({bytes_text(figures.removed_bytes)} of chunks) removed, "
        f"{figures.residue:,} left"
    )
    took = [
        figures.rollback_median_s,
        figures.rollback_p90_s,
        figures.rollback_p99_s,
        figures.rollback_longest_s,
    ]
    p50, p90, p99, longest = map(duration_text, took)
    say(f"they took {p50} (P50), {p90} (P90), {p99} (P99), {longest} at most")
    say(
        f"retries: {figures.retries:,}; "
        f"{figures.retries_to_success:.1f} on average where a saga completed after some"
    )


def _chart(days: Sequence[RollbackGroup]) -> Iterator[str]:
    """A bar per day: what completed, what was rolled back, and what is left over."""
    most = max(day.sagas for day in days)
    done, undone, other = _marks()
    yield f"{'DAY (UTC)':10}  {'SAGAS':>7}  {done} completed  {undone} rolled back  {other} other"
    for day in days:
        width = max(1, round(_BAR * day.sagas / most))
        completed = round(width * day.completed / day.sagas)
        rolled_back = min(width - completed, round(width * day.rollbacks / day.sagas))
        bar = done * completed + undone * rolled_back
        yield f"{day.key:10}  {day.sagas:>7,}  {bar}{other * (width - completed - rolled_back)}"


def _marks() -> tuple[str, str, str]:
    unicode = sys.stdout.encoding.lower().startswith("utf")
    return ("█", "▒", "·") if unicode else ("#", "x", ".")


def _print_groups(key: GroupKey, groups: Sequence[RollbackGroup]) -> None:
    columns = (key.upper(), "SAGAS", "ROLLBACKS", "LEFT NOTHING", "RESIDUE", "REMOVED", "BYTES")
    print_table(
        (*columns, "P50", "P99", "RETRIES"),
        [
            (
                group.key,
                f"{group.sagas:,}",
                f"{group.rollbacks:,}",
                "-" if group.success_rate is None else f"{group.success_rate:.0%}",
                f"{group.residue:,}",
                f"{group.removed:,}",
                bytes_text(group.removed_bytes),
                _took(group.p50_us),
                _took(group.p99_us),
                f"{group.retries:,}",
            )
            for group in groups
        ],
        "",
    )


def _took(duration_us: int | None) -> str:
    return "-" if duration_us is None else duration_text(duration_us / _US)
