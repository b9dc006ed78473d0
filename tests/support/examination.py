"""What does not hold of the stores once every saga has been brought to its end."""

from __future__ import annotations

from collections.abc import Sequence

from sagaledger.application.certification.examiner import Examiner
from sagaledger.application.certification.guarantees import Guarantee
from sagaledger.application.ingestion.services import IngestionServices

__all__ = ["settled_findings"]


def settled_findings(
    services: IngestionServices, unresolved: Sequence[str] = ()
) -> list[tuple[Guarantee, str]]:
    """The breaches of any guarantee, with these references on the list of orphans."""
    examiner = Examiner(services, alone=True)
    return [
        *examiner.of_the_gate(),
        *examiner.of_all_or_nothing(None),
        *examiner.of_rollbacks(),
        *examiner.of_recovery(),
        *examiner.of_outcomes([]),
        *examiner.of_sweeping(unresolved),
    ]
