"""`sagaledger orphans`: the list of items that rollbacks could not remove."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

import click
from sagaledger.application.housekeeping.notes import chosen_orphans
from sagaledger.domain.housekeeping.orphans import KnownOrphan, OrphanState
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger, look_after
from sagaledger.interface.cli.options import json_option, reason_option
from sagaledger.interface.cli.projection_access import existing_projections
from sagaledger.interface.cli.render.figures import counted, time_text
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import say
from sagaledger.interface.cli.render.sweep_report import finish_sweep, range_of, upload_of
from sagaledger.interface.cli.render.tables import print_table
from sagaledger.interface.library.actor import actor
from sagaledger.interface.library.ledger import Ledger
from sagaledger.projections import Orphan, SqliteOrphanDirectory

__all__ = ["orphans_command"]


@click.group(invoke_without_command=True)
@click.option("--history", is_flag=True, help="Include removed, adopted and waived orphans.")
@json_option()
@pass_invocation
@click.pass_context
def orphans_command(
    context: click.Context, invocation: Invocation, history: bool, as_json: bool
) -> int:
    """List what rollbacks could not remove, or decide about it."""
    if context.invoked_subcommand is not None:
        return ExitCode.OK
    with existing_projections(invocation) as projector:
        directory = SqliteOrphanDirectory(projector)
        found = directory.history() if history else directory.unresolved()
    if as_json:
        print_json(found)
        return ExitCode.OK
    alike = groupby(
        found,
        lambda o: (o.store, o.saga_id, upload_of(o.ref), o.last_error or o.cause, o.state),
    )
    print_table(
        ("ID", "STORE", "WHAT", "COUNT", "SINCE (UTC)", "TRIES", "NEXT TRY (UTC)", "STATE", "WHY"),
        [_row(list(group)) for _, group in alike],
        "no orphans",
    )
    return ExitCode.OK


@orphans_command.command()
@click.argument("orphan_id", metavar="ID")
@reason_option()
@json_option()
@pass_invocation
def retry(invocation: Invocation, orphan_id: str, reason: str, as_json: bool) -> int:
    """Try to remove orphan ID, or all of saga ID, now."""
    with existing_ledger(invocation) as ledger:
        chosen = chosen_orphans(ledger.orphans.known(), orphan_id)
        report = ledger.sweeper.retry(chosen, actor(), reason)
        return finish_sweep(ledger, report, as_json)


@orphans_command.command()
@click.argument("orphan_id", metavar="ID")
@reason_option()
@json_option()
@pass_invocation
def adopt(invocation: Invocation, orphan_id: str, reason: str, as_json: bool) -> int:
    """Keep orphan ID, or all of saga ID: no sweep touches it."""
    with existing_ledger(invocation) as ledger:
        adopt_them = ledger.housekeeping.adopt
        return _decide(ledger, orphan_id, reason, adopt_them, OrphanState.ADOPTED, as_json)


@orphans_command.command()
@click.argument("orphan_id", metavar="ID")
@reason_option()
@json_option()
@pass_invocation
def waive(invocation: Invocation, orphan_id: str, reason: str, as_json: bool) -> int:
    """Accept that orphan ID, or all of saga ID, remains."""
    with existing_ledger(invocation) as ledger:
        waive_them = ledger.housekeeping.waive
        return _decide(ledger, orphan_id, reason, waive_them, OrphanState.WAIVED, as_json)


def _decide(
    ledger: Ledger,
    given: str,
    reason: str,
    decide: Callable[[Sequence[KnownOrphan], str, str], Sequence[KnownOrphan]],
    state: OrphanState,
    as_json: bool,
) -> int:
    changed = decide(chosen_orphans(ledger.orphans.known(), given), actor(), reason)
    look_after(ledger)
    left = ledger.orphans.unresolved()
    if as_json:
        print_json({"changed": [orphan.orphan_id for orphan in changed], "left": left})
    else:
        say(f"{counted(len(changed), 'orphan')} {state.value}; {len(left):,} left")
    return ExitCode.OK


def _row(alike: Sequence[Orphan]) -> Sequence[str]:
    first = alike[0]
    known = all(orphan.count for orphan in alike)
    why = first.last_error or first.cause
    decided = f"{first.state.value} by {first.decided_by}: {first.reason}"
    return (
        first.orphan_id if len(alike) == 1 else first.saga_id[:12],
        first.store,
        range_of([orphan.ref for orphan in alike]),
        str(sum(orphan.count for orphan in alike)) if known else "?",
        time_text(first.since_us),
        str(max(orphan.tries for orphan in alike)),
        time_text(first.next_try_us if first.state is OrphanState.OPEN else 0),
        f"removed {time_text(first.resolved_us)}"
        if first.state is OrphanState.REMOVED
        else first.state.value,
        f"{decided}; {why}" if first.decided_by else why,
    )
