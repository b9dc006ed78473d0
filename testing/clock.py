"""Time that a test sets by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ManualClock"]


@dataclass(slots=True)
class ManualClock:
    """A `Clock` that moves only when somebody waits, sets it, or (with `tick_us`) asks.

    Example:
        clock = ManualClock()
        clock.sleep(30)  # returns at once, and 30 s have passed
        clock.jump(-3600)  # somebody set the wall clock back; monotonic time goes on
        assert clock.waits_s == [30]
    """

    us: int = 1_700_000_000_000_000
    """Wall time, in microseconds since the epoch."""
    ran_us: int = 86_400_000_000
    """Monotonic time, in microseconds."""
    tick_us: int = 0
    """How far each question for the wall time moves both on: no two answers are the same."""
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
        """Let time pass that nobody slept through."""
        self._pass_us(round(seconds * 1_000_000))

    def jump(self, seconds: float) -> None:
        """Set the wall clock on, or back."""
        self.us += round(seconds * 1_000_000)

    @property
    def waited_s(self) -> float:
        """The sum of all waits."""
        return round(sum(self.waits_s), 6)

    def _pass_us(self, microseconds: int) -> None:
        self.us += microseconds
        self.ran_us += microseconds
