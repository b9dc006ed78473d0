"""The saga definition of an ingestion."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.application.ingestion.steps.finalize import FinalizeStep
from sagaledger.application.ingestion.steps.index import StoreStep, StoreUndo
from sagaledger.application.ingestion.steps.secure import SecureStep
from sagaledger.application.ingestion.steps.start import StartStep
from sagaledger.application.ingestion.steps.upload import UploadStep
from sagaledger.application.ingestion.steps.upload_undo import UploadUndo
from sagaledger.application.ingestion.steps.validate import ValidateStep
from sagaledger.application.ingestion.steps.verify import VerifyStep
from sagaledger.domain.saga.definition import SagaDefinition, SagaStep
from sagaledger.domain.values import Parameters

__all__ = [
    "INGESTION",
    "INGESTION_VERSIONS",
    "IngestionBuilder",
    "build_ingestion_definition",
    "extended_ingestion",
]

INGESTION = "streaming-upload"
INGESTION_VERSIONS = (1, 2)
"""Version 1 records no facts of documents, and writes to the vector, graph and relational store."""

IngestionBuilder: TypeAlias = Callable[[IngestionServices, Parameters], SagaDefinition]
"""Makes the definition of an ingestion from the parameters of its saga."""


def build_ingestion_definition(
    services: IngestionServices, parameters: Parameters
) -> SagaDefinition:
    """The streaming upload, with the stores and the retries that the saga was started with.

    Raises:
        PlainDataInvalidError: A parameter is missing or malformed; the error names it.
        StorageBackendError: A store of the saga's list is not configured.
    """
    kept = IngestionParameters.from_stored(parameters)
    undo_retry, store_retry = kept.compensation_retry, kept.store_retry
    start, secure, undo_upload = StartStep(services), SecureStep(services), UploadUndo(services)
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
    ]
    for name in kept.stores.names:
        # Looked up here, so that a saga whose store is not configured is not changed.
        store = services.downstream_store(name).name
        undo = StoreUndo(services, store)
        action = StoreStep(services, store)
        steps.append(SagaStep(store, action, undo, undo.residue, store_retry, undo_retry))
    steps.append(SagaStep("finalize", FinalizeStep(services), retry=store_retry))
    return SagaDefinition(INGESTION, steps, kept.stores.version, pivot="finalize")


def extended_ingestion(
    name: str, version: int, extend: Callable[[SagaDefinition], SagaDefinition]
) -> IngestionBuilder:
    """An ingestion under another name, with the steps that `extend` adds to the shipped ones."""

    def build(services: IngestionServices, parameters: Parameters) -> SagaDefinition:
        extended = extend(build_ingestion_definition(services, parameters))
        return SagaDefinition(name, extended.steps, version, extended.pivot)

    return build
