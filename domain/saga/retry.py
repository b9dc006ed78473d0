"""The retry policy: a pure function of the attempt, with the jitter passed in."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

__all__ = ["NO_RETRY", "RetryPolicy"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `max_attempts` attempts; the wait grows by `backoff` and is spread by `jitter`.

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
        # Written so that "not a number" is refused too.
        if not (0 <= self.delay_s < inf and 0 <= self.max_delay_s < inf):
            raise ValueError(
                f"delays must be 0 s or more, and finite, not {self.delay_s} and {self.max_delay_s}"
            )
        if not 1 <= self.backoff < inf:
            raise ValueError(f"backoff must be at least 1, and finite, not {self.backoff}")
        if not 0 <= self.jitter < 1:
            raise ValueError(f"jitter must be in [0, 1), not {self.jitter}")

    def allows_another(self, attempts_made: int) -> bool:
        """Whether another attempt may follow `attempts_made` failed ones."""
        return attempts_made < self.max_attempts

    def delay_after(self, attempt: int, jitter: float) -> float:
        """Seconds to wait after failed attempt `attempt` (from 1); `jitter` is in [0, 1)."""
        try:
            grown = min(self.delay_s * self.backoff ** (attempt - 1), self.max_delay_s)
        except OverflowError:
            # An overflow exceeds any cap, but a delay of 0 stays 0.
            grown = self.max_delay_s if self.delay_s else 0.0
        return grown * (1 + self.jitter * (2 * jitter - 1))


NO_RETRY = RetryPolicy()
