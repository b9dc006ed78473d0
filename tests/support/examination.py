"""What does not hold of the stores once every saga has been brought to its end."""

from __future__ import annotations

from collections.abc import Sequence

from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.interface.certification.guarantees import Guarantee
from sagaledger.interface.certification.oracle import Oracle

__all__ = ["settled_findings"]


def settled_findings(
    services: IngestionServices, unresolved: Sequence[str] = ()
) -> list[tuple[Guarantee, str]]:
    """The breaches of any guarantee, with these references on the list of orphans."""
    oracle = Oracle(services, alone=True)
    return [
        *oracle.of_the_gate(),
        *oracle.of_all_or_nothing(None),
        *oracle.of_rollbacks(),
        *oracle.of_facts(),
        *oracle.of_recovery(),
        *oracle.of_outcomes([]),
        *oracle.of_sweeping(unresolved),
    ]
