"""`sagaledger rollback`: rolls an open saga back, or retries a failed rollback."""

from __future__ import annotations

import click
from sagaledger.application.housekeeping.saga_requests import OWNER_WAIT_S
from sagaledger.application.saga_lookup import saga_id_of
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger
from sagaledger.interface.cli.options import json_option, saga_argument
from sagaledger.interface.cli.render.sagas import print_rolled_back
from sagaledger.interface.library.actor import actor

__all__ = ["rollback_command"]


@click.command()
@saga_argument()
@json_option()
@pass_invocation
def rollback_command(invocation: Invocation, saga: str, as_json: bool) -> int:
    """Roll an open SAGA back, or retry a failed rollback."""
    with existing_ledger(invocation) as ledger:
        saga_id = saga_id_of(ledger.directory, saga)
        reason = "rollback asked for by an operator"
        result = ledger.requests.roll_back(saga_id, actor(), reason, wait_s=OWNER_WAIT_S)
    return print_rolled_back(result, as_json)
