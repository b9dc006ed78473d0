"""Step 9, finalize: the commit is decided in the log, then readers see the document."""

from __future__ import annotations

from dataclasses import dataclass

from sagaledger.application.ingestion.document_facts import stage_fact
from sagaledger.application.ingestion.parameters import StoreList
from sagaledger.application.ingestion.services import IngestionServices, owner_of
from sagaledger.domain.document.events import DocumentCommitted
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.values import Parameters

__all__ = ["FinalizeStep"]


@dataclass(frozen=True, slots=True)
class FinalizeStep:
    """Changes `pending` to `committed`. Runs after `CommitDecided`, so it only goes forward."""

    services: IngestionServices

    def __call__(self, context: StepContext) -> Parameters:
        """Make the document visible.

        Raises:
            StorageBackendError: The store failed, or has lost the document.
        """
        owner = owner_of(context)
        if self.services.relational.commit(owner) != 1:
            raise StorageBackendError(
                self.services.relational.name, "commit", f"document {owner.document_id} is missing"
            )
        if StoreList.from_stored(context.parameters).version > 1:
            stage_fact(self.services.log, context, DocumentCommitted(owner.saga_id))
        return {"document_id": owner.document_id}
