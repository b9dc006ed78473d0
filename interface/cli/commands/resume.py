"""`sagaledger resume`: resumes a stopped saga in this process."""

from __future__ import annotations

import click
from sagaledger.application.saga_lookup import saga_id_of
from sagaledger.interface.cli.exit_codes import ExitCode, code_of_result
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger, stopping_on_signals
from sagaledger.interface.cli.options import json_option, saga_argument
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import warn
from sagaledger.interface.cli.render.progress_bars import ProgressBars
from sagaledger.interface.cli.render.sagas import print_result
from sagaledger.interface.library.actor import actor

__all__ = ["resume_command"]


@click.command()
@saga_argument()
@json_option()
@pass_invocation
def resume_command(invocation: Invocation, saga: str, as_json: bool) -> int:
    """Resume a paused, stopped or parked SAGA here."""
    with (
        existing_ledger(invocation) as ledger,
        stopping_on_signals(ledger),
        ProgressBars(enabled=not as_json) as bars,
    ):
        saga_id = saga_id_of(ledger.directory, saga)
        ledger.requests.resume(saga_id, actor())
        result = ledger.drive(saga_id, bars.update)
        stopped = ledger.orchestrator.stopping.is_set()
    if as_json:
        print_json(result)
    else:
        print_result(result)
    if stopped and result.status.is_open:
        warn("stopped; the next `sagaledger recover` or ingest continues")
        return ExitCode.INTERRUPTED
    return code_of_result(result)
