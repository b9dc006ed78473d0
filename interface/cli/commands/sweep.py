"""`sagaledger sweep`: removes what belongs to nobody, once or for as long as it runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import click
from sagaledger.application.housekeeping.sweep import SweepOptions, SweepReport
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.housekeeping.errors import AlertRulesError
from sagaledger.domain.housekeeping.events import OrphanFound, OrphanRemoved
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.ledger_access import (
    existing_ledger,
    look_after,
    stopping_on_signals,
)
from sagaledger.interface.cli.output import (
    counted,
    print_json,
    print_json_line,
    print_table,
    say,
    warn,
)
from sagaledger.interface.library.ledger import Ledger

__all__ = ["finish_sweep", "range_of", "sweep", "upload_of"]

_FOLLOWED_GRACE_S = 300.0
_LONGEST_WAIT_S = 600.0


@click.command()
@click.option("--follow", is_flag=True, help="Sweep again and again, until Ctrl-C.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed; change nothing.")
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    help="Leave alone what was found less than so many seconds ago: 0, or 300 with --follow.",
)
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="Seconds between two sweeps with --follow; more while a store is down.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --follow one line each.")
@click.pass_obj
def sweep(
    data: Path, follow: bool, dry_run: bool, grace: float | None, every: float, as_json: bool
) -> int:
    """Remove what rollbacks and late writers left, and record it."""
    if follow and dry_run:
        raise click.UsageError("--dry-run looks once: give it without --follow")
    grace_s = grace if grace is not None else _FOLLOWED_GRACE_S * follow
    options = SweepOptions(grace_s, only_due=follow, dry_run=dry_run)
    with existing_ledger(data) as ledger:
        if follow:
            with stopping_on_signals(ledger):
                _follow(ledger, options, every, as_json)
            return ExitCode.OK
        return finish_sweep(ledger, ledger.sweep(options), as_json)


def finish_sweep(ledger: Ledger, report: SweepReport, as_json: bool) -> int:
    """Print what a sweep did, and return its exit code."""
    left = ledger.orphans.unresolved()
    look_after(ledger)
    if as_json:
        print_json({"report": report, "left": left})
    else:
        _print(report)
        say(f"{counted(len(left), 'orphan')} left")
    return ExitCode.ROLLBACK_INCOMPLETE if left or report.failed else ExitCode.OK


def _print(report: SweepReport) -> None:
    outcomes: list[tuple[str, Sequence[OrphanFound | OrphanRemoved]]] = [
        ("would be removed", report.planned),
        ("removed", report.removed),
        ("waits", report.waiting),
        ("kept: adopted", report.adopted),
    ]
    rows = [
        (store, range_of([orphan.ref for orphan in group]), outcome, saga_id[:12])
        for outcome, orphans in outcomes
        for (store, saga_id, _), group in groupby(
            orphans, lambda o: (o.store, o.saga_id, upload_of(o.ref))
        )
    ]
    print_table(("STORE", "WHAT", "OUTCOME", "SAGA"), rows, "nothing removed")
    for unknown in report.unknown:
        warn(f"not ours to touch: {unknown.store} {unknown.ref}: {unknown.detail}")
    for subject, cause in report.failed.items():
        warn(f"could not be swept: {subject}: {cause}")


def _follow(ledger: Ledger, options: SweepOptions, every_s: float, as_json: bool) -> None:
    stopping = ledger.orchestrator.stopping
    wait_s = every_s
    told: set[str] = set()
    while not stopping.is_set():
        problems = _sweep_once(ledger, options, as_json)
        for problem in sorted(problems - told):
            warn(problem)
        told = problems
        wait_s = min(max(wait_s * 2, every_s), _LONGEST_WAIT_S) if problems else every_s
        stopping.wait(wait_s)


def _sweep_once(ledger: Ledger, options: SweepOptions, as_json: bool) -> set[str]:
    """Sweep and look after the rest. Returns what hindered it; that may have passed by the next."""
    problems: set[str] = set()
    try:
        report = ledger.sweep(options)
    except StorageBackendError as error:
        problems.add(f"could not be swept: {error}")
    else:
        problems |= {f"could not be swept: {what}: {why}" for what, why in report.failed.items()}
        _tell(report, as_json)
    try:
        ledger.watch()
    except (AlertRulesError, StorageBackendError) as error:
        problems.add(f"alerts and reports are not up to date: {error}")
    return problems


def _tell(report: SweepReport, as_json: bool) -> None:
    if as_json:
        if report.removed or report.failed:
            print_json_line({"removed": report.removed, "failed": report.failed})
        return
    for orphan in report.removed:
        say(f"removed {orphan.store} {orphan.ref} of saga {orphan.saga_id[:12]}")


def upload_of(ref: str) -> str:
    """What the chunks of one upload have in common; anything else stands alone."""
    place, _, name = ref.rpartition("/")
    return place if place and name else ref


def range_of(refs: Sequence[str]) -> str:
    """Several chunks of one upload in short."""
    return refs[0] if len(refs) == 1 else f"{refs[0]} … {refs[-1].rpartition('/')[2]}"
