"""`sagaledger alerts`: the alerts that need a person."""

from __future__ import annotations

import click
from sagaledger.domain.housekeeping.alerts import AlertState
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.render.figures import time_text
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import say
from sagaledger.interface.cli.render.tables import print_table
from sagaledger.projections import Alert, AlertDirectory

__all__ = ["alerts_command"]


@click.group(invoke_without_command=True)
@click.option("--history", is_flag=True, help="Include resolved alerts.")
@json_option()
@pass_invocation
@click.pass_context
def alerts_command(
    context: click.Context, invocation: Invocation, history: bool, as_json: bool
) -> int:
    """List what needs a person; see docs/operations.md."""
    if context.invoked_subcommand is not None:
        return ExitCode.OK
    with existing_ledger(invocation) as ledger:
        ledger.watch()
        directory = AlertDirectory(ledger.projector)
        found = directory.history() if history else directory.unresolved()
    if as_json:
        print_json(found)
        return ExitCode.OK
    print_table(
        ("SEVERITY", "STATE", "COUNT", "FIRST SEEN (UTC)", "LAST SEEN (UTC)", "ID", "WHAT"),
        [_row(alert) for alert in found],
        "no alerts",
    )
    return ExitCode.OK


@alerts_command.command()
@click.argument("alert_id", metavar="ID")
@click.option("--note", default="", help="A note for the history.")
@json_option()
@pass_invocation
def ack(invocation: Invocation, alert_id: str, note: str, as_json: bool) -> int:
    """Acknowledge alert ID."""
    with existing_ledger(invocation) as ledger:
        seen = ledger.acknowledge(alert_id, note)
        after = {alert.id: alert for alert in AlertDirectory(ledger.projector).history()}[seen.id]
    if as_json:
        print_json(after)
    else:
        say(f"{after.id}: {after.state.value} by {after.acknowledged_by}")
    return ExitCode.OK


def _row(alert: Alert) -> tuple[str, ...]:
    by = f" by {alert.acknowledged_by}" if alert.state is AlertState.ACKNOWLEDGED else ""
    said = f" ({alert.note})" if alert.note else ""
    return (
        alert.severity.value,
        f"{alert.state.value}{by}",
        str(alert.count),
        time_text(alert.first_us),
        time_text(alert.last_us),
        alert.id,
        f"{alert.message}{said}",
    )
