"""Time that a test sets by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ManualClock"]


@dataclass(slots=True)
class ManualClock:
    """A `Clock` that advances only by waits, by jumps, and (with `tick_us`) by reads.

    Example:
        clock = ManualClock()
        clock.sleep(30)  # returns at once, and 30 s have passed
        clock.jump(-3600)  # the wall clock is set back; monotonic time continues
        assert clock.waits_s == [30]
    """

    us: int = 1_700_000_000_000_000
    """Wall time, in microseconds since the epoch."""
    ran_us: int = 86_400_000_000
    """Monotonic time, in microseconds."""
    tick_us: int = 0
    """How far each read of the wall time advances both: no two reads are the same."""
    waits_s: list[float] = field(default_factory=list)
    """Every wait, in order."""

    def now_us(self) -> int:
        """Wall time in microseconds since the epoch."""
        self._pass_us(self.tick_us)
        return self.us

    def monotonic_s(self) -> float:
        """Seconds that never go back."""
        return self.ran_us / 1_000_000

    def sleep(self, seconds: float) -> None:
        """Let time pass, without waiting for it."""
        self.waits_s.append(seconds)
        self.pass_s(seconds)

    def pass_s(self, seconds: float) -> None:
        """Let time pass without a recorded wait."""
        self._pass_us(round(seconds * 1_000_000))

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back."""
        self.us += round(seconds * 1_000_000)

    @property
    def waited_s(self) -> float:
        """The sum of all waits."""
        return round(sum(self.waits_s), 6)

    def _pass_us(self, microseconds: int) -> None:
        self.us += microseconds
        self.ran_us += microseconds
