"""The real orchestrator with any faults, deaths, requests and clocks, held against the guarantees.

`pytest -m long tests/properties/test_ledger_machine.py` runs it for hours.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.errors import SagaledgerError
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.interface.certification.faults import FaultKind, faults_of
from sagaledger.interface.certification.oracle import Oracle
from sagaledger.interface.certification.port_calls import Interceptor, Invocation, PortCall
from sagaledger.interface.library.ledger import IngestResult, Ledger
from sagaledger.projections import open_projections
from sagaledger.testing import Fault, FaultInjector

from tests.support.examination import settled_findings
from tests.support.memory_disk import MemoryDisk
from tests.support.mortal_worker import mortal_worker

CONFIG = StreamingSagaConfig(
    chunk_size_bytes=64,
    resume_retry_delay_s=0.5,
    store_retry_delay_s=0.5,
    compensation_retry_delay_s=0.1,
    again=True,
    writer_threads=1,
)
METHODS = [
    *[("log", name) for name in ("append", "read_stream", "last_version", "read_log")],
    *[("chunks", name) for name in ("open_prefix", "create", "flush", "open", "list", "delete")],
    *[("chunks", "close_prefix"), ("chunk writer", "write"), ("chunk writer", "commit")],
    *[("stored chunk", "readinto"), ("source", "open"), ("source file", "read_into")],
    *[("vectors", name) for name in ("prepare", "upsert", "delete", "count")],
    *[("graph", name) for name in ("upsert", "delete", "count")],
    *[("relational", name) for name in ("upsert", "commit", "hide", "delete", "count")],
    *[("manifests", name) for name in ("put", "delete", "count")],
    *[("leases", name) for name in ("acquire", "holds", "release")],
]


@st.composite
def faults(draw: st.DrawFn) -> dict[PortCall, FaultKind]:
    """Up to three things that go wrong in what one worker does next."""
    chosen = {}
    for _ in range(draw(st.integers(0, 3))):
        port, method = draw(st.sampled_from(METHODS))
        call = PortCall(port, method, draw(st.integers(1, 8)))
        chosen[call] = draw(st.sampled_from(faults_of(call)))
    return chosen


class Freezer:
    """Holds a worker at one call until it is thawed, as SIGSTOP would."""

    def __init__(self, at: PortCall) -> None:
        self._at = at
        self.frozen = threading.Event()
        self._thawed = threading.Event()

    def __call__(self, invocation: Invocation) -> Any:
        if invocation.call == self._at and not self._thawed.is_set():
            self.frozen.set()
            self._thawed.wait(30)
        return invocation.proceed()

    def thaw(self) -> None:
        self._thawed.set()


class LedgerMachine(RuleBasedStateMachine):
    """Workers come and go; what they leave must be right whenever anybody looks."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.disk = MemoryDisk(self.folder / "keys")
        self.files = [self.folder / f"{number}.txt" for number in range(3)]
        for number, file in enumerate(self.files):
            file.write_text(f"the words of file {number} " * 8)
        self.committed: dict[str, DocumentRecord] = {}
        self.undone: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "disk"):
            self.everything_is_settled_once_all_goes_well()
            shutil.rmtree(self.folder)

    @contextmanager
    def worker(
        self, plan: dict[PortCall, FaultKind], *interceptors: Interceptor
    ) -> Iterator[Ledger]:
        """A worker in which these things go wrong; it may die."""
        happened: list[str] = []
        with mortal_worker(self.disk, CONFIG, plan, interceptors, happened.append) as ledger:
            yield ledger
        if happened and threading.current_thread() is threading.main_thread():
            note("; ".join(happened))

    def learn(self, result: IngestResult) -> None:
        """What a caller is told of an ingestion holds for ever."""
        if result.document is not None:
            self.committed[result.document.saga_id] = result.document
        elif result.saga is not None and result.saga.status is SagaStatus.COMPENSATED:
            self.undone.add(result.saga.saga_id.hex)

    @rule(number=st.integers(0, 2), plan=faults())
    def ingest(self, number: int, plan: dict[PortCall, FaultKind]) -> None:
        with self.worker(plan) as ledger:
            self.learn(ledger.ingest(self.files[number]))

    @precondition(lambda self: self.committed)
    @rule(data=st.data(), plan=faults())
    def delete(self, data: st.DataObject, plan: dict[PortCall, FaultKind]) -> None:
        saga_id = data.draw(st.sampled_from(sorted(self.committed)))
        document = self.committed.pop(saga_id)
        with self.worker(plan) as ledger:
            ledger.delete(document)

    @rule(plan=faults())
    def recover(self, plan: dict[PortCall, FaultKind]) -> None:
        with self.worker(plan) as ledger:
            ledger.recover()

    @rule(plan=faults())
    def sweep(self, plan: dict[PortCall, FaultKind]) -> None:
        with self.worker(plan) as ledger:
            ledger.sweep()

    @rule(request=st.sampled_from(["cancel", "pause", "resume"]))
    def ask_all(self, request: str) -> None:
        with self.worker({}) as ledger:
            for saga in ledger.directory.open_sagas():
                with suppress(SagaStateError):
                    if request == "cancel":
                        ledger.control.cancel(saga.saga_id, "ann", "enough")
                    elif request == "pause":
                        ledger.control.pause(saga.saga_id, "ann")
                    else:
                        ledger.control.resume(saga.saga_id, "ann")

    @rule(
        method=st.sampled_from(METHODS),
        number=st.integers(1, 4),
        request=st.sampled_from(["cancel", "pause"]),
        plan=faults(),
    )
    def somebody_stops_an_ingestion_on_its_way(
        self,
        method: tuple[str, str],
        number: int,
        request: str,
        plan: dict[PortCall, FaultKind],
    ) -> None:
        asking = FaultInjector(
            {PortCall(*method, number): Fault(also=lambda: self.ask_all(request))}
        )
        with self.worker(plan, asking) as ledger:
            self.learn(ledger.ingest(self.files[0]))

    @rule(seconds=st.sampled_from([-86_400, -5, 5, 86_400]))
    def clock_jumps(self, seconds: int) -> None:
        self.disk.clock.jump(seconds)

    @rule(number=st.integers(0, 2), text=st.text("ab ", max_size=300))
    def source_changes(self, number: int, text: str) -> None:
        self.files[number].write_text(text)

    @rule(number=st.integers(0, 2))
    def source_is_gone_or_back(self, number: int) -> None:
        file = self.files[number]
        if file.exists():
            file.unlink()
        else:
            file.write_text("it is back")

    @rule(method=st.sampled_from(METHODS), number=st.integers(1, 4))
    def another_worker_takes_over_from_a_frozen_one(
        self, method: tuple[str, str], number: int
    ) -> None:
        freezer = Freezer(PortCall(*method, number))
        slow = self.disk.ledger(CONFIG, [freezer])
        file = self.files[0]

        def work() -> None:
            with suppress(SagaledgerError, OSError):
                self.learn(slow.ingest(file))

        thread = threading.Thread(target=work)
        thread.start()
        while thread.is_alive() and not freezer.frozen.wait(0.005):
            continue
        self.disk.clock.jump(CONFIG.lease_s + 1)
        with self.worker({}) as fast:
            fast.recover()
        freezer.thaw()
        thread.join()
        slow.close()

    @invariant()
    def guarantees_hold(self) -> None:
        if not hasattr(self, "disk"):
            return
        oracle = Oracle(self.disk.services, alone=True)
        findings = [
            *oracle.of_the_gate(),
            *oracle.of_all_or_nothing(None),
            *oracle.of_outcomes([]),
        ]
        assert not findings
        visible = {d.saga_id for d in self.disk.services.relational.documents()}
        assert set(self.committed) <= visible
        assert not self.undone & visible

    def everything_is_settled_once_all_goes_well(self) -> None:
        ledger = self.disk.ledger(CONFIG)
        self.disk.clock.jump(CONFIG.lease_s + 1)
        for saga in ledger.directory.all_sagas():
            if saga.paused or saga.status is SagaStatus.FAILED:
                ledger.control.resume(saga.saga_id, "ann")
        ledger.recover()
        ledger.sweep()
        rebuilt = open_projections(None, ledger.log)
        unresolved = [
            row["ref"]
            for row in rebuilt.rows("SELECT ref FROM orphans WHERE listed=1 AND resolved_us=0")
        ]
        findings = settled_findings(self.disk.services, unresolved)
        rebuilt.close()
        ledger.close()
        assert not findings


def test_ledger_keeps_its_guarantees_whatever_happens() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=60,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


@pytest.mark.long
def test_ledger_keeps_its_guarantees_for_hours() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=20_000,
            stateful_step_count=60,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
