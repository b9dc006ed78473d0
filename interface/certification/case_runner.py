"""Runs one case: processes with faults, then recovery, sweep and checks by the oracle."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, assert_never
from uuid import uuid4

from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.errors import StorageBackendError, describe
from sagaledger.interface.certification.cases import Action, Case, Run, Scenario
from sagaledger.interface.certification.environment import PATIENCE_S, CaseLedger, Environment
from sagaledger.interface.certification.faults import FaultInjector, FaultKind
from sagaledger.interface.certification.guarantees import Guarantee
from sagaledger.interface.certification.invariant_monitor import DurabilityMonitor, InvariantMonitor
from sagaledger.interface.certification.oracle import (
    Finding,
    Oracle,
    SourceFacts,
    source_facts,
)
from sagaledger.interface.certification.port_calls import (
    Interceptor,
    Invocation,
    PortCall,
    Recorder,
)
from sagaledger.interface.certification.processes import in_process
from sagaledger.interface.certification.verdicts import CaseResult
from sagaledger.interface.library.ledger import Ledger
from sagaledger.projections import SqliteOrphanDirectory, open_projections

__all__ = ["calls_of", "try_case"]


def calls_of(environment: Environment, scenario: Scenario) -> list[PortCall]:
    """Every port call of the scenario's last process, recorded in a dry run.

    Raises:
        StorageBackendError: the dry run did not finish.
    """
    ledger = environment.fresh()
    runner = _CaseRunner(environment, ledger, _Notes(ledger.folder / "notes.jsonl"))
    for run in scenario.before:
        _ = list(runner.run(run))
    calls = in_process(lambda: runner.record(scenario.attacked), PATIENCE_S)
    environment.erase(ledger)
    if calls.value is None:
        cause = f"scenario {scenario.name}: {calls.problem}"
        raise StorageBackendError("certified", "dry run", cause)
    return calls.value


def try_case(environment: Environment, case: Case) -> CaseResult:
    """Run the case, and erase its ledger."""
    began_s = time.monotonic()
    ledger = environment.fresh()
    notes = _Notes(ledger.folder / "notes.jsonl")
    runner = _CaseRunner(environment, ledger, notes)
    before = source_facts(ledger.source)
    findings: list[Finding] = []
    for run in case.runs:
        findings += runner.run(run)
    settled = in_process(lambda: runner.settle(before), PATIENCE_S)
    if settled.value is None:
        findings.append((Guarantee.G6, f"recovery and sweep: {settled.problem}"))
    findings += settled.value or []
    findings += [(Guarantee(guarantee), detail) for guarantee, detail in notes.read("finding")]
    planned = {(str(call), kind.value) for call, kind in case.faults}
    happened = planned <= {(call, kind) for call, kind in notes.read("fault")}
    environment.erase(ledger)
    duration_s = time.monotonic() - began_s
    return CaseResult(str(case), case.scenario.name, happened, tuple(findings), duration_s)


class _Notes:
    """A file of notes by the processes of a case. A written line survives its writer's death."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, kind: str, content: Any) -> None:
        line = json.dumps([kind, content]) + "\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def read(self, kind: str) -> list[Any]:
        if not self._path.exists():
            return []
        lines = [json.loads(line) for line in self._path.read_text().splitlines()]
        return [content for noted, content in lines if noted == kind]


class _UnreportedFailures:
    """The failures since the last append: a process that dies now cannot report them any more."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def __call__(self, invocation: Invocation) -> Any:
        result = invocation.proceed()
        if (invocation.call.port, invocation.call.method) == ("log", "append"):
            self.messages.clear()
        return result


@dataclass(frozen=True, slots=True)
class _CaseRunner:
    environment: Environment
    ledger: CaseLedger
    notes: _Notes

    def run(self, run: Run) -> Iterator[Finding]:
        ended = in_process(lambda: self.work(run), PATIENCE_S)
        if ended.hung:
            yield Guarantee.G6, f"{run.action}: {ended.problem}"

    def record(self, run: Run) -> list[PortCall]:
        recorder = Recorder()
        self.work(run, recorder)
        return recorder.calls

    def work(self, run: Run, *recorders: Interceptor) -> None:
        """The work of one process of a case."""
        services = self.environment.bare_services(self.ledger)
        marker = f"injected fault {uuid4().hex[:12]}"
        unreported = _UnreportedFailures()
        injector = FaultInjector(
            run.faults,
            run.always,
            marker,
            on_fault=lambda call, kind: self.notes.write("fault", [str(call), kind.value]),
            on_raise=lambda call, kind, message: self._note(call, kind, message, unreported),
            crash=lambda: self._crash(unreported),
        )
        interceptors: list[Interceptor] = [
            *recorders,
            unreported,
            DurabilityMonitor(self.report),
            injector,
            self._invariant_monitor(services),
        ]
        try:
            with self.environment.open(self.ledger, interceptors) as ledger:
                self.notes.write("reported", repr(_act(ledger, self.ledger, run.action)))
        except Exception as error:  # noqa: BLE001 - the note stands for the report to the caller
            self.notes.write("reported", f"{type(error).__name__}: {describe(error)}")

    def report(self, guarantee: Guarantee, detail: str) -> None:
        """Note a monitor's finding."""
        self.notes.write("finding", [guarantee, detail])

    def _note(
        self, call: PortCall, kind: FaultKind, message: str, unreported: _UnreportedFailures
    ) -> None:
        if not kind.is_absorbed_at(call):
            self.notes.write("raised", [str(call), message])
            unreported.messages.append(message)

    def _crash(self, unreported: _UnreportedFailures) -> NoReturn:
        self.notes.write("unreported", unreported.messages)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("nothing runs after SIGKILL")

    def _invariant_monitor(self, services: IngestionServices) -> InvariantMonitor:
        return InvariantMonitor(services, self.report)

    def settle(self, before: SourceFacts) -> list[Finding]:
        """Recover, check, sweep and check again, in a process without faults."""
        with self.environment.open(self.ledger) as ledger:
            ledger.recover()
            orphans = SqliteOrphanDirectory(ledger.projector)
            listed = {(orphan.store, orphan.ref) for orphan in orphans.unresolved()}
            alone = not self.environment.shares_stores
            recovered = Oracle(ledger.services, alone=alone)
            findings = [*recovered.of_residue(listed), *recovered.of_recovery()]
            # Check before the sweep, which would remove what a rollback has missed.
            findings += recovered.of_rollbacks()
            ledger.sweep()
            swept = Oracle(ledger.services, alone=alone)
            findings += swept.of_sweeping([orphan.ref for orphan in orphans.unresolved()])
            findings += swept.of_the_gate()
            findings += swept.of_facts()
            findings += swept.of_all_or_nothing(before)
            excused = {text for messages in self.notes.read("unreported") for text in messages}
            raised = {text: call for call, text in self.notes.read("raised") if text not in excused}
            findings += swept.of_failures(raised, " ".join(self.notes.read("reported")))
            findings += swept.of_rollbacks()
            findings += swept.of_outcomes([self.ledger.untouched])
            findings += _check_rebuild(ledger)
        if source_facts(self.ledger.source) != before:
            findings.append((Guarantee.G5, "the source was written to"))
        return list(dict.fromkeys(findings))


def _act(ledger: Ledger, case_ledger: CaseLedger, action: Action) -> object:
    match action:
        case Action.INGEST:
            return ledger.ingest(case_ledger.source).saga
        case Action.DELETE:
            return ledger.delete(case_ledger.doomed)
        case Action.RECOVER:
            return ledger.recover()
        case Action.SWEEP:
            return ledger.sweep()
        case _:
            assert_never(action)


def _check_rebuild(ledger: Ledger) -> Iterator[Finding]:
    """G9: projections rebuilt from position 0 equal the live ones."""
    live = ledger.projector
    rebuilt = open_projections(None, ledger.log)
    try:
        tables = live.rows("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")
        for (table,) in tables:
            rows = [
                sorted(map(tuple, projector.rows(f"SELECT * FROM {table}")), key=repr)
                for projector in (live, rebuilt)
            ]
            if rows[0] != rows[1]:
                yield Guarantee.G9, f"projection table {table} differs from its rebuild"
    finally:
        rebuilt.close()
