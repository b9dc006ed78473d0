"""Read models over the event log: derived, disposable, and rebuildable from position 0.

Glossary:
    projection: the tables of one read model, and the rules by which events change them.
    projector: applies each event to the projections exactly once.
    directory: typed queries over one projection.
    snapshot: all tables at one position of the log, unchanged while one reader uses them.
"""

from collections.abc import Sequence
from pathlib import Path

from sagaledger.domain.housekeeping.alerts import Alert
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.projections.engine.projector import Lag, Projection, Projector, Rule
from sagaledger.projections.engine.reading import Answer, Snapshot, ask, snapshot
from sagaledger.projections.export.exporting import Exported, export_tables, exportable_tables
from sagaledger.projections.export.table_files import ExportFormat
from sagaledger.projections.queries.conditions import SqliteAlertConditions
from sagaledger.projections.queries.live import LiveSaga, Overview, live_sagas, overview
from sagaledger.projections.queries.reports import REPORT_NAMES, reports
from sagaledger.projections.queries.rollback_figures import (
    GroupKey,
    RollbackDirectory,
    RollbackFigures,
    RollbackGroup,
)
from sagaledger.projections.read_models.alerts import AlertDirectory, AlertList
from sagaledger.projections.read_models.orphans import (
    Orphan,
    OrphanList,
    SqliteOrphanDirectory,
)
from sagaledger.projections.read_models.rollbacks import RollbackStatistics
from sagaledger.projections.read_models.sagas import SagaList, SqliteSagaDirectory
from sagaledger.projections.registry import PROJECTIONS

__all__ = [
    "REPORT_NAMES",
    "Alert",
    "AlertDirectory",
    "AlertList",
    "Answer",
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
    "SqliteAlertConditions",
    "SqliteOrphanDirectory",
    "SqliteSagaDirectory",
    "ask",
    "export_tables",
    "exportable_tables",
    "live_sagas",
    "open_projections",
    "overview",
    "reports",
    "snapshot",
]


def open_projections(
    path: Path | None, log: EventStore, further: Sequence[Projection] = ()
) -> Projector:
    """Every projection that ships, and further ones, in one file, or in memory for None."""
    return Projector(path, log, (*PROJECTIONS, *further))
