"""Read models over the event log: derived, disposable, made anew from position 0 at will.

Glossary:
    projection: the tables of one read model, and how each event changes them.
    projector: what applies events to projections, each exactly once.
    directory: typed questions to one projection.
    snapshot: all tables at one position of the log, held still for one reader.
"""

from pathlib import Path

from sagaledger.domain.ports import EventLog
from sagaledger.projections.alerts import Alert, AlertDirectory, AlertList
from sagaledger.projections.conditions import Condition, Surroundings, conditions
from sagaledger.projections.engine import Lag, Projection, Projector, Rule
from sagaledger.projections.exporting import Exported, export_tables, exportable_tables
from sagaledger.projections.live import LiveSaga, Overview, live_sagas, overview
from sagaledger.projections.orphans import Orphan, OrphanList, SqliteOrphanDirectory
from sagaledger.projections.reading import Answer, Snapshot, ask, snapshot
from sagaledger.projections.registry import PROJECTIONS
from sagaledger.projections.reports import REPORT_NAMES, reports
from sagaledger.projections.rollback_figures import (
    GroupKey,
    RollbackDirectory,
    RollbackFigures,
    RollbackGroup,
)
from sagaledger.projections.rollbacks import RollbackStatistics
from sagaledger.projections.sagas import SagaList, SqliteSagaDirectory
from sagaledger.projections.table_files import ExportFormat

__all__ = [
    "REPORT_NAMES",
    "Alert",
    "AlertDirectory",
    "AlertList",
    "Answer",
    "Condition",
    "ExportFormat",
    "Exported",
    "GroupKey",
    "Lag",
    "LiveSaga",
    "Orphan",
    "OrphanList",
    "Overview",
    "Projection",
    "Projector",
    "RollbackDirectory",
    "RollbackFigures",
    "RollbackGroup",
    "RollbackStatistics",
    "Rule",
    "SagaList",
    "Snapshot",
    "SqliteOrphanDirectory",
    "SqliteSagaDirectory",
    "Surroundings",
    "ask",
    "conditions",
    "export_tables",
    "exportable_tables",
    "live_sagas",
    "open_projections",
    "overview",
    "reports",
    "snapshot",
]


def open_projections(path: Path | None, log: EventLog) -> Projector:
    """Every projection there is, in one file, or in memory for None."""
    return Projector(path, log, PROJECTIONS)
