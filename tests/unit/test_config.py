"""The settings of a streaming saga."""

from __future__ import annotations

import pytest
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.saga.retry import RetryPolicy

MIB = 1024**2
inf, nan = float("inf"), float("nan")


def test_defaults_give_three_attempts_five_seconds_apart_and_no_deadline() -> None:
    config = StreamingSagaConfig()

    assert config.upload_retry == RetryPolicy(3, 5.0, 2.0, 300.0, 0.1)
    assert config.store_retry == RetryPolicy(3, 1.0, max_delay_s=60.0)
    assert config.compensation_retry == RetryPolicy(3, 0.2, max_delay_s=10.0)
    assert config.deadline_s is None
    assert (config.writer_threads, config.lease_s) == (4, 30.0)
    assert (config.compress, config.again, config.namespace) == (False, False, "default")


def test_settings_reach_their_policies() -> None:
    config = StreamingSagaConfig(
        max_resume_attempts=7,
        resume_retry_delay_s=2.0,
        resume_backoff=3.0,
        resume_max_delay_s=50.0,
        resume_jitter=0.0,
        store_attempts=5,
        store_retry_delay_s=4.0,
        compensation_attempts=9,
        compensation_retry_delay_s=0.0,
    )

    assert config.upload_retry == RetryPolicy(7, 2.0, 3.0, 50.0, 0.0)
    assert config.store_retry == RetryPolicy(5, 4.0, max_delay_s=60.0)
    assert config.compensation_retry == RetryPolicy(9, 0.0, max_delay_s=10.0)


def test_chunk_size_is_the_given_one_or_grows_with_the_file() -> None:
    assert StreamingSagaConfig(chunk_size_bytes=123).chunk_size_for(10**12) == 123
    assert StreamingSagaConfig().chunk_size_for(10 * MIB) == 4 * MIB
    assert StreamingSagaConfig().chunk_size_for(100_000 * MIB) == 10 * MIB


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_resume_attempts": 0},
        {"resume_retry_delay_s": -1.0},
        {"resume_retry_delay_s": nan},
        {"resume_backoff": 0.5},
        {"resume_max_delay_s": -1.0},
        {"resume_max_delay_s": inf},
        {"resume_jitter": 1.0},
        {"resume_jitter": -0.1},
        {"store_attempts": 0},
        {"store_retry_delay_s": -1.0},
        {"compensation_attempts": 0},
        {"compensation_retry_delay_s": -1.0},
        {"deadline_s": 0.0},
        {"deadline_s": -1.0},
        {"deadline_s": nan},
        {"chunk_size_bytes": 0},
        {"chunk_size_bytes": -5},
        {"writer_threads": 0},
        {"lease_s": 0.9},
        {"lease_s": nan},
        {"lease_s": inf},
        {"namespace": ""},
        {"namespace": "_"},
        {"namespace": "a-b"},
        {"namespace": "a/b"},
        {"namespace": "ärger"},
    ],
    ids=str,
)
def test_wrong_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        StreamingSagaConfig(**wrong)  # type: ignore[arg-type]  # Each setting has its own type.


def test_smallest_settings_are_taken() -> None:
    config = StreamingSagaConfig(
        chunk_size_bytes=1, deadline_s=0.001, writer_threads=1, lease_s=1, max_resume_attempts=1
    )

    assert config.chunk_size_for(10) == 1
    assert config.upload_retry.max_attempts == 1


@pytest.mark.parametrize("namespace", ["default", "tenant_7", "A", "7"])
def test_namespace_of_letters_digits_and_underscores_is_taken(namespace: str) -> None:
    assert StreamingSagaConfig(namespace=namespace).namespace == namespace
