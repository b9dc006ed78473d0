"""A rollback that could not finish is never a dead end: what it left can be worked off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.housekeeping.events import (
    OrphanAdopted,
    OrphanRemoved,
    OrphanRetryRequested,
    OrphanWaived,
)
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.interface.library.ledger import Ledger, open_ledger

from tests.support.commands import json_of, refusal_of, run
from tests.support.faults import Fault, FaultyChunks, break_port
from tests.support.ledgers import CHUNK, QUICK, events_of, what_is_left

WHY = ("--reason", "the disk was repaired")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder in which a rollback left chunks 0 and 1, and rows in the vector store."""
    data = tmp_path / "data"
    text = tmp_path / "text.txt"
    text.write_text("words that stay behind\n" * (10 * CHUNK // 23))
    with open_ledger(data, QUICK) as ledger:
        faulty = FaultyChunks(data / "chunks")
        faulty.fail_deletes = {0, 1}
        ledger.services.chunks = faulty
        refused = StorageBackendError("vector", "delete", "injected")
        break_port(ledger, "vectors", delete=Fault(refused))
        broken = StorageBackendError("relational", "count", "injected")
        break_port(ledger, "relational", count=Fault(broken, times=3))
        saga = ledger.ingest(text).saga
        assert saga is not None
        assert saga.status is SagaStatus.COMPENSATION_FAILED
    return data


@pytest.fixture
def opened(data: Path) -> Iterator[Ledger]:
    with open_ledger(data, QUICK) as ledger:
        yield ledger


def listed(data: Path, *options: str) -> list[dict[str, Any]]:
    """The orphans as a machine reads them."""
    rows: list[dict[str, Any]] = json_of(run(data, "orphans", *options, "--json"))
    return rows


def alerts(data: Path) -> set[str]:
    """The rules that a person has to look at something by."""
    return {alert["rule"] for alert in json_of(run(data, "alerts", "--json"))}


def test_list_says_of_each_orphan_since_when_why_and_when_it_is_tried_again(data: Path) -> None:
    orphans = listed(data)

    assert {orphan["store"] for orphan in orphans} == {"chunks", "vector"}
    for orphan in orphans:
        assert orphan["state"] == "open"
        assert orphan["tries"] == 3
        assert "injected" in orphan["last_error"] or "chunks are left" in orphan["last_error"]
        assert orphan["since_us"] <= orphan["last_try_us"]
        # Three tries: the fourth comes four minutes later.
        assert orphan["next_try_us"] - orphan["last_try_us"] == 240_000_000
    assert orphans[0]["orphan_id"] in run(data, "orphans").stdout


def test_retry_of_one_orphan_takes_up_the_rollback_of_its_saga_and_says_who_asked(
    data: Path,
) -> None:
    before = listed(data)
    orphan = before[0]

    done = run(data, "orphans", "retry", orphan["orphan_id"], *WHY)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "0 orphans left"
    assert listed(data) == []
    assert {o["state"] for o in listed(data, "--history")} == {"removed"}
    assert alerts(data) == set()
    with open_ledger(data) as ledger:
        (asked,) = events_of(ledger, OrphanRetryRequested)
        assert what_is_left(ledger) == {}
        removed = [(event.store, event.ref) for event in events_of(ledger, OrphanRemoved)]
    assert sorted(removed) == sorted((o["store"], o["ref"]) for o in before), "each once"
    assert (asked.reason, "@" in asked.by) == ("the disk was repaired", True)


def test_sweep_records_the_removal_of_each_orphan_once(opened: Ledger) -> None:
    before = opened.orphans.known()

    report = opened.sweep()

    refs = sorted(orphan.ref for orphan in before)
    assert sorted(orphan.ref for orphan in report.removed) == refs
    assert sorted(event.ref for event in events_of(opened, OrphanRemoved)) == refs


def test_adopted_orphan_stays_through_sweeps_and_rollbacks_until_it_is_given_back(
    data: Path,
) -> None:
    (vector,) = [orphan for orphan in listed(data) if orphan["store"] == "vector"]
    saga = vector["saga_id"]
    adopted = run(data, "orphans", "adopt", vector["orphan_id"], "--reason", "evidence")
    assert adopted.stdout.startswith("1 orphan adopted; ")

    swept = run(data, "sweep")
    refused = refusal_of(run(data, "rollback", saga), 8)

    assert "kept: adopted" in swept.stdout
    assert swept.returncode == 0, "what is left is in somebody's care"
    assert f"vector {vector['ref']} is adopted" in refused
    with open_ledger(data) as ledger:
        assert what_is_left(ledger) == {"vector": [vector["ref"]]}
        (event,) = events_of(ledger, OrphanAdopted)
        assert event.reason == "evidence"
    assert alerts(data) == set()
    assert run(data, "orphans", "retry", vector["orphan_id"], *WHY).returncode == 0
    with open_ledger(data) as ledger:
        assert what_is_left(ledger) == {}
    assert json_of(run(data, "sagas", "--status", "compensated", "--json"))[0]["saga_id"] == saga


def test_waived_orphans_of_a_saga_alert_nobody_and_are_removed_once_they_can_be(
    data: Path,
) -> None:
    saga = listed(data)[0]["saga_id"]
    assert alerts(data) == {"rollback_failed", "partial_rollback"}

    waived = run(data, "orphans", "waive", saga[:8], "--reason", "the disk is gone")

    assert waived.stdout.endswith(" waived; 0 left\n")
    assert alerts(data) == set()
    history = listed(data, "--history")
    assert {orphan["state"] for orphan in history} == {"waived"}
    assert all(
        orphan["decided_by"] and orphan["reason"] == "the disk is gone" for orphan in history
    )
    with open_ledger(data) as ledger:
        assert len(events_of(ledger, OrphanWaived)) == len(history)
        assert what_is_left(ledger), "a waiver removes nothing"
    run(data, "sweep")
    assert {orphan["state"] for orphan in listed(data, "--history")} == {"removed"}


def test_waiver_holds_where_the_thing_is_found_left_again(opened: Ledger, tmp_path: Path) -> None:
    opened.housekeeping.waive(opened.orphans.known(), "ann", "known")
    refused = StorageBackendError("vector", "delete", "injected")
    break_port(opened, "vectors", delete=Fault(refused))

    opened.sweep()

    states = {o.store: o.state.value for o in opened.orphans.history()}
    assert states == {"vector": "waived", "chunks": "removed"}
    assert opened.orphans.unresolved() == []


@pytest.mark.parametrize("verb", ["retry", "adopt", "waive"])
def test_decision_about_no_orphan_is_refused(data: Path, verb: str) -> None:
    line = refusal_of(run(data, "orphans", verb, "ffff", *WHY), 3)

    assert line == "error: no orphan with id 'ffff'; see `sagaledger orphans`"


def test_decision_needs_a_reason(data: Path) -> None:
    assert "--reason" in refusal_of(run(data, "orphans", "adopt", "ffff"), 2)
