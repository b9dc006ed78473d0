"""Sweeping and looking after alerts again and again, for as long as a worker runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from sagaledger.application.housekeeping.sweep import SweepOptions, SweepReport
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.housekeeping.errors import AlertRulesError

__all__ = ["PATROL_GRACE_S", "Patrol"]

PATROL_GRACE_S = 300.0
"""How long a patrol leaves alone what was found: whoever wrote it late may not be done."""
_LONGEST_WAIT_S = 600.0


@dataclass(slots=True)
class Patrol:
    """Sweeps, raises and resolves alerts, and waits; longer while a store is down."""

    sweep: Callable[[SweepOptions], SweepReport]
    watch: Callable[[], None]
    stopping: Event
    on_report: Callable[[SweepReport], None]
    """Told of every sweep that came to its end."""
    on_problem: Callable[[str], None]
    """Told of each problem once, and again only after it was gone."""
    _told: set[str] = field(default_factory=set)

    def run(self, options: SweepOptions, every_s: float) -> None:
        """Go on until the worker is to stop; `every_s` seconds lie between two sweeps."""
        wait_s = every_s
        while not self.stopping.is_set():
            problems = self._round(options)
            for problem in sorted(problems - self._told):
                self.on_problem(problem)
            self._told = problems
            wait_s = min(max(wait_s * 2, every_s), _LONGEST_WAIT_S) if problems else every_s
            self.stopping.wait(wait_s)

    def _round(self, options: SweepOptions) -> set[str]:
        """Sweep and look after the rest. Returns what hindered it; that may have passed by then."""
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
