"""The identity of a source file and of an upload."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

__all__ = ["SourceFingerprint", "upload_id_of", "upload_prefix_of"]


@dataclass(frozen=True, slots=True)
class SourceFingerprint:
    """Identifies one state of a source file without reading it."""

    size_bytes: int
    modified_ns: int
    inode: int
    device: int

    def difference(self, other: SourceFingerprint) -> str:
        """The fields that differ, as `name expected→actual`, or an empty string."""
        names = ("size_bytes", "modified_ns", "inode", "device")
        return ", ".join(
            f"{name} {getattr(self, name)}→{getattr(other, name)}"
            for name in names
            if getattr(self, name) != getattr(other, name)
        )


def upload_id_of(saga_id: UUID) -> UUID:
    """The id of a saga's only upload. It can be computed without reading either stream."""
    return uuid5(saga_id, "upload")


def upload_prefix_of(upload_id: UUID) -> str:
    """The key prefix of an upload: it contains every chunk of the upload and nothing else."""
    return f"{upload_id.hex}/"
