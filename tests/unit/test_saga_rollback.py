"""The undo of a saga: last to first, always to the end, proven or listed."""

from __future__ import annotations

import pytest
from sagaledger.domain.saga.decisions import (
    Compensate,
    Idle,
    advance,
    next_action,
    require_rollback,
)
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.saga.events import (
    CommitDecided,
    CompensationAttempted,
    RollbackRequired,
    SagaClaimed,
    SagaCompensated,
    SagaCompensationFailed,
    SagaEvent,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from sagaledger.domain.saga.result import result_of
from sagaledger.domain.saga.state import Saga
from sagaledger.domain.saga.values import Residue, RollbackReason, SagaStatus

from tests.support.specification import (
    SagaDecision,
    claimed,
    given,
    saga_after,
    started,
    step,
    take_over,
    with_consequences,
)

ABC = SagaDefinition("copy", [step("a"), step("b"), step("c"), step("d")])
LEFT = Residue("vector", "doc-1", 3)
ROLLBACK = RollbackRequired("storage_full", "no space", "c")

# Two steps are done, the third has failed, the fourth was never begun.
ROLLING_BACK: list[SagaEvent] = [
    claimed(),
    StepStarted("a", 1),
    StepCompleted("a", 1, {}, 0.5),
    StepStarted("b", 1),
    StepCompleted("b", 1, {}, 0.5),
    StepStarted("c", 1),
    StepFailed("c", 1, "storage_full", "no space", "StorageFullError", 0.5),
    ROLLBACK,
]


def undone(
    name: str,
    attempt: int = 1,
    *,
    left: tuple[Residue, ...] = (),
    error: str = "",
    probed: bool = True,
) -> CompensationAttempted:
    return CompensationAttempted(name, attempt, 0 if left else 3, left, error, probed, 0.25)


def recording(definition: SagaDefinition, attempted: CompensationAttempted) -> SagaDecision:
    return with_consequences(definition, lambda _: [attempted])


def next_undo(saga: Saga, definition: SagaDefinition = ABC) -> tuple[str, int, int]:
    work = next_action(saga, definition)
    assert isinstance(work, Compensate)
    return work.step, work.attempt, work.attempt_in_round


def test_failing_step_is_undone_first_then_the_others_last_to_first() -> None:
    history: list[SagaEvent] = [started(ABC), *ROLLING_BACK]
    order = []

    while isinstance(work := next_action(saga_after(*history), ABC), Compensate):
        order.append(work.step)
        history += recording(ABC, undone(work.step))(saga_after(*history))

    assert order == ["c", "b", "a"]
    assert history[-1] == SagaCompensated(())
    assert next_action(saga_after(*history), ABC) == Idle()


def test_step_in_doubt_is_undone_too() -> None:
    saga = (
        given(started(ABC), claimed(), StepStarted("a", 1))
        .when(lambda s: require_rollback(s, RollbackReason.DEADLINE_EXCEEDED, "late"))
        .then(RollbackRequired("deadline_exceeded", "late", "a"))
        .state
    )

    assert next_undo(saga) == ("a", 1, 1)


def test_saga_that_began_no_step_is_compensated_at_once() -> None:
    decision = with_consequences(
        ABC, lambda s: require_rollback(s, RollbackReason.CANCELLED, "no more")
    )

    given(started(ABC), claimed()).when(decision).then(
        RollbackRequired("cancelled", "no more", ""), SagaCompensated(())
    )


@pytest.mark.parametrize(
    "history",
    [[claimed(), CommitDecided("a"), StepStarted("a", 1)], ROLLING_BACK],
    ids=["decided", "rolling back"],
)
def test_saga_that_decided_or_is_rolled_back_requires_no_rollback(
    history: list[SagaEvent],
) -> None:
    given(started(ABC), *history).when(
        lambda s: require_rollback(s, RollbackReason.DEADLINE_EXCEEDED, "late")
    ).then()


def test_step_left_behind_is_tried_again_within_the_round_before_the_next() -> None:
    history = [started(ABC), *ROLLING_BACK, undone("c", 1, left=(LEFT,))]

    assert next_undo(saga_after(*history)) == ("c", 2, 2)
    assert next_undo(saga_after(*history, undone("c", 2))) == ("b", 1, 1)


def test_step_that_cannot_be_undone_stops_no_other() -> None:
    failed = (
        given(
            started(ABC),
            *ROLLING_BACK,
            undone("c", 1, left=(LEFT,), error="busy"),
            undone("c", 2, left=(LEFT,), error="still busy"),
            undone("b"),
        )
        .when(recording(ABC, undone("a")))
        .then(undone("a"), SagaCompensationFailed(("c",)))
    )

    assert failed.state.status is SagaStatus.COMPENSATION_FAILED
    assert next_action(failed.state, ABC) == Idle()
    result = result_of(failed.state)
    assert result.residue == (LEFT,)
    assert result.compensation_errors == ("c: still busy",)
    assert result.reason == "storage_full"
    assert result.compensation_timings_s == {"c": 0.5, "b": 0.25, "a": 0.25}


def test_every_step_that_cannot_be_undone_is_named_at_the_end() -> None:
    history: list[SagaEvent] = [*ROLLING_BACK]
    history += [undone(name, n, left=(LEFT,)) for name in "cb" for n in (1, 2)]
    history += [undone("a", 1, left=(LEFT,))]
    last = undone("a", 2, left=(LEFT,))

    given(started(ABC), *history).when(recording(ABC, last)).then(
        last, SagaCompensationFailed(("c", "b", "a"))
    )


def test_failed_rollback_claimed_begins_a_new_round_for_what_is_left() -> None:
    failed: list[SagaEvent] = [*ROLLING_BACK, undone("c")]
    failed += [undone("b", n, left=(LEFT,)) for n in (1, 2)]
    failed += [undone("a"), SagaCompensationFailed(("b",))]

    again = (
        given(started(ABC), *failed)
        .when(with_consequences(ABC, take_over))
        .then(SagaClaimed("worker-2", 2, 30.0))
    )

    assert again.state.status is SagaStatus.COMPENSATING
    assert again.state.ended_us == 0
    assert next_undo(again.state) == ("b", 3, 1)
    clean = again.when(recording(ABC, undone("b", 3))).then(undone("b", 3), SagaCompensated(()))
    assert clean.state.residue == ()
    assert clean.state.compensations["b"].removed == 3
    clean.when(take_over).then_refused(SagaStateError, "has ended: compensated")


def test_rollback_claimed_after_a_crash_goes_on_within_its_round() -> None:
    history = [started(ABC), *ROLLING_BACK, undone("c"), undone("b", 1, left=(LEFT,)), claimed(2)]

    assert next_undo(saga_after(*history)) == ("b", 2, 2)


def test_compensation_that_raised_is_clean_if_the_probe_finds_nothing() -> None:
    attempted = undone("c", error="timeout", probed=True)

    saga = saga_after(started(ABC), *ROLLING_BACK, attempted)

    assert saga.compensations["c"].clean
    assert saga.compensation_errors == []
    assert next_undo(saga) == ("b", 1, 1)


def test_compensation_that_raised_is_not_clean_if_nobody_was_asked() -> None:
    attempted = undone("c", error="timeout", probed=False)

    saga = saga_after(started(ABC), *ROLLING_BACK, attempted)

    assert saga.compensation_errors == ["c: timeout"]
    assert next_undo(saga) == ("c", 2, 2)


def test_compensation_that_ran_is_not_clean_if_the_probe_finds_something() -> None:
    saga = saga_after(started(ABC), *ROLLING_BACK, undone("c", left=(LEFT,)))

    assert next_undo(saga) == ("c", 2, 2)
    assert saga.residue == (LEFT,)


def test_steps_undone_without_a_probe_are_named_as_unverified() -> None:
    definition = SagaDefinition("copy", [step("a"), step("b", probe=False), step("c"), step("d")])
    history = [*ROLLING_BACK, undone("c"), undone("b", probed=False)]

    compensated = (
        given(started(definition), *history)
        .when(recording(definition, undone("a")))
        .then(undone("a"), SagaCompensated(("b",)))
    )

    assert result_of(compensated.state).unverified == ("b",)


def test_step_without_undo_and_probe_is_passed_over() -> None:
    silent = step("b", undo=False, probe=False)
    definition = SagaDefinition("copy", [step("a"), silent, step("c"), step("d")])

    saga = saga_after(started(definition), *ROLLING_BACK, undone("c"))

    assert next_undo(saga, definition) == ("a", 1, 1)


def test_step_with_a_probe_alone_is_asked() -> None:
    asked = step("c", undo=False)
    definition = SagaDefinition("copy", [step("a"), step("b"), asked, step("d")])

    assert next_undo(saga_after(started(definition), *ROLLING_BACK), definition) == ("c", 1, 1)


def test_rollback_in_progress_advances_no_further_by_itself() -> None:
    given(started(ABC), *ROLLING_BACK).when(lambda s: advance(s, ABC)).then()
