"""The list of all projections. Register a new one here."""

from __future__ import annotations

from sagaledger.projections.engine.projector import Projection
from sagaledger.projections.read_models.alerts import AlertList
from sagaledger.projections.read_models.documents import DocumentList
from sagaledger.projections.read_models.orphans import OrphanList
from sagaledger.projections.read_models.rollbacks import RollbackStatistics
from sagaledger.projections.read_models.sagas import SagaList
from sagaledger.projections.read_models.steps import StepList
from sagaledger.projections.read_models.uploads import UploadList

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
