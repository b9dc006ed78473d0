"""Step 5, secure: the document gets its id and a signed manifest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sagaledger.application.ingestion.document_facts import known_document, stage_fact
from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.services import (
    IngestionServices,
    owner_of,
    verified_upload,
)
from sagaledger.domain.document.events import DocumentSecured, DocumentWithdrawn
from sagaledger.domain.document.manifest import Manifest, SignedManifest, signed_at_text
from sagaledger.domain.document.values import content_id_of
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.values import Parameters

__all__ = ["SecureStep", "source_name"]


@dataclass(frozen=True, slots=True)
class SecureStep:
    """Writes the manifest of the document, and signs it."""

    services: IngestionServices

    def __call__(self, context: StepContext) -> Parameters:
        """Store the signed manifest.

        Raises:
            StorageBackendError: The manifest cannot be stored.
        """
        upload = verified_upload(self.services, context)
        parameters = IngestionParameters.from_stored(context.parameters)
        owner = owner_of(context)
        manifest = Manifest(
            document_id=owner.document_id,
            content_id=content_id_of(parameters.namespace, upload.sha256),
            saga_id=owner.saga_id,
            source_name=source_name(parameters.shown_source),
            size_bytes=upload.layout.size_bytes,
            sha256=upload.sha256.hex(),
            chunk_count=upload.layout.count,
            chunk_size_bytes=upload.layout.chunk_size_bytes,
            chunk_list_root=upload.chunk_list_root.hex(),
            classification=parameters.classification,
            signed_at=signed_at_text(self.services.clock.now_us()),
        ).to_bytes()
        signer = self.services.signer
        signed = SignedManifest(manifest, signer.sign(manifest), signer.public_key, signer.key_id)
        self.services.manifests.put(owner, signed.to_bytes(), context.checkpoint)
        secured = DocumentSecured(
            saga_id=owner.saga_id,
            document_id=owner.document_id,
            namespace=parameters.namespace,
            content_id=content_id_of(parameters.namespace, upload.sha256),
            sha256=upload.sha256,
            classification=parameters.classification.value,
            key_id=signer.key_id,
        )
        if parameters.stores.version > 1:
            stage_fact(self.services.log, context, secured)
        return {
            "document_id": secured.document_id,
            "content_id": secured.content_id,
            "classification": secured.classification,
            "key_id": secured.key_id,
        }

    def remove(self, context: StepContext) -> int:
        """Remove the manifest."""
        return int(self.services.manifests.delete(owner_of(context)))

    def residue(self, context: StepContext) -> Iterable[Residue]:
        """The manifest, if it still exists.

        Without a manifest, a secured document is recorded as withdrawn. The probe stages that fact,
        not the undo, because the probe decides the rollback even if the undo has raised.
        """
        services, owner = self.services, owner_of(context)
        count = services.manifests.count(owner)
        if count:
            yield Residue(services.manifests.name, owner.document_id, count)
        elif known_document(services.log, context.saga_id).recorded:
            withdrawn = DocumentWithdrawn(owner.saga_id)
            stage_fact(services.log, context, withdrawn, even_on_failure=True)


def source_name(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("/").rpartition("/")[2] or path
