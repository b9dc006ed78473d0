"""Sweeps and updates alerts periodically, as long as a worker runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from sagaledger.application.housekeeping.sweep import SweepOptions, SweepReport
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.housekeeping.errors import AlertRulesError

__all__ = ["PATROL_GRACE_S", "Patrol"]

PATROL_GRACE_S = 300.0
"""How long a patrol leaves a new orphan alone: a late writer may still be at work."""
_LONGEST_WAIT_S = 600.0


@dataclass(slots=True)
class Patrol:
    """Sweeps, raises and resolves alerts, then waits; longer while a store is unavailable."""

    sweep: Callable[[SweepOptions], SweepReport]
    watch: Callable[[], None]
    stopping: Event
    on_report: Callable[[SweepReport], None]
    """Called with the report of each finished sweep."""
    on_problem: Callable[[str], None]
    """Called with each problem once, and again only if it reappears."""
    _known: set[str] = field(default_factory=set)

    def run(self, options: SweepOptions, every_s: float) -> None:
        """Run until the worker must stop; wait `every_s` seconds between two sweeps."""
        wait_s = every_s
        while not self.stopping.is_set():
            problems = self._round(options)
            for problem in sorted(problems - self._known):
                self.on_problem(problem)
            self._known = problems
            wait_s = min(max(wait_s * 2, every_s), _LONGEST_WAIT_S) if problems else every_s
            self.stopping.wait(wait_s)

    def _round(self, options: SweepOptions) -> set[str]:
        """Sweep, then update alerts and reports. Returns the problems; they may be over by then."""
        problems: set[str] = set()
        try:
            report = self.sweep(options)
        except StorageBackendError as error:
            problems.add(f"could not be swept: {error}")
        else:
            problems |= {f"could not be swept: {w}: {why}" for w, why in report.failed.items()}
            self.on_report(report)
        try:
            self.watch()
        except (AlertRulesError, StorageBackendError) as error:
            problems.add(f"alerts and reports are not up to date: {error}")
        return problems
