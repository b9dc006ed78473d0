"""The power goes in the middle of a run: whatever the disk then holds, the log claims nothing more.

The installed command is recorded at work. Then its disk is put together as it may be after a loss
at any moment, and the ledger on it is recovered and examined.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from sagaledger.interface.library.ledger import open_ledger

from tests.support.examination import settled_findings
from tests.support.ledgers import QUICK
from tests.support.recorded_disk import Change, RecordedDisk, record
from tests.support.requirements import required_program

COMMAND = Path(sys.executable).with_name("sagaledger")


@dataclass(frozen=True)
class Recording:
    """A run of the command, and what its file held."""

    data: Path
    changes: list[Change]
    content: bytes
    """What a document has if it is there."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "text.txt"
    path.write_text("words that are there as a whole or not at all " * 200)
    return path


@pytest.fixture(scope="module")
def ingestion(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The first ingestion into a new folder, then a second one into the folder that exists."""
    required_program("strace")
    folder = tmp_path_factory.mktemp("recorded")
    data = folder / "data"
    changes: list[Change] = []
    for _ in range(2):
        command = (COMMAND, "--data", data, "ingest", "--again", "--chunk-size", "4096", source)
        more = record(command, data, folder / "trace")
        changes += [shifted(change, len(changes)) for change in more]
    return Recording(data, changes, source.read_bytes())


@pytest.fixture(scope="module")
def deletion(
    source: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Recording, list[Change]]:
    """An ingestion, and the deletion of its document."""
    required_program("strace")
    folder = tmp_path_factory.mktemp("recorded")
    data = folder / "data"
    ingest = (COMMAND, "--data", data, "ingest", "--chunk-size", "4096", source)
    before = record(ingest, data, folder / "trace")
    more = record((COMMAND, "--data", data, "delete", "default-"), data, folder / "trace")
    changes = [*before, *(shifted(change, len(before)) for change in more)]
    return Recording(data, changes, source.read_bytes()), before


def shifted(change: Change, count: int) -> Change:
    change.began += count
    return change


def moments(recording: Recording, first: int, count: int, chance: Random) -> list[int]:
    """Every synchronisation, and moments between them; at most so many."""
    numbers = range(first, len(recording.changes) + 1)
    syncs = [n for n in numbers[1:] if recording.changes[n - 1].kind == "sync"]
    chosen = {len(recording.changes), *chance.sample(syncs, min(count // 2, len(syncs)))}
    chosen |= set(chance.sample(list(numbers), min(count // 2, len(numbers))))
    return sorted(chosen)


def losses(
    recording: Recording, chosen: list[int], chance: Random, place: Path
) -> Iterator[tuple[int, Path]]:
    """The data folder after a loss at each moment: with nothing unsure, and with some of it."""
    disk = RecordedDisk(recording.data)
    applied = 0
    for moment in chosen:
        for change in recording.changes[applied:moment]:
            disk.apply(change)
        applied = moment
        for kept in (None, chance):
            disk.after_power_loss(place, kept)
            yield moment, place


def problems(data: Path, content: bytes) -> list[str]:
    """What does not hold of a ledger after recovery and sweep."""
    with open_ledger(data, QUICK) as ledger:
        ledger.recover()
        ledger.sweep()
        found = settled_findings(ledger.services)
        damaged = [
            document.document_id
            for document in ledger.services.relational.documents()
            if b"".join(ledger.documents.content(document)) != content
        ]
    return [*(f"{guarantee}: {detail}" for guarantee, detail in found), *damaged]


def documents_in(data: Path) -> int:
    with open_ledger(data, QUICK) as ledger:
        return len(ledger.services.relational.documents())


def check_losses(
    recording: Recording, first: int, count: int, seed: int, place: Path
) -> Iterator[tuple[int, Path]]:
    chance = Random(seed)
    chosen = moments(recording, first, count, chance)
    for moment, data in losses(recording, chosen, chance, place / "data"):
        assert (moment, problems(data, recording.content)) == (moment, [])
        yield moment, data


@pytest.mark.parametrize("count", [24, pytest.param(4000, marks=pytest.mark.long)])
def test_power_lost_during_an_ingestion_leaves_each_document_whole_or_gone(
    ingestion: Recording, tmp_path: Path, count: int
) -> None:
    for moment, data in check_losses(ingestion, 0, count, 5, tmp_path):
        if moment == len(ingestion.changes):
            # The command has said that they are committed.
            assert documents_in(data) == 2


@pytest.mark.parametrize("count", [12, pytest.param(2000, marks=pytest.mark.long)])
def test_power_lost_during_a_deletion_leaves_the_document_whole_or_gone(
    deletion: tuple[Recording, list[Change]], tmp_path: Path, count: int
) -> None:
    recording, before = deletion
    for moment, data in check_losses(recording, len(before), count, 6, tmp_path):
        if moment == len(recording.changes):
            assert documents_in(data) == 0
