"""`sagaledger cancel`: rolls a running saga back, wherever it runs."""

from __future__ import annotations

import click
from sagaledger.application.housekeeping.saga_requests import OWNER_WAIT_S
from sagaledger.application.saga_lookup import saga_id_of
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger
from sagaledger.interface.cli.options import json_option, saga_argument
from sagaledger.interface.cli.render.sagas import print_rolled_back
from sagaledger.interface.library.actor import actor

__all__ = ["cancel_command"]


@click.command()
@saga_argument()
@click.option(
    "--reason",
    default="cancelled by an operator",
    show_default=True,
    help="Why, for the history.",
)
@json_option()
@pass_invocation
def cancel_command(invocation: Invocation, saga: str, reason: str, as_json: bool) -> int:
    """Roll a running SAGA back, wherever it runs.

    Waits until the rollback has ended.
    """
    with existing_ledger(invocation) as ledger:
        saga_id = saga_id_of(ledger.directory, saga)
        result = ledger.requests.cancel(saga_id, actor(), reason, wait_s=OWNER_WAIT_S)
    return print_rolled_back(result, as_json)
