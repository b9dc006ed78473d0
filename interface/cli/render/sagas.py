"""Prints sagas: a line each, or the outcome of one."""

from __future__ import annotations

from collections.abc import Sequence

from sagaledger.domain.document.saga_summary import SagaSummary
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.interface.cli.exit_codes import ExitCode, code_of_result
from sagaledger.interface.cli.render.figures import time_text
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import say
from sagaledger.interface.cli.render.tables import print_table

__all__ = ["print_result", "print_rolled_back", "print_sagas"]


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


def print_result(result: SagaExecutionResult) -> None:
    """Print the status, the errors and the residue of a saga."""
    say(f"saga {result.saga_id.hex}: {result.status.value}")
    for error in (*result.errors, *result.compensation_errors):
        say(f"  error  {error}")
    for residue in result.residue:
        say(f"  left   {residue.store}: {residue.ref} ({residue.detail})")


def print_rolled_back(result: SagaExecutionResult, as_json: bool) -> int:
    """Print the outcome of a requested rollback, and return the command's exit code."""
    if as_json:
        print_json(result)
    else:
        print_result(result)
    code = code_of_result(result)
    # The rollback is the requested outcome.
    return ExitCode.OK if code is ExitCode.ROLLED_BACK else code
