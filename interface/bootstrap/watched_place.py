"""The inputs of the watch over a data folder, and the files of its reports."""

from __future__ import annotations

from sagaledger.application.housekeeping.alerts import WatchedPlace
from sagaledger.infrastructure.alert_rules import read_alert_rules
from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.infrastructure.report_files import write_reports
from sagaledger.projections import Projector, reports

__all__ = ["watched_place"]


def watched_place(folder: DataFolder, projector: Projector) -> WatchedPlace:
    """The rules file, the disk and the report files of a data folder."""
    return WatchedPlace(
        rules=lambda: read_alert_rules(folder.alert_rules),
        free_share=folder.free_share,
        write_reports=lambda: write_reports(folder.reports, reports(projector)),
    )
