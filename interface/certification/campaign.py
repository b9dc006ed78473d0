"""All trials of one certification, several at once."""

from __future__ import annotations

import multiprocessing
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sagaledger import __version__
from sagaledger.application.certification.cases import (
    SCENARIOS,
    Case,
    Scenario,
    cases_of,
    in_order_of_news,
    pairs_of,
)
from sagaledger.application.certification.port_calls import PortCall
from sagaledger.application.certification.verdicts import CaseResult, Certificate
from sagaledger.interface.certification.trial import calls_of, try_case
from sagaledger.interface.certification.workshop import Workshop

__all__ = ["Plan", "certify"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is tried."""

    seed: int = 0
    duration_s: float | None = None
    """When to begin no further case; None for all of them."""
    max_cases: int | None = None
    pairs: int = 0
    """How many cases with two faults to add."""
    jobs: int = 2
    scenarios: tuple[Scenario, ...] = SCENARIOS


_workshop: Workshop | None = None


def certify(
    workshop: Workshop, plan: Plan, progress: Callable[[CaseResult, int], None]
) -> Certificate:
    """Try every fault at every port call, as far as the plan goes.

    Args:
        workshop: makes the ledgers; it must not be in use elsewhere.
        plan: how much is tried.
        progress: told of each result, and of how many cases there are to be.

    Raises:
        StorageBackendError: the stores do not even work without faults.
    """
    global _workshop
    began_s = time.monotonic()
    chance = random.Random(plan.seed)  # noqa: S311 - a seed makes the order repeatable
    calls = {scenario.name: calls_of(workshop, scenario) for scenario in plan.scenarios}
    every = [
        case for scenario in plan.scenarios for case in cases_of(scenario, calls[scenario.name])
    ]
    chosen = in_order_of_news(every, chance)[: plan.max_cases]
    chosen += _pairs(every, calls, plan.pairs, chance)
    _workshop = workshop
    results: list[CaseResult] = []
    leftovers: list[str] = []
    with multiprocessing.get_context("fork").Pool(plan.jobs) as pool:
        for result, left in pool.imap_unordered(_try_in_pool, chosen):
            results.append(result)
            leftovers += left
            progress(result, len(chosen))
            if plan.duration_s is not None and time.monotonic() - began_s > plan.duration_s:
                break
    return Certificate(
        points={name: len(found) for name, found in calls.items()},
        cases_total=len(every),
        results=results,
        leftovers=leftovers,
        seed=plan.seed,
        duration_s=time.monotonic() - began_s,
        about=_about(workshop),
    )


def _try_in_pool(case: Case) -> tuple[CaseResult, list[str]]:
    assert _workshop is not None
    return try_case(_workshop, case)


def _pairs(
    cases: Sequence[Case], calls: dict[str, list[PortCall]], count: int, chance: random.Random
) -> list[Case]:
    pairs: list[Case] = []
    while cases and len(pairs) < count:
        first = chance.choice(cases)
        pair = pairs_of(first, calls[first.scenario.name], chance)
        pairs += [pair] if pair else []
    return pairs


def _about(workshop: Workshop) -> dict[str, str]:
    return {
        "sagaledger": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "file_bytes": str(len(workshop.content)),
        "chunk_bytes": str(workshop.chunk_size_bytes),
        "stores": "shared" if workshop.shares_stores else "embedded, one set per case",
    }
