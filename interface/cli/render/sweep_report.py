"""The report of a sweep, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from sagaledger.application.housekeeping.sweep import SweepReport
from sagaledger.domain.housekeeping.events import OrphanFound, OrphanRemoved
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.ledger_access import look_after
from sagaledger.interface.cli.render.figures import counted
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import say, warn
from sagaledger.interface.cli.render.tables import print_table
from sagaledger.interface.library.ledger import Ledger

__all__ = ["finish_sweep", "range_of", "upload_of"]


def finish_sweep(ledger: Ledger, report: SweepReport, as_json: bool) -> int:
    """Print the report of a sweep, and return its exit code."""
    left = ledger.orphans.unresolved()
    look_after(ledger)
    if as_json:
        print_json({"report": report, "left": left})
    else:
        _print(report)
        say(f"{counted(len(left), 'orphan')} left")
    return ExitCode.ROLLBACK_INCOMPLETE if left or report.failed else ExitCode.OK


def _print(report: SweepReport) -> None:
    outcomes: list[tuple[str, Sequence[OrphanFound | OrphanRemoved]]] = [
        ("would be removed", report.planned),
        ("removed", report.removed),
        ("waits", report.waiting),
        ("kept: adopted", report.adopted),
    ]
    rows = [
        (store, range_of([orphan.ref for orphan in group]), outcome, saga_id[:12])
        for outcome, orphans in outcomes
        for (store, saga_id, _), group in groupby(
            orphans, lambda o: (o.store, o.saga_id, upload_of(o.ref))
        )
    ]
    print_table(("STORE", "WHAT", "OUTCOME", "SAGA"), rows, "nothing removed")
    for unknown in report.unknown:
        warn(f"unknown, not touched: {unknown.store} {unknown.ref}: {unknown.detail}")
    for subject, cause in report.failed.items():
        warn(f"could not be swept: {subject}: {cause}")


def upload_of(ref: str) -> str:
    """The group of a reference: the chunks of one upload, or the reference alone."""
    place, _, name = ref.rpartition("/")
    return place if place and name else ref


def range_of(refs: Sequence[str]) -> str:
    """An abbreviation for several chunks of one upload."""
    return refs[0] if len(refs) == 1 else f"{refs[0]} … {refs[-1].rpartition('/')[2]}"
