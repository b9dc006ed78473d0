"""The results of a certification: per case, and per guarantee over all cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sagaledger.interface.certification.guarantees import Guarantee

__all__ = ["CaseResult", "Certificate", "Failure", "Tally"]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case: whether its faults happened, and the violated guarantees."""

    case: str
    scenario: str
    happened: bool
    """False if the run ended before it reached the call: nothing was tested."""
    findings: tuple[tuple[Guarantee, str], ...]
    duration_s: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A guarantee that did not hold in a case."""

    guarantee: Guarantee
    case: str
    detail: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a guarantee was tested, and how often it held."""

    guarantee: Guarantee
    tried: int
    passed: int

    @property
    def failed(self) -> int:
        """In how many cases it did not hold."""
        return self.tried - self.passed


@dataclass(frozen=True, slots=True)
class Certificate:
    """The result of a certification."""

    points: Mapping[str, int]
    """The port calls of the attacked run, by scenario, counted in a dry run."""
    cases_total: int
    """The number of cases: port calls times possible faults."""
    results: Sequence[CaseResult]
    leftovers: Sequence[str] = ()
    """Items of the certification's own cases that could not be removed from the stores."""
    seed: int = 0
    duration_s: float = 0.0
    about: Mapping[str, str] = field(default_factory=dict)
    """What was certified: version, platform and stores."""

    @property
    def tried(self) -> int:
        """Cases whose fault happened."""
        return sum(result.happened for result in self.results)

    @property
    def failures(self) -> list[Failure]:
        """All violated guarantees, by case."""
        return [
            Failure(guarantee, result.case, detail)
            for result in self.results
            for guarantee, detail in result.findings
        ]

    @property
    def tallies(self) -> list[Tally]:
        """One tally per guarantee; each case tests all guarantees."""
        failed = Counter(
            guarantee
            for result in self.results
            for guarantee in {guarantee for guarantee, _ in result.findings}
        )
        return [Tally(g, self.tried, self.tried - failed[g]) for g in Guarantee]

    @property
    def holds(self) -> bool:
        """Whether a fault happened, every guarantee held in every case, and no item was left."""
        return self.tried > 0 and not self.failures and not self.leftovers
