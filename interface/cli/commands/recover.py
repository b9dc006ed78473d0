"""`sagaledger recover`: drives the open sagas of ended processes to their end."""

from __future__ import annotations

import click
from sagaledger.interface.cli.advice import advice_on_recovery
from sagaledger.interface.cli.exit_codes import ExitCode, code_of_result
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger, look_after, stopping_on_signals
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import warn
from sagaledger.interface.cli.render.progress_bars import ProgressBars
from sagaledger.interface.cli.render.tables import print_table

__all__ = ["recover_command"]


@click.command()
@json_option()
@pass_invocation
def recover_command(invocation: Invocation, as_json: bool) -> int:
    """Drive every open saga of an ended process to its end."""
    with (
        existing_ledger(invocation) as ledger,
        stopping_on_signals(ledger),
        ProgressBars(enabled=not as_json) as bars,
    ):
        report = ledger.recover(bars.update)
        stopped = ledger.orchestrator.stopping.is_set()
        look_after(ledger)
        advice = advice_on_recovery(ledger, report)
    if as_json:
        print_json(report)
    else:
        rows = [(r.saga_id.hex[:12], r.status.value, r.reason or "-") for r in report.finished]
        rows += [(i.hex[:12], "driven elsewhere", owner) for i, owner in report.held.items()]
        rows += [(i.hex[:12], "paused", "`sagaledger resume` continues it") for i in report.paused]
        rows += [(i.hex[:12], "not recovered", cause) for i, cause in report.failed.items()]
        print_table(("SAGA", "STATUS", "WHY"), rows, "nothing to recover")
        if advice:
            warn(advice)
    if stopped:
        warn("stopped; the next `sagaledger recover` or ingest continues")
        return ExitCode.INTERRUPTED
    if report.failed:
        return ExitCode.FAILED
    # A clean rollback is an end too.
    codes = {code_of_result(result) for result in report.finished} - {ExitCode.ROLLED_BACK}
    return max(codes, default=ExitCode.OK)
