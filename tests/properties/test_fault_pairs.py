"""Two faults: the second one while the first is being undone, or recovered from.

`pytest -m long tests/properties/test_fault_pairs.py` tries every pair on a file of one chunk; every
run of the tests tries a sample of them on a file of three.
"""

from __future__ import annotations

import logging
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.interface.certification.faults import FaultKind, faults_of
from sagaledger.interface.certification.port_calls import PortCall, Recorder

from tests.support.examination import settled_findings
from tests.support.memory_disk import MemoryDisk
from tests.support.mortal_worker import mortal_worker

CHUNK = 64
CONFIG = StreamingSagaConfig(
    chunk_size_bytes=CHUNK,
    max_resume_attempts=1,
    store_attempts=1,
    compensation_retry_delay_s=0.0,
    again=True,
    writer_threads=1,
)
FIRST = (FaultKind.RAISE_BEFORE, FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER)
"""One error begins a rollback as well as any other, and one crash a recovery."""


@dataclass(frozen=True)
class Pair:
    """A fault in an ingestion, and another one in what comes of it."""

    first: tuple[PortCall, FaultKind]
    second: tuple[PortCall, FaultKind] | None = None

    @property
    def crashes(self) -> bool:
        """Whether what comes of the first is a recovery, by another process."""
        return self.first[1] is not FaultKind.RAISE_BEFORE

    def __str__(self) -> str:
        second = f"; then {self.second[1]} at {self.second[0]}" if self.second else ""
        return f"{self.first[1]} at {self.first[0]}{second}"


class Place:
    """Makes a disk for each pair, with the same file on it."""

    def __init__(self, folder: Path, chunk_count: int) -> None:
        self._folder = folder
        self.source = folder / "source.txt"
        self.source.write_text("x" * (CHUNK * chunk_count))

    def carry_out(self, pair: Pair, following: Recorder | None = None) -> MemoryDisk:
        """Ingest and recover with these faults; `following` sees the calls of the second part."""
        disk = MemoryDisk(self._folder / "keys")
        watching = [following] if following else []
        second = dict([pair.second]) if pair.second else {}
        in_first = {pair.first[0]: pair.first[1]}
        if not pair.crashes:
            in_first |= second
        with mortal_worker(disk, CONFIG, in_first, [] if pair.crashes else watching) as ledger:
            ledger.ingest(self.source)
        disk.clock.jump(CONFIG.lease_s + 1)
        if pair.crashes:
            with mortal_worker(disk, CONFIG, second, watching) as ledger:
                ledger.recover()
            disk.clock.jump(CONFIG.lease_s + 1)
        return disk

    def calls_of_an_ingestion(self) -> list[PortCall]:
        """Counted where nothing goes wrong."""
        recorder = Recorder()
        with mortal_worker(MemoryDisk(self._folder / "keys"), CONFIG, {}, [recorder]) as ledger:
            ledger.ingest(self.source)
        return recorder.calls

    def pairs_after(self, first: tuple[PortCall, FaultKind]) -> Iterator[Pair]:
        """Every second fault at every call that comes of the first, counted in a run of it."""
        recorder = Recorder()
        alone = Pair(first)
        self.carry_out(alone, recorder)
        calls = recorder.calls
        if not alone.crashes:
            calls = calls[calls.index(first[0]) + 1 :] if first[0] in calls else []
        for call in calls:
            for kind in faults_of(call):
                yield Pair(first, (call, kind))

    def firsts(self) -> list[tuple[PortCall, FaultKind]]:
        """Where a rollback or a recovery can begin."""
        calls = self.calls_of_an_ingestion()
        return [(call, kind) for call in calls for kind in FIRST if kind in faults_of(call)]


def findings(place: Place, pair: Pair) -> list[str]:
    """What does not hold once a worker without faults has been at it."""
    disk = place.carry_out(pair)
    with mortal_worker(disk, CONFIG, {}) as ledger:
        ledger.recover()
        ledger.sweep()
        unresolved = [
            row["ref"]
            for row in ledger.projector.rows(
                "SELECT ref FROM orphans WHERE listed=1 AND resolved_us=0"
            )
        ]
        found = settled_findings(disk.services, unresolved)
    return [f"{pair}: {guarantee} {detail}" for guarantee, detail in found]


@pytest.mark.timeout(1800)
def test_second_fault_while_the_first_is_undone_or_recovered_from_breaks_no_guarantee(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path, chunk_count=3)
    chance = random.Random(11)
    firsts = place.firsts()
    chosen: list[Pair] = []
    for first in chance.sample(firsts, 40):
        pairs = list(place.pairs_after(first))
        chosen += chance.sample(pairs, min(25, len(pairs)))
    assert len(chosen) > 500

    assert [text for pair in chosen for text in findings(place, pair)] == []


@pytest.fixture
def unlogged() -> Iterator[None]:
    # Each record that pytest keeps holds its error, and through that a whole disk in memory.
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.long
@pytest.mark.usefixtures("unlogged")
def test_every_second_fault_after_every_first_breaks_no_guarantee(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path, chunk_count=1)
    tried = 0
    for first in place.firsts():
        for pair in place.pairs_after(first):
            tried += 1
            assert findings(place, pair) == []
    assert tried > 10_000
    with capsys.disabled():
        sys.stdout.write(f"{tried:,} pairs of faults tried\n")
