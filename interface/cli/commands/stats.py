"""`sagaledger stats`: the outcomes of sagas, and the durations of their rollbacks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import click
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.projection_access import existing_projections
from sagaledger.interface.cli.render.figures import bytes_text, duration_text
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import say
from sagaledger.interface.cli.render.tables import print_table
from sagaledger.projections import GroupKey, RollbackDirectory, RollbackFigures, RollbackGroup

__all__ = ["stats_command"]

_BAR = 40
_US = 1_000_000


@click.command()
@click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=14,
    show_default=True,
    help="The number of most recent days with sagas.",
)
@json_option("Print JSON, with every day.")
@pass_invocation
def stats_command(invocation: Invocation, days: int, as_json: bool) -> int:
    """Show the outcomes of sagas and of their rollbacks."""
    with existing_projections(invocation) as projector:
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
        f"rollbacks: {figures.rollback_success_rate:.1%} without residue; "
        f"{figures.compensation_attempts:,} undo attempts, "
        f"{figures.compensation_attempts_failed:,} failed; "
        f"{figures.removed:,} items ({bytes_text(figures.removed_bytes)} of chunks) removed, "
        f"{figures.residue:,} remaining"
    )
    took = [
        figures.rollback_median_s,
        figures.rollback_p90_s,
        figures.rollback_p99_s,
        figures.rollback_longest_s,
    ]
    p50, p90, p99, longest = map(duration_text, took)
    say(f"durations: {p50} (P50), {p90} (P90), {p99} (P99), {longest} (maximum)")
    say(
        f"retries: {figures.retries:,}; "
        f"{figures.retries_to_success:.1f} on average for sagas that completed after retries"
    )


def _chart(days: Sequence[RollbackGroup]) -> Iterator[str]:
    """A bar per day: completed, rolled back, and other sagas."""
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
    columns = (key.upper(), "SAGAS", "ROLLBACKS", "NO RESIDUE", "RESIDUE", "REMOVED", "BYTES")
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
                _duration(group.p50_us),
                _duration(group.p99_us),
                f"{group.retries:,}",
            )
            for group in groups
        ],
        "",
    )


def _duration(duration_us: int | None) -> str:
    return "-" if duration_us is None else duration_text(duration_us / _US)
