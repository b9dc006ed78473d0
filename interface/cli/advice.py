"""Advice at the command line: the command or option that helps with an error.

Errors describe the problem for every interface; only this module knows the commands.
"""

from __future__ import annotations

from pathlib import Path

from sagaledger.application.engine.recovery import RecoveryReport
from sagaledger.application.engine.saga_repository import load_saga
from sagaledger.domain.errors import NotFoundError, SagaledgerError, StorageBackendError
from sagaledger.domain.housekeeping.errors import OrphanAdoptedError
from sagaledger.domain.saga.errors import DefinitionUnknownError
from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.infrastructure.errors import DataFolderMissingError, DiskNearlyFullError
from sagaledger.interface.library.ledger import Ledger
from sagaledger.projections.errors import QueryRefusedError

__all__ = ["advice_on", "advice_on_recovery"]

_LISTED_BY = {
    "document": "sagaledger list",
    "orphan": "sagaledger orphans",
    "alert": "sagaledger alerts",
}
_NAME_THE_APP = "name the app that registers it: `sagaledger --app MODULE:ATTRIBUTE …`"


def advice_on(error: Exception, data: Path) -> str:
    """The advice that follows an error message; empty if there is none."""
    match error:
        case NotFoundError():
            return f"; see `{_LISTED_BY.get(error.kind, 'sagaledger list --all')}`"
        case OrphanAdoptedError():
            return f"; `sagaledger orphans retry {error.orphan_id} --reason …` makes it open again"
        case DefinitionUnknownError():
            return f"; {_NAME_THE_APP}"
        case DataFolderMissingError():
            return "; `sagaledger ingest` creates one, --data selects another"
        case DiskNearlyFullError():
            return "; free some space, or `sagaledger delete` documents"
        case QueryRefusedError():
            return "; see docs/projections.md"
        case StorageBackendError() if DataFolder.is_full(data):
            return f"; the disk of {data} is full: free some space and try again"
        case _:
            return ""


def advice_on_recovery(ledger: Ledger, report: RecoveryReport) -> str:
    """The advice about sagas that were not recovered; empty if there is none."""
    for saga_id in report.failed:
        try:
            saga = load_saga(ledger.log, saga_id)
            ledger.definitions.definition_of(saga)
        except DefinitionUnknownError as error:
            return f"{error}; {_NAME_THE_APP}"
        except SagaledgerError:
            # The report already shows the problem of this saga.
            continue
    return ""
