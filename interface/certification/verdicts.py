"""What came of a certification: per case, and per guarantee over all cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sagaledger.interface.certification.guarantees import Guarantee

__all__ = ["CaseResult", "Certificate", "Failure", "Tally"]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case: whether its faults happened, and what did not hold."""

    case: str
    scenario: str
    happened: bool
    """False where the run ended before it came to the call: nothing was tried."""
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
    """How often a guarantee was tried, and held."""

    guarantee: Guarantee
    tried: int
    passed: int

    @property
    def failed(self) -> int:
        """In how many cases it did not hold."""
        return self.tried - self.passed


@dataclass(frozen=True, slots=True)
class Certificate:
    """All that a certification found."""

    points: Mapping[str, int]
    """Port calls of the attacked run, by scenario: counted in a dry run."""
    cases_total: int
    """How many points times faults there are."""
    results: Sequence[CaseResult]
    leftovers: Sequence[str] = ()
    """What the certification itself could not remove from the stores."""
    seed: int = 0
    duration_s: float = 0.0
    about: Mapping[str, str] = field(default_factory=dict)
    """Version, platform, stores: what was certified."""

    @property
    def tried(self) -> int:
        """Cases whose fault happened."""
        return sum(result.happened for result in self.results)

    @property
    def failures(self) -> list[Failure]:
        """Everything that did not hold."""
        return [
            Failure(guarantee, result.case, detail)
            for result in self.results
            for guarantee, detail in result.findings
        ]

    @property
    def tallies(self) -> list[Tally]:
        """One line per guarantee: each case tries all of them."""
        failed = Counter(
            guarantee
            for result in self.results
            for guarantee in {guarantee for guarantee, _ in result.findings}
        )
        return [Tally(g, self.tried, self.tried - failed[g]) for g in Guarantee]

    @property
    def holds(self) -> bool:
        """Whether anything was tried, every guarantee held each time, and nothing was left."""
        return self.tried > 0 and not self.failures and not self.leftovers
