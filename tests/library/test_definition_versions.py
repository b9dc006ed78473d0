"""A saga finishes under the definition that it began with, whatever is registered beside it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from sagaledger import Ledger, SagaDefinition, SagaStatus, SagaStep, StepContext, open_ledger
from sagaledger.domain.saga.errors import DefinitionMismatchError
from sagaledger.domain.saga.events import StepCompleted, StepStarted

from tests.support.ledgers import all_events


class Calls:
    """Steps that note which version of a definition called them."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def trip(self, version: int, *names: str) -> SagaDefinition:
        return SagaDefinition("trip", [self._step(version, name) for name in names], version)

    def _step(self, version: int, name: str) -> SagaStep:
        def act(_: StepContext) -> None:
            self.made.append(f"{name} of version {version}")

        return SagaStep(name, act)


@pytest.fixture
def calls() -> Calls:
    return Calls()


def begun(ledger: Ledger, definition: SagaDefinition) -> UUID:
    """A saga whose worker stopped before its first step did anything."""
    ledger.stop()
    result = ledger.run(definition)
    ledger.orchestrator.stopping.clear()
    assert result.status is SagaStatus.RUNNING
    return result.saga_id


def test_open_saga_finishes_under_the_version_it_began_with_after_an_upgrade(
    tmp_path: Path, calls: Calls
) -> None:
    with open_ledger(tmp_path / "data") as before:
        older = begun(before, calls.trip(1, "book", "pay"))

    with open_ledger(tmp_path / "data") as upgraded:
        upgraded.register(calls.trip(1, "book", "pay"))
        upgraded.register(calls.trip(2, "ask", "book", "pay"))
        newer = begun(upgraded, calls.trip(2, "ask", "book", "pay"))
        recovered = upgraded.recover()

    assert [result.saga_id for result in recovered.finished] == [older, newer]
    assert {result.status for result in recovered.finished} == {SagaStatus.COMPLETED}
    assert sorted(calls.made) == [
        "ask of version 2",
        "book of version 1",
        "book of version 2",
        "pay of version 1",
        "pay of version 2",
    ]


@pytest.mark.parametrize(
    "changed",
    [("book", "insure", "pay"), ("pay", "book"), ("book",), ("reserve", "pay")],
    ids=["one more", "another order", "one less", "another name"],
)
def test_definition_with_other_steps_than_the_saga_began_with_is_refused_by_name(
    ledger: Ledger, calls: Calls, changed: tuple[str, ...]
) -> None:
    saga_id = begun(ledger, calls.trip(1, "book", "pay"))
    ledger.register(calls.trip(1, *changed))
    position = ledger.log.last_position()

    with pytest.raises(DefinitionMismatchError) as refused:
        ledger.drive(saga_id)
    with pytest.raises(DefinitionMismatchError):
        ledger.plan(saga_id)

    assert (refused.value.recorded, refused.value.registered) == (("book", "pay"), changed)
    assert f"with the steps {', '.join(changed)}; the saga began with book, pay" in str(
        refused.value
    )
    assert (ledger.log.last_position(), calls.made) == (position, [])


def test_saga_whose_definition_has_other_steps_keeps_no_other_from_its_end(
    ledger: Ledger, calls: Calls
) -> None:
    refused = begun(ledger, calls.trip(1, "book", "pay"))
    ledger.register(calls.trip(1, "book"))
    sound = begun(ledger, SagaDefinition("other", [SagaStep("only", lambda _: None)]))

    recovered = ledger.recover()

    assert [result.saga_id for result in recovered.finished] == [sound]
    assert "'trip' version 1 is registered with the steps book" in recovered.failed[refused]
    # Registered again as it was, it goes on from where it stood.
    ledger.register(calls.trip(1, "book", "pay"))
    (finished,) = ledger.recover().finished
    assert (finished.saga_id, finished.status) == (refused, SagaStatus.COMPLETED)
    steps = [e.step for e in all_events(ledger) if isinstance(e, StepStarted | StepCompleted)]
    assert steps.count("book") == 3
