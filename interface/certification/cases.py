"""Scenarios, and the cases made of them: every fault at every call, counted in a dry run."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sagaledger.interface.certification.faults import FaultKind, faults_of
from sagaledger.interface.certification.port_calls import PortCall

__all__ = [
    "SCENARIOS",
    "Action",
    "Case",
    "Run",
    "Scenario",
    "cases_of",
    "in_order_of_news",
    "pairs_of",
]


class Action(StrEnum):
    """What a process is started to do."""

    INGEST = "ingest"
    DELETE = "delete"
    RECOVER = "recover"
    SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Run:
    """One process: what it does, and what goes wrong in it."""

    action: Action
    faults: Mapping[PortCall, FaultKind] = field(default_factory=dict)
    always: Mapping[tuple[str, str], FaultKind] = field(default_factory=dict)
    """What goes wrong at every call of a method, by port and method."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Processes that come before, and the one whose every call is tried."""

    name: str
    attacked: Run
    before: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario with the faults of one case."""

    scenario: Scenario
    faults: tuple[tuple[PortCall, FaultKind], ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        """The processes, in order."""
        attacked = self.scenario.attacked
        faults = {**attacked.faults, **dict(self.faults)}
        return (*self.scenario.before, replace(attacked, faults=faults))

    def __str__(self) -> str:
        shown = "; ".join(f"{kind} at {call}" for call, kind in self.faults)
        return f"{self.scenario.name}: {shown or 'no fault'}"


# The step that fails leaves what it wrote: a rollback that forgets it is seen.
_REFUSED = {("relational", "upsert"): FaultKind.RAISE_AFTER}
SCENARIOS = (
    Scenario("commit", Run(Action.INGEST)),
    Scenario("rollback", Run(Action.INGEST, always=_REFUSED)),
    Scenario("deletion", Run(Action.DELETE)),
    Scenario(
        "recovery of an upload",
        Run(Action.RECOVER),
        (Run(Action.INGEST, {PortCall("chunks", "flush", 1): FaultKind.CRASH_AFTER}),),
    ),
    Scenario(
        "recovery of a decision",
        Run(Action.RECOVER),
        (Run(Action.INGEST, {PortCall("relational", "commit", 1): FaultKind.CRASH_BEFORE}),),
    ),
    Scenario(
        "recovery of a rollback",
        Run(Action.RECOVER),
        (
            Run(
                Action.INGEST,
                {PortCall("vectors", "delete", 1): FaultKind.CRASH_BEFORE},
                _REFUSED,
            ),
        ),
    ),
    Scenario(
        "sweep",
        Run(Action.SWEEP),
        (
            Run(
                Action.INGEST,
                always={**_REFUSED, ("chunks", "delete"): FaultKind.PERMISSION},
            ),
        ),
    ),
)


def cases_of(scenario: Scenario, calls: Iterable[PortCall]) -> list[Case]:
    """Every fault that can happen at each of these calls, one at a time."""
    return [Case(scenario, ((call, kind),)) for call in calls for kind in faults_of(call)]


def pairs_of(
    case: Case,
    calls: Sequence[PortCall],
    chance: random.Random,
    faults: Collection[FaultKind] = tuple(FaultKind),
) -> Case | None:
    """The case with a second fault at a later call; None where there is no later one."""
    ((first, kind),) = case.faults
    later = calls[calls.index(first) + 1 :]
    possible = [(call, second) for call in later for second in faults_of(call) if second in faults]
    if not possible:
        return None
    return replace(case, faults=((first, kind), chance.choice(possible)))


def in_order_of_news(cases: Sequence[Case], chance: random.Random) -> list[Case]:
    """The cases in an order of which every beginning covers as much as it can.

    First each fault once at some call of each method in each scenario, then once more, and so on.
    """
    shuffled = list(cases)
    chance.shuffle(shuffled)
    seen: dict[tuple[str, ...], int] = {}
    ranked = []
    for case in shuffled:
        sort = (case.scenario.name, *(f"{c.port}.{c.method}:{k}" for c, k in case.faults))
        seen[sort] = seen.get(sort, 0) + 1
        ranked.append((seen[sort], case))
    return [case for _, case in sorted(ranked, key=lambda item: item[0])]
