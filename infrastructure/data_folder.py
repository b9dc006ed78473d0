"""The data folder: one place for every embedded store, with a mark that says what it is."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from sagaledger.domain.errors import DataFolderError
from sagaledger.infrastructure.disk import make_folder, write_file

__all__ = ["FORMAT", "DataFolder"]

FORMAT = 1
_MARK = "sagaledger.json"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where each store of a data folder lies."""

    root: Path

    @classmethod
    def open(cls, path: Path) -> DataFolder:
        """Use a folder, made and marked where it is new.

        Raises:
            DataFolderError: it is not a folder, not ours, not writable, or of a newer version.
        """
        root = path.expanduser().absolute()
        try:
            make_folder(root)
            if not (root / _MARK).exists():
                _mark(root)
            mark = json.loads((root / _MARK).read_bytes())
            number = mark["format"]
        except FileExistsError as error:
            raise DataFolderError(str(path), "is a file, not a folder") from error
        except OSError as error:
            raise DataFolderError(str(path), f"cannot be used: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise DataFolderError(str(path), f"its {_MARK} is damaged: {error}") from error
        if not isinstance(number, int) or number > FORMAT:
            detail = f"has format {number}, written by a newer version; upgrade sagaledger"
            raise DataFolderError(str(path), detail)
        if not os.access(root, os.W_OK | os.X_OK):
            raise DataFolderError(str(path), "cannot be written to; check its permissions")
        return cls(root)

    @property
    def events_db(self) -> Path:
        """The event log: the truth. All else but the chunks and rows derives from it."""
        return self.root / "events.db"

    @property
    def projections_db(self) -> Path:
        """Read models; may be deleted at any time."""
        return self.root / "projections.db"

    @property
    def leases_db(self) -> Path:
        """Who drives which saga."""
        return self.root / "leases.db"

    @property
    def workers(self) -> Path:
        """One locked file per living worker."""
        return self.root / "workers"

    @property
    def chunks(self) -> Path:
        """The chunk store."""
        return self.root / "chunks"

    @property
    def vectors_db(self) -> Path:
        """The vector store."""
        return self.root / "vectors.db"

    @property
    def graph_db(self) -> Path:
        """The graph store."""
        return self.root / "graph.lbug"

    @property
    def relational_db(self) -> Path:
        """The relational store."""
        return self.root / "documents.db"

    @property
    def manifests(self) -> Path:
        """The signed manifests."""
        return self.root / "manifests"

    @property
    def keys(self) -> Path:
        """The signing key."""
        return self.root / "keys"

    @property
    def reserve(self) -> Path:
        """Disk space kept for the events of a rollback."""
        return self.root / "reserve.bin"


def _mark(root: Path) -> None:
    strangers = [entry.name for entry in root.iterdir() if not entry.name.startswith(".")]
    if strangers and _MARK not in strangers:
        detail = f"holds other files ({strangers[0]}, …); give an empty or a new folder"
        raise DataFolderError(str(root), detail)
    write_file(root / _MARK, json.dumps({"format": FORMAT}).encode() + b"\n")
