"""Read models over the event log: derived, disposable, made anew from position 0 at will.

Glossary:
    projection: the tables of one read model, and how each event changes them.
    projector: what applies events to projections, each exactly once.
    directory: typed questions to one projection.
"""

from pathlib import Path

from sagaledger.domain.ports import EventLog
from sagaledger.projections.alerts import Alert, AlertDirectory, AlertList
from sagaledger.projections.engine import Lag, Projection, Projector, Rule
from sagaledger.projections.orphans import Orphan, OrphanDirectory, OrphanList
from sagaledger.projections.reading import Answer, ask
from sagaledger.projections.registry import PROJECTIONS
from sagaledger.projections.rollbacks import (
    RollbackDirectory,
    RollbackFigures,
    RollbackStatistics,
)
from sagaledger.projections.sagas import SagaList, SqliteSagaDirectory

__all__ = [
    "Alert",
    "AlertDirectory",
    "AlertList",
    "Answer",
    "Lag",
    "Orphan",
    "OrphanDirectory",
    "OrphanList",
    "Projection",
    "Projector",
    "RollbackDirectory",
    "RollbackFigures",
    "RollbackStatistics",
    "Rule",
    "SagaList",
    "SqliteSagaDirectory",
    "ask",
    "open_projections",
]


def open_projections(path: Path | None, log: EventLog) -> Projector:
    """Every projection there is, in one file, or in memory for None."""
    return Projector(path, log, PROJECTIONS)
