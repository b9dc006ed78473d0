"""Every projection there is: a new one is registered here, and nowhere else."""

from __future__ import annotations

from sagaledger.projections.alerts import AlertList
from sagaledger.projections.documents import DocumentList
from sagaledger.projections.engine import Projection
from sagaledger.projections.orphans import OrphanList
from sagaledger.projections.rollbacks import RollbackStatistics
from sagaledger.projections.sagas import SagaList
from sagaledger.projections.steps import StepList
from sagaledger.projections.uploads import UploadList

__all__ = ["PROJECTIONS"]

PROJECTIONS: tuple[Projection, ...] = (
    SagaList(),
    StepList(),
    UploadList(),
    DocumentList(),
    OrphanList(),
    RollbackStatistics(),
    AlertList(),
)
