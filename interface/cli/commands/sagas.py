"""`sagaledger sagas`: lists sagas and their status."""

from __future__ import annotations

import click
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.options import json_option, limit_option
from sagaledger.interface.cli.projection_access import existing_projections
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.sagas import print_sagas
from sagaledger.projections import SqliteSagaDirectory

__all__ = ["sagas_command"]


@click.command()
@click.option(
    "--status",
    type=click.Choice([status.value for status in SagaStatus]),
    help="Only sagas with this status.",
)
@click.option("--open", "only_open", is_flag=True, help="Only sagas that have not ended.")
@limit_option()
@json_option()
@pass_invocation
def sagas_command(
    invocation: Invocation, status: str | None, only_open: bool, limit: int, as_json: bool
) -> int:
    """List sagas and their status, newest first."""
    if status and only_open:
        raise click.UsageError("--open is a choice of states already: give it without --status")
    with existing_projections(invocation) as projector:
        directory = SqliteSagaDirectory(projector)
        if only_open:
            found = list(directory.open_sagas())[: -limit - 1 : -1]
        elif status:
            found = list(directory.with_status(SagaStatus(status), limit))
        else:
            found = list(directory.all_sagas(limit))
    if as_json:
        print_json(found)
    else:
        print_sagas(found)
    return ExitCode.OK
