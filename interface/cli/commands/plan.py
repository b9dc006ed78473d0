"""`sagaledger plan`: shows what a rollback would do."""

from __future__ import annotations

import click
from sagaledger.application.engine.plan import PlannedUndo
from sagaledger.application.saga_lookup import saga_id_of
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger
from sagaledger.interface.cli.options import json_option, saga_argument
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import say
from sagaledger.interface.cli.render.tables import print_table

__all__ = ["plan_command"]


@click.command()
@saga_argument()
@json_option()
@pass_invocation
def plan_command(invocation: Invocation, saga: str, as_json: bool) -> int:
    """Show what a rollback of SAGA would do; changes nothing."""
    with existing_ledger(invocation) as ledger:
        saga_id = saga_id_of(ledger.directory, saga)
        undos = ledger.plan(saga_id)
    if as_json:
        print_json(undos)
        return ExitCode.OK
    print_table(
        ("UNDO OF", "STATE", "ROLLBACK", "STORED NOW"),
        [(undo.step, undo.state, _action(undo), _stored(undo)) for undo in undos],
        "no step was started: a rollback has nothing to undo",
    )
    say("`sagaledger rollback` does it; nothing was changed")
    return ExitCode.OK


def _action(undo: PlannedUndo) -> str:
    if not undo.has_undo:
        return "nothing: the step leaves no traces"
    return "probes again; already undone" if undo.undone else "undoes it and probes for residue"


def _stored(undo: PlannedUndo) -> str:
    if undo.problem:
        return f"probe failed: {undo.problem}"
    totals: dict[str, int] = {}
    for residue in undo.found:
        totals[residue.store] = totals.get(residue.store, 0) + residue.count
    return ", ".join(f"{count:,} in {store}" for store, count in totals.items()) or "-"
