"""All cases of one certification, several at once."""

from __future__ import annotations

import multiprocessing
import platform
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice

from sagaledger import __version__
from sagaledger.domain.errors import StorageBackendError
from sagaledger.interface.certification.case_runner import calls_of, try_case
from sagaledger.interface.certification.cases import (
    SCENARIOS,
    Case,
    Scenario,
    cases_of,
    in_order_of_news,
    pairs_of,
)
from sagaledger.interface.certification.environment import Environment
from sagaledger.interface.certification.faults import FaultKind
from sagaledger.interface.certification.port_calls import PortCall
from sagaledger.interface.certification.verdicts import CaseResult, Certificate

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
    faults: frozenset[FaultKind] = frozenset(FaultKind)
    """Which ones are tried."""
    scenarios: tuple[Scenario, ...] = SCENARIOS


_environment: Environment | None = None


def certify(
    environment: Environment, plan: Plan, progress: Callable[[CaseResult, int], None]
) -> Certificate:
    """Try every fault at every port call, as far as the plan goes.

    Args:
        environment: makes the ledgers; it must not be in use elsewhere.
        plan: how much is tried.
        progress: told of each result, and of how many cases there are to be.

    Whatever ends it, what its cases hold in the stores is removed first.

    Raises:
        StorageBackendError: the stores do not even work without faults.
    """
    began_s = time.monotonic()
    try:
        calls = {scenario.name: calls_of(environment, scenario) for scenario in plan.scenarios}
        every = [
            case
            for scenario in plan.scenarios
            for case in cases_of(scenario, calls[scenario.name])
            if all(kind in plan.faults for _, kind in case.faults)
        ]
        results: list[CaseResult] = []
        chosen = _chosen(plan, every, calls)
        for result in _results(environment, plan, chosen, began_s):
            results.append(result)
            progress(result, len(chosen))
    finally:
        leftovers = environment.erase_all()
    return Certificate(
        points={name: len(found) for name, found in calls.items()},
        cases_total=len(every),
        results=results,
        leftovers=leftovers,
        seed=plan.seed,
        duration_s=time.monotonic() - began_s,
        about=_about(environment, plan),
    )


def _chosen(plan: Plan, every: Sequence[Case], calls: dict[str, list[PortCall]]) -> list[Case]:
    chance = random.Random(plan.seed)  # noqa: S311 - a seed makes the order repeatable
    chosen = in_order_of_news(every, chance)[: plan.max_cases]
    return [*chosen, *_pairs(every, calls, plan.pairs, chance, plan.faults)]


def _results(
    environment: Environment, plan: Plan, cases: Iterable[Case], began_s: float
) -> Iterator[CaseResult]:
    """Results as they come. No case begins after the time; those that have begun are awaited."""
    global _environment
    _environment = environment
    left = iter(cases)
    running: set[Future[CaseResult]] = set()
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(plan.jobs, mp_context=context) as pool:
        while True:
            if plan.duration_s is None or time.monotonic() - began_s < plan.duration_s:
                more = islice(left, plan.jobs - len(running))
                running |= {pool.submit(_try_in_pool, case) for case in more}
            if not running:
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                try:
                    yield future.result()
                except BrokenProcessPool as error:
                    cause = "one of its processes was ended from outside"
                    raise StorageBackendError("certified", "run", cause) from error


def _try_in_pool(case: Case) -> CaseResult:
    assert _environment is not None
    return try_case(_environment, case)


def _pairs(
    cases: Sequence[Case],
    calls: dict[str, list[PortCall]],
    count: int,
    chance: random.Random,
    faults: frozenset[FaultKind],
) -> list[Case]:
    pairs: list[Case] = []
    while cases and len(pairs) < count:
        first = chance.choice(cases)
        pair = pairs_of(first, calls[first.scenario.name], chance, faults)
        pairs += [pair] if pair else []
    return pairs


def _about(environment: Environment, plan: Plan) -> dict[str, str]:
    left_out = [kind for kind in FaultKind if kind not in plan.faults]
    return {
        "sagaledger": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "file_bytes": str(len(environment.content)),
        "chunk_bytes": str(environment.chunk_size_bytes),
        "faults": "of every kind" if not left_out else ", ".join(sorted(plan.faults)),
        "stores": "shared" if environment.shares_stores else "embedded, one set per case",
    }
