"""A step of a user's own records facts in a stream of its own, with the public names alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
from sagaledger import (
    FactRecorded,
    Ledger,
    RecordedEvent,
    RetryPolicy,
    RollbackReason,
    SagaDefinition,
    SagaRollbackRequired,
    SagaStatus,
    SagaStep,
    StepContext,
    open_ledger,
)

BOOKED = FactRecorded("room-booked", {"room": 12, "guests": ["ada", "grace"]})


def bookings_of(saga_id: UUID) -> UUID:
    return uuid5(saga_id, "bookings")


def book(context: StepContext) -> dict[str, int]:
    context.stage(bookings_of(context.saga_id), 0, [BOOKED])
    return {"room": 12}


def refuse(_: StepContext) -> None:
    raise SagaRollbackRequired(RollbackReason.STEP_FAILED, "nobody wants it")


def booking(*actions: Callable[[StepContext], Any], retry: int = 1) -> SagaDefinition:
    policy = RetryPolicy(retry, delay_s=0.01)
    return SagaDefinition(
        "booking", [SagaStep(f"step-{n}", act, retry=policy) for n, act in enumerate(actions)]
    )


def recorded_in(ledger: Ledger, stream_id: UUID) -> list[RecordedEvent]:
    return [item for _, run in ledger.log.read_stream(stream_id) for item in run]


def facts_of(ledger: Ledger, saga_id: UUID) -> list[FactRecorded]:
    events = [item.event for item in recorded_in(ledger, bookings_of(saga_id))]
    return [event for event in events if isinstance(event, FactRecorded)]


def test_staged_fact_is_stored_in_the_transaction_of_its_step_and_read_back(
    tmp_path: Path,
) -> None:
    with open_ledger(tmp_path / "data") as ledger:
        result = ledger.run(booking(book))

    with open_ledger(tmp_path / "data") as again:
        (stored,) = recorded_in(again, bookings_of(result.saga_id))
        ((_, (outcome,)),) = again.log.read_log(stored.position, 1)

    assert result.status is SagaStatus.COMPLETED
    assert (stored.event, stored.originator_version, stored.epoch) == (BOOKED, 1, 1)
    # What is stored together has neighbouring positions and one time.
    assert type(outcome.event).__name__ == "StepCompleted"
    assert outcome.originator_id == result.saga_id


def test_fact_of_a_step_that_fails_is_not_stored(ledger: Ledger) -> None:
    def fail(context: StepContext) -> None:
        book(context)
        refuse(context)

    result = ledger.run(booking(fail))

    assert result.status is SagaStatus.COMPENSATED
    assert ledger.log.last_version(bookings_of(result.saga_id)) == 0


def test_fact_is_not_stored_where_the_outcome_of_its_step_cannot_be(ledger: Ledger) -> None:
    def book_oddly(context: StepContext) -> Any:
        book(context)
        return {"rooms": {12, 13}}

    result = ledger.run(booking(book_oddly))

    assert result.status is SagaStatus.COMPENSATED
    assert facts_of(ledger, result.saga_id) == []


def test_fact_that_holds_even_on_failure_is_stored_with_the_failure(ledger: Ledger) -> None:
    def fail(context: StepContext) -> None:
        asked = FactRecorded("room-asked-for", {"room": 12})
        context.stage(bookings_of(context.saga_id), 0, [asked], even_on_failure=True)
        refuse(context)

    result = ledger.run(booking(fail))

    assert [fact.kind for fact in facts_of(ledger, result.saga_id)] == ["room-asked-for"]


def test_step_that_succeeds_on_its_second_try_stores_its_fact_once(ledger: Ledger) -> None:
    def book_at_last(context: StepContext) -> None:
        book(context)
        if context.attempt == 1:
            raise OSError("the desk is closed")

    result = ledger.run(booking(book_at_last, retry=2))

    assert result.status is SagaStatus.COMPLETED
    assert facts_of(ledger, result.saga_id) == [BOOKED]


def test_appended_fact_is_stored_at_once_whatever_becomes_of_its_step(ledger: Ledger) -> None:
    def append_and_fail(context: StepContext) -> None:
        (stored,) = context.append(bookings_of(context.saga_id), 0, [BOOKED])
        assert stored.originator_version == ledger.log.last_version(stored.originator_id)
        refuse(context)

    result = ledger.run(booking(append_and_fail))

    assert result.status is SagaStatus.COMPENSATED
    assert facts_of(ledger, result.saga_id) == [BOOKED]


def test_fact_of_an_undo_is_stored_with_the_attempt(ledger: Ledger) -> None:
    def unbook(context: StepContext) -> int:
        gone = FactRecorded("room-released", {"room": 12})
        context.stage(bookings_of(context.saga_id), 1, [gone])
        return 1

    undone = SagaDefinition("undone", [SagaStep("book", book, unbook), SagaStep("no", refuse)])
    result = ledger.run(undone)

    assert result.status is SagaStatus.COMPENSATED
    kinds = [fact.kind for fact in facts_of(ledger, result.saga_id)]
    assert kinds == ["room-booked", "room-released"]


def test_undo_whose_fact_comes_too_late_is_recorded_without_it(ledger: Ledger) -> None:
    def unbook(context: StepContext) -> int:
        # The stream has an event with this number.
        context.stage(bookings_of(context.saga_id), 0, [FactRecorded("room-released", {})])
        return 1

    undone = SagaDefinition("undone", [SagaStep("book", book, unbook), SagaStep("no", refuse)])
    result = ledger.run(undone)

    assert facts_of(ledger, result.saga_id) == [BOOKED]
    assert "the event stream has advanced" in result.compensation_errors[0]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"rooms": {12, 13}}, "FactRecorded cannot be stored: set is not plain data"),
        (["room", 12], "FactRecorded cannot be stored"),
    ],
    ids=["a set in it", "a list"],
)
@pytest.mark.parametrize("even_on_failure", [False, True])
def test_step_whose_fact_is_no_plain_data_fails_and_its_saga_ends(
    ledger: Ledger, data: Any, told: str, even_on_failure: bool
) -> None:
    def stage(context: StepContext) -> None:
        context.stage(
            bookings_of(context.saga_id),
            0,
            [FactRecorded("odd", data)],
            even_on_failure=even_on_failure,
        )

    result = ledger.run(booking(stage))

    assert result.status is SagaStatus.COMPENSATED
    assert told in result.errors[0]
    assert facts_of(ledger, result.saga_id) == []


def test_step_that_stages_an_event_of_no_stored_type_fails_and_its_saga_ends(
    ledger: Ledger,
) -> None:
    class RoomBooked(FactRecorded):
        """A user's own class, which no stored name stands for."""

    def stage(context: StepContext) -> None:
        context.stage(bookings_of(context.saga_id), 0, [RoomBooked("room-booked", {})])

    result = ledger.run(booking(stage))

    assert result.status is SagaStatus.COMPENSATED
    assert "RoomBooked cannot be stored: it is not a type" in result.errors[0]


@pytest.mark.parametrize("method", ["append", "stage"])
def test_step_cannot_record_in_the_stream_of_its_saga(ledger: Ledger, method: str) -> None:
    def intrude(context: StepContext) -> None:
        version = ledger.log.last_version(context.saga_id)
        getattr(context, method)(context.saga_id, version, [BOOKED])

    result = ledger.run(booking(intrude))

    assert result.status is SagaStatus.COMPENSATED
    assert "a saga's own stream" in result.errors[0]
    recorded = [item.event for item in recorded_in(ledger, result.saga_id)]
    assert BOOKED not in recorded
