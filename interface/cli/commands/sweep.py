"""`sagaledger sweep`: removes orphans, once or periodically."""

from __future__ import annotations

import click
from sagaledger.application.housekeeping.patrol import PATROL_GRACE_S, Patrol
from sagaledger.application.housekeeping.sweep import SweepOptions, SweepReport
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import (
    existing_ledger,
    stopping_on_signals,
)
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.render.json_text import print_json_line
from sagaledger.interface.cli.render.output import say, warn
from sagaledger.interface.cli.render.sweep_report import finish_sweep
from sagaledger.interface.library.ledger import Ledger

__all__ = ["sweep_command"]


@click.command()
@click.option("--follow", is_flag=True, help="Sweep periodically, until Ctrl-C.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed; change nothing.")
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    help="Skip orphans found less than this many seconds ago: 0, or 300 with --follow.",
)
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="Seconds between two sweeps with --follow; more while a store is unavailable.",
)
@json_option("Print JSON; with --follow one line each.")
@pass_invocation
def sweep_command(
    invocation: Invocation,
    follow: bool,
    dry_run: bool,
    grace: float | None,
    every: float,
    as_json: bool,
) -> int:
    """Remove residue of rollbacks and late writers, and record it."""
    if follow and dry_run:
        raise click.UsageError("--dry-run runs once: give it without --follow")
    grace_s = grace if grace is not None else PATROL_GRACE_S * follow
    options = SweepOptions(grace_s, only_due=follow, dry_run=dry_run)
    with existing_ledger(invocation) as ledger:
        if follow:
            with stopping_on_signals(ledger):
                _follow(ledger, options, every, as_json)
            return ExitCode.OK
        return finish_sweep(ledger, ledger.sweep(options), as_json)


def _follow(ledger: Ledger, options: SweepOptions, every_s: float, as_json: bool) -> None:
    def tell(report: SweepReport) -> None:
        if as_json and (report.removed or report.failed):
            print_json_line({"removed": report.removed, "failed": report.failed})
        elif not as_json:
            for orphan in report.removed:
                say(f"removed {orphan.store} {orphan.ref} of saga {orphan.saga_id[:12]}")

    stopping = ledger.orchestrator.stopping
    Patrol(ledger.sweep, ledger.watch, stopping, tell, warn).run(options, every_s)
