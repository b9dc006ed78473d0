"""The nine steps, put together."""

from __future__ import annotations

from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.application.ingestion.steps.finalize import FinalizeStep
from sagaledger.application.ingestion.steps.index import (
    GraphStep,
    RelationalStep,
    StoreUndo,
    VectorStep,
)
from sagaledger.application.ingestion.steps.secure import SecureStep
from sagaledger.application.ingestion.steps.start import StartStep
from sagaledger.application.ingestion.steps.upload import UploadStep
from sagaledger.application.ingestion.steps.upload_undo import UploadUndo
from sagaledger.application.ingestion.steps.validate import ValidateStep
from sagaledger.application.ingestion.steps.verify import VerifyStep
from sagaledger.domain.saga.definition import SagaDefinition, SagaStep
from sagaledger.domain.values import Parameters

__all__ = ["INGESTION", "INGESTION_VERSION", "build_ingestion_definition"]

INGESTION = "streaming-upload"
INGESTION_VERSION = 1


def build_ingestion_definition(
    services: IngestionServices, parameters: Parameters
) -> SagaDefinition:
    """The streaming upload, with the retries that the saga was started with."""
    kept = IngestionParameters.from_stored(parameters)
    undo_retry, store_retry = kept.compensation_retry, kept.store_retry
    start, secure, undo_upload = StartStep(services), SecureStep(services), UploadUndo(services)
    undo_vectors = StoreUndo(services.vectors)
    undo_graph = StoreUndo(services.graph)
    undo_rows = StoreUndo(services.relational)
    steps = [
        SagaStep("validate", ValidateStep(services)),
        SagaStep("start", start, start.abandon, start.residue, store_retry, undo_retry),
        SagaStep(
            "upload",
            UploadStep(services),
            undo_upload,
            undo_upload.residue,
            kept.upload_retry,
            undo_retry,
        ),
        SagaStep("verify", VerifyStep(services), retry=store_retry),
        SagaStep("secure", secure, secure.remove, secure.residue, store_retry, undo_retry),
        SagaStep(
            "vector",
            VectorStep(services),
            undo_vectors,
            undo_vectors.residue,
            store_retry,
            undo_retry,
        ),
        SagaStep(
            "graph", GraphStep(services), undo_graph, undo_graph.residue, store_retry, undo_retry
        ),
        SagaStep(
            "relational",
            RelationalStep(services),
            undo_rows,
            undo_rows.residue,
            store_retry,
            undo_retry,
        ),
        SagaStep("finalize", FinalizeStep(services), retry=store_retry),
    ]
    return SagaDefinition(INGESTION, steps, INGESTION_VERSION, pivot="finalize")
