"""The shipped saga definitions. Every process registers them, so that it can recover any saga."""

from __future__ import annotations

from sagaledger.application.documents.deletion import (
    DELETION,
    DELETION_VERSIONS,
    build_deletion_definition,
)
from sagaledger.application.engine.definitions import DefinitionRegistry
from sagaledger.application.ingestion.chunked_upload import (
    CHUNKED_UPLOAD,
    CHUNKED_UPLOAD_VERSION,
    DISCARD,
    DISCARD_VERSION,
    build_chunked_upload_definition,
    build_discard_definition,
)
from sagaledger.application.ingestion.definition import (
    INGESTION,
    INGESTION_VERSIONS,
    build_ingestion_definition,
)
from sagaledger.application.ingestion.services import IngestionServices

__all__ = ["standard_definitions"]


def standard_definitions(services: IngestionServices) -> DefinitionRegistry:
    """A registry of all shipped definitions. Their steps use these ports."""
    registry = DefinitionRegistry()
    for version in INGESTION_VERSIONS:
        registry.register_factory(
            INGESTION, version, lambda p: build_ingestion_definition(services, p)
        )
    for version in DELETION_VERSIONS:
        registry.register_factory(
            DELETION, version, lambda p: build_deletion_definition(services, p)
        )
    registry.register_factory(
        CHUNKED_UPLOAD,
        CHUNKED_UPLOAD_VERSION,
        lambda p: build_chunked_upload_definition(services, p),
    )
    registry.register_factory(
        DISCARD, DISCARD_VERSION, lambda _: build_discard_definition(services)
    )
    return registry
