"""`sagaledger sagas` and `sagaledger plan`: where sagas stand, and what a rollback would do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from sagaledger.application.engine.plan import PlannedUndo
from sagaledger.domain.document.saga_summary import SagaSummary
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.ledger_access import existing_ledger, existing_projections
from sagaledger.interface.cli.lookup import saga_id_of
from sagaledger.interface.cli.output import print_json, print_table, say, time_text
from sagaledger.projections import SqliteSagaDirectory

__all__ = ["plan", "print_sagas", "sagas"]

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_MOST = 1_000_000


@click.command()
@click.option(
    "--status",
    type=click.Choice([status.value for status in SagaStatus]),
    help="Only those that stand so.",
)
@click.option("--open", "only_open", is_flag=True, help="Only those that have not ended.")
@click.option(
    "--limit",
    type=click.IntRange(1, _MOST),
    default=1000,
    show_default=True,
    help="How many at most.",
)
@_json
@click.pass_obj
def sagas(data: Path, status: str | None, only_open: bool, limit: int, as_json: bool) -> int:
    """List sagas and where they stand, newest first."""
    if status and only_open:
        raise click.UsageError("--open is a choice of states already: give it without --status")
    with existing_projections(data) as projector:
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


def print_sagas(found: Sequence[SagaSummary]) -> None:
    """Print a line per saga."""
    print_table(
        ("SAGA", "DEFINITION", "STATUS", "STEP", "TRY", "STARTED (UTC)", "REASON", "SOURCE"),
        [
            (
                saga.saga_id.hex[:12],
                saga.definition,
                f"{saga.status.value}{' (paused)' if saga.paused else ''}",
                saga.step,
                str(saga.attempt or "-"),
                time_text(saga.started_us),
                saga.reason or "-",
                saga.source,
            )
            for saga in found
        ],
        "no sagas",
    )


@click.command()
@click.argument("saga")
@_json
@click.pass_obj
def plan(data: Path, saga: str, as_json: bool) -> int:
    """Show what a rollback of SAGA would do; changes nothing."""
    with existing_ledger(data) as ledger:
        saga_id = saga_id_of(ledger, saga)
        undos = ledger.plan(saga_id)
    if as_json:
        print_json(undos)
        return ExitCode.OK
    print_table(
        ("UNDO OF", "CAME TO", "WHAT A ROLLBACK DOES", "THERE NOW"),
        [(undo.step, undo.state, _deed(undo), _there(undo)) for undo in undos],
        "nothing was begun: a rollback has nothing to undo",
    )
    say("`sagaledger rollback` does it; nothing was changed")
    return ExitCode.OK


def _deed(undo: PlannedUndo) -> str:
    if not undo.has_undo:
        return "nothing: the step leaves no traces"
    return "asks again; it is undone already" if undo.undone else "undoes it and asks what is left"


def _there(undo: PlannedUndo) -> str:
    if undo.problem:
        return f"cannot be asked: {undo.problem}"
    totals: dict[str, int] = {}
    for residue in undo.found:
        totals[residue.store] = totals.get(residue.store, 0) + residue.count
    return ", ".join(f"{count:,} in {store}" for store, count in totals.items()) or "-"
