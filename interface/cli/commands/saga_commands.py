"""Commands about sagas: recover, cancel, rollback, pause, resume."""

from __future__ import annotations

import time
from pathlib import Path
from uuid import UUID

import click
from sagaledger.application.engine.saga_repository import load_saga
from sagaledger.domain.housekeeping.orphans import OrphanState
from sagaledger.domain.saga.errors import LeaseHeldError, SagaStateError
from sagaledger.domain.saga.result import SagaExecutionResult, result_of
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.interface.cli.exit_codes import ExitCode, code_of_result
from sagaledger.interface.cli.ledger_access import (
    existing_ledger,
    look_after,
    stopping_on_signals,
)
from sagaledger.interface.cli.lookup import saga_id_of
from sagaledger.interface.cli.output import print_json, print_table, say, warn
from sagaledger.interface.cli.progress_bars import ProgressBars
from sagaledger.interface.library.ledger import Ledger, actor

__all__ = ["SAGA_COMMANDS", "brought_to_end"]

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_POLL_S = 0.1
_WAIT_S = 600.0


@click.command("recover")
@_json
@click.pass_obj
def recover_sagas(data: Path, as_json: bool) -> int:
    """Bring every saga that an ended process left open to its end."""
    with (
        existing_ledger(data) as ledger,
        stopping_on_signals(ledger),
        ProgressBars(enabled=not as_json) as bars,
    ):
        report = ledger.recover(bars.update)
        stopped = ledger.orchestrator.stopping.is_set()
        look_after(ledger)
    if as_json:
        print_json(report)
    else:
        rows = [(r.saga_id.hex[:12], r.status.value, r.reason or "-") for r in report.finished]
        rows += [(i.hex[:12], "driven elsewhere", owner) for i, owner in report.held.items()]
        rows += [(i.hex[:12], "paused", "`sagaledger resume` goes on") for i in report.paused]
        rows += [(i.hex[:12], "not recovered", cause) for i, cause in report.failed.items()]
        print_table(("SAGA", "STATUS", "WHY"), rows, "nothing to recover")
    if stopped:
        warn("stopped; the next `sagaledger recover` or ingest goes on")
        return ExitCode.INTERRUPTED
    if report.failed:
        return ExitCode.FAILED
    # A clean rollback is an end too.
    codes = {code_of_result(result) for result in report.finished} - {ExitCode.ROLLED_BACK}
    return max(codes, default=ExitCode.OK)


@click.command()
@click.argument("saga")
@click.option(
    "--reason",
    default="cancelled by an operator",
    show_default=True,
    help="Why, for the history.",
)
@_json
@click.pass_obj
def cancel(data: Path, saga: str, reason: str, as_json: bool) -> int:
    """Roll a running SAGA back, wherever it runs.

    Waits until nothing of it is left.
    """
    with existing_ledger(data) as ledger:
        saga_id = saga_id_of(ledger, saga)
        ledger.control.cancel(saga_id, actor(), reason)
        result = brought_to_end(ledger, saga_id)
    return _rolled_back(result, as_json)


@click.command()
@click.argument("saga")
@_json
@click.pass_obj
def rollback(data: Path, saga: str, as_json: bool) -> int:
    """Roll an open SAGA back, or take a failed rollback up again."""
    with existing_ledger(data) as ledger:
        saga_id = saga_id_of(ledger, saga)
        found = load_saga(ledger.log, saga_id)
        if found.status is SagaStatus.COMPENSATED:
            raise SagaStateError(f"saga {saga_id.hex} is rolled back already, with nothing left")
        _refuse_adopted(ledger, saga_id)
        if found.rollback is None:
            ledger.control.cancel(saga_id, actor(), "rollback asked for by an operator")
        elif found.parked is not None:
            ledger.control.resume(saga_id, actor())
        result = brought_to_end(ledger, saga_id)
    return _rolled_back(result, as_json)


@click.command()
@click.argument("saga")
@_json
@click.pass_obj
def pause(data: Path, saga: str, as_json: bool) -> int:
    """Stop SAGA where it is, undoing nothing."""
    with existing_ledger(data) as ledger:
        saga_id = saga_id_of(ledger, saga)
        ledger.control.pause(saga_id, actor())
        result = result_of(load_saga(ledger.log, saga_id))
    if as_json:
        print_json(result)
    else:
        say(f"saga {saga_id.hex} pauses at its next checkpoint")
    return ExitCode.OK


@click.command()
@click.argument("saga")
@_json
@click.pass_obj
def resume(data: Path, saga: str, as_json: bool) -> int:
    """Let a paused, stopped or set-aside SAGA go on, here."""
    with (
        existing_ledger(data) as ledger,
        stopping_on_signals(ledger),
        ProgressBars(enabled=not as_json) as bars,
    ):
        saga_id = saga_id_of(ledger, saga)
        ledger.control.resume(saga_id, actor())
        result = ledger.drive(saga_id, bars.update)
        stopped = ledger.orchestrator.stopping.is_set()
    if as_json:
        print_json(result)
    else:
        _print_result(result)
    if stopped and result.status.is_open:
        warn("stopped; the next `sagaledger recover` or ingest goes on")
        return ExitCode.INTERRUPTED
    return code_of_result(result)


def _refuse_adopted(ledger: Ledger, saga_id: UUID) -> None:
    """An undo would remove what somebody takes care of too."""
    for orphan in ledger.orphans.known():
        if orphan.saga_id == saga_id.hex and orphan.state is OrphanState.ADOPTED:
            advice = f"`sagaledger orphans retry {orphan.orphan_id} --reason …` gives it back"
            raise SagaStateError(f"{orphan.store} {orphan.ref} is adopted; {advice}")


def brought_to_end(ledger: Ledger, saga_id: UUID) -> SagaExecutionResult:
    """Drive a saga that was told to roll back, or wait until its owner has done so.

    Raises:
        LeaseHeldError: its owner does not end it.
        SagaStateError: it has nothing left to do.
    """
    until_s = time.monotonic() + _WAIT_S
    while True:
        saga = load_saga(ledger.log, saga_id)
        if not saga.status.is_open and not (saga.residue and saga.rollback):
            return result_of(saga)
        try:
            return ledger.drive(saga_id)
        except LeaseHeldError:
            # Its owner sees the request at its next checkpoint and rolls it back itself.
            if time.monotonic() > until_s:
                raise
            time.sleep(_POLL_S)
        except SagaStateError:
            # Its owner may have ended it since we looked.
            if load_saga(ledger.log, saga_id).version == saga.version:
                raise


def _rolled_back(result: SagaExecutionResult, as_json: bool) -> int:
    if as_json:
        print_json(result)
    else:
        _print_result(result)
    code = code_of_result(result)
    # Being rolled back is what was asked for.
    return ExitCode.OK if code is ExitCode.ROLLED_BACK else code


def _print_result(result: SagaExecutionResult) -> None:
    say(f"saga {result.saga_id.hex}: {result.status.value}")
    for error in (*result.errors, *result.compensation_errors):
        say(f"  error  {error}")
    for residue in result.residue:
        say(f"  left   {residue.store}: {residue.ref} ({residue.detail})")


SAGA_COMMANDS = (
    recover_sagas,
    cancel,
    rollback,
    pause,
    resume,
)
