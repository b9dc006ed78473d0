"""When to try again: a pure policy, with the chance it needs passed in."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NO_RETRY", "RetryPolicy"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `max_attempts` tries; the wait grows by `backoff` and is spread by `jitter`.

    The wait after attempt n is `delay_s * backoff**(n-1)`, capped at `max_delay_s`, times a factor
    in [1 - jitter, 1 + jitter].
    """

    max_attempts: int = 1
    delay_s: float = 0.0
    backoff: float = 2.0
    max_delay_s: float = 300.0
    jitter: float = 0.1

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ValueError(f"max_attempts must be at least 1, not {self.max_attempts}")
        if self.delay_s < 0 or self.max_delay_s < 0 or self.backoff < 1:
            raise ValueError("delays must not be negative and backoff must be at least 1")
        if not 0 <= self.jitter < 1:
            raise ValueError(f"jitter must be in [0, 1), not {self.jitter}")

    def allows_another(self, attempts_made: int) -> bool:
        """Whether one more try may follow `attempts_made` failed ones."""
        return attempts_made < self.max_attempts

    def delay_after(self, attempt: int, chance: float) -> float:
        """Seconds to wait after failed attempt `attempt` (from 1); `chance` is in [0, 1)."""
        grown = min(self.delay_s * self.backoff ** (attempt - 1), self.max_delay_s)
        return grown * (1 + self.jitter * (2 * chance - 1))


NO_RETRY = RetryPolicy()
