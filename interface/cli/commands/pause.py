"""`sagaledger pause`: stops a saga at its next checkpoint."""

from __future__ import annotations

import click
from sagaledger.application.engine.saga_repository import load_saga
from sagaledger.application.saga_lookup import saga_id_of
from sagaledger.domain.saga.result import result_of
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger
from sagaledger.interface.cli.options import json_option, saga_argument
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import say
from sagaledger.interface.library.actor import actor

__all__ = ["pause_command"]


@click.command()
@saga_argument()
@json_option()
@pass_invocation
def pause_command(invocation: Invocation, saga: str, as_json: bool) -> int:
    """Stop SAGA at its next checkpoint; undo nothing."""
    with existing_ledger(invocation) as ledger:
        saga_id = saga_id_of(ledger.directory, saga)
        ledger.control.pause(saga_id, actor())
        result = result_of(load_saga(ledger.log, saga_id))
    if as_json:
        print_json(result)
    else:
        say(f"saga {saga_id.hex} pauses at its next checkpoint")
    return ExitCode.OK
