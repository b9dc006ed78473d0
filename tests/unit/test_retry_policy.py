"""When a failed step is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagaledger.domain.saga.definition import DEFAULT_COMPENSATION_RETRY
from sagaledger.domain.saga.retry import NO_RETRY, RetryPolicy

inf, nan = float("inf"), float("nan")
chances = st.floats(0, 1, exclude_max=True)
policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 100_000),
    delay_s=st.floats(0, 1e6),
    backoff=st.floats(1, 1e6),
    max_delay_s=st.floats(0, 1e6),
    jitter=st.floats(0, 1, exclude_max=True),
)


def test_defaults_double_the_delay_up_to_five_minutes() -> None:
    assert RetryPolicy(3) == RetryPolicy(3, 0.0, 2.0, 300.0, RetryPolicy(3).jitter)
    assert RetryPolicy(3, delay_s=0.2, max_delay_s=5.0) == DEFAULT_COMPENSATION_RETRY


def test_policy_without_a_delay_never_waits_however_often() -> None:
    policy = RetryPolicy(100_000, delay_s=0.0, backoff=1e6)

    assert [policy.delay_after(attempt, 0.5) for attempt in (1, 2, 99_999)] == [0.0, 0.0, 0.0]


def test_attempts_made_beyond_the_number_allow_no_other() -> None:
    assert not RetryPolicy(3).allows_another(4)


def test_no_retry_allows_one_attempt_only() -> None:
    assert NO_RETRY.allows_another(0)
    assert not NO_RETRY.allows_another(1)


@given(policies)
def test_any_policy_allows_exactly_its_number_of_attempts(policy: RetryPolicy) -> None:
    assert policy.allows_another(policy.max_attempts - 1)
    assert not policy.allows_another(policy.max_attempts)


def test_delays_without_jitter_grow_up_to_the_cap() -> None:
    policy = RetryPolicy(6, delay_s=5.0, backoff=2.0, max_delay_s=30.0, jitter=0.0)

    delays = [policy.delay_after(attempt, jitter=0.7) for attempt in range(1, 6)]

    assert delays == [5.0, 10.0, 20.0, 30.0, 30.0]


def test_chance_spreads_the_delay_over_the_whole_jitter() -> None:
    policy = RetryPolicy(2, delay_s=10.0, jitter=0.2)

    delays = [policy.delay_after(1, jitter) for jitter in (0.0, 0.5, 1.0)]

    assert delays == pytest.approx([8.0, 10.0, 12.0])


@given(policies, st.integers(1, 1_000_000), chances)
def test_any_attempt_delay_stays_within_jitter_of_the_cap(
    policy: RetryPolicy, attempt: int, jitter: float
) -> None:
    delay_s = policy.delay_after(attempt, jitter)

    highest = policy.max_delay_s * (1 + policy.jitter)
    lowest = min(policy.delay_s, policy.max_delay_s) * (1 - policy.jitter)
    assert lowest * 0.999 <= delay_s <= highest * 1.001


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_attempts": 0},
        {"delay_s": -0.1},
        {"delay_s": nan},
        {"delay_s": inf},
        {"backoff": 0.9},
        {"backoff": nan},
        {"backoff": inf},
        {"max_delay_s": -1.0},
        {"max_delay_s": nan},
        {"max_delay_s": inf},
        {"jitter": -0.1},
        {"jitter": 1.0},
        {"jitter": 1.1},
        {"jitter": nan},
    ],
)
def test_wrong_setting_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        RetryPolicy(**wrong)  # type: ignore[arg-type]  # The attempts are the only whole number.
