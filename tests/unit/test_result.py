"""What a caller is told of a saga."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.events import StepFailed, StepStarted
from sagaledger.domain.saga.result import result_of
from sagaledger.domain.saga.values import Residue, SagaStatus

from tests.support.specification import claimed, saga_after, started, step

AB = SagaDefinition("copy", [step("a", tries=2), step("b")])


@pytest.mark.parametrize("status", SagaStatus)
def test_only_a_completed_saga_is_a_success(status: SagaStatus) -> None:
    result = replace(result_of(saga_after(started(AB))), status=status)

    assert result.success is (status == "completed")


def test_step_that_was_not_begun_has_no_time() -> None:
    result = result_of(saga_after(started(AB), claimed(), StepStarted("a", 1)))

    assert result.timings_s == {"a": 0.0}


def test_saga_that_waits_to_try_again_says_why() -> None:
    failed = StepFailed("a", 1, "storage_unavailable", "timeout", "StorageBackendError", 0.5)
    result = result_of(saga_after(started(AB), claimed(), StepStarted("a", 1), failed))

    assert result.errors == ("a: timeout",)
    assert result.timings_s == {"a": 0.5}


def test_residue_is_one_thing_unless_it_says_otherwise() -> None:
    assert Residue("chunks", "u/0").count == 1
