"""Runs all cases of one certification, several in parallel."""

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
    by_coverage,
    cases_of,
    pairs_of,
)
from sagaledger.interface.certification.environment import Environment
from sagaledger.interface.certification.faults import FaultKind
from sagaledger.interface.certification.port_calls import PortCall
from sagaledger.interface.certification.verdicts import CaseResult, Certificate

__all__ = ["Plan", "certify"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which cases to run."""

    seed: int = 0
    duration_s: float | None = None
    """No further case starts after this time; None for no limit."""
    max_cases: int | None = None
    pairs: int = 0
    """The number of additional cases with two faults."""
    jobs: int = 2
    faults: frozenset[FaultKind] = frozenset(FaultKind)
    """The kinds of faults to inject."""
    scenarios: tuple[Scenario, ...] = SCENARIOS


_environment: Environment | None = None


def certify(
    environment: Environment, plan: Plan, progress: Callable[[CaseResult, int], None]
) -> Certificate:
    """Inject every fault at every port call, within the limits of the plan.

    Args:
        environment: creates the ledgers; no one else may use it.
        plan: the cases to run.
        progress: called with each result and the total number of cases.

    All items of the cases are removed from the stores before the call returns or raises.

    Raises:
        StorageBackendError: the stores fail even without faults.
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
    rng = random.Random(plan.seed)  # noqa: S311 - a seed makes the order repeatable
    chosen = by_coverage(every, rng)[: plan.max_cases]
    return [*chosen, *_pairs(every, calls, plan.pairs, rng, plan.faults)]


def _results(
    environment: Environment, plan: Plan, cases: Iterable[Case], began_s: float
) -> Iterator[CaseResult]:
    """Results as they arrive. No case starts after the time limit; running cases are awaited."""
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
                    cause = "another program ended one of its processes"
                    raise StorageBackendError("certified", "run", cause) from error


def _try_in_pool(case: Case) -> CaseResult:
    assert _environment is not None
    return try_case(_environment, case)


def _pairs(
    cases: Sequence[Case],
    calls: dict[str, list[PortCall]],
    count: int,
    rng: random.Random,
    faults: frozenset[FaultKind],
) -> list[Case]:
    pairs: list[Case] = []
    while cases and len(pairs) < count:
        first = rng.choice(cases)
        pair = pairs_of(first, calls[first.scenario.name], rng, faults)
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
