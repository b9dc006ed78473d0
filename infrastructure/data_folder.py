"""The data folder: one place for every embedded store, with a mark that says what it is."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagaledger.infrastructure.disk import make_folder, write_file
from sagaledger.infrastructure.errors import (
    DataFolderError,
    DataFolderMissingError,
    DiskNearlyFullError,
)
from sagaledger.infrastructure.made_with import MadeWith

__all__ = ["CONFIG_NAME", "EMBEDDED_FORMAT", "FORMAT", "MARK_NAME", "DataFolder"]

EMBEDDED_FORMAT = 1
"""The format of a folder with the embedded stores at their own places."""
FORMAT = 2
"""The newest format: a folder with other stores, which an older version must not open."""
CONFIG_NAME = "sagaledger.toml"
"""The configuration that a data folder brings along; there need not be any."""
MARK_NAME = "sagaledger.json"
_FULL_BELOW_BYTES = 2 * 1024 * 1024
"""With less free than this the engines cannot even open their files."""
_SCARCE_BELOW_BYTES = 32 * 1024 * 1024
"""With less free than this no document can be brought to its end."""
_ADVICE = {
    errno.EACCES: "; check who owns it, and its permissions",
    errno.EPERM: "; check who owns it, and its permissions",
    errno.ENOSPC: "; free some space on its disk",
    errno.EROFS: "; its disk is mounted read-only",
}


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where each store of a data folder lies."""

    root: Path

    @classmethod
    def open(
        cls, path: Path, made_with: MadeWith | None = None, format_number: int = EMBEDDED_FORMAT
    ) -> DataFolder:
        """Use a folder; create it and mark it with its stores if it is new.

        On a full disk the ballast file is deleted first, so that items can be read and removed.

        Raises:
            DataFolderError: it is not a folder, not ours, not writable, or of a newer version.
        """
        root = path.expanduser().absolute()
        folder = cls(root)
        try:
            make_folder(root)
            if not (root / MARK_NAME).exists():
                _mark(root, made_with, format_number)
            number = _format_of(path, (root / MARK_NAME).read_bytes())
        except (FileExistsError, NotADirectoryError) as error:
            raise DataFolderError(str(path), "is a file, not a folder") from error
        except OSError as error:
            detail = f"cannot be used: {error.strerror}{_ADVICE.get(error.errno or 0, '')}"
            raise DataFolderError(str(path), detail) from error
        if number > FORMAT:
            detail = f"has format {number}, written by a newer version; upgrade sagaledger"
            raise DataFolderError(str(path), detail)
        folder._check_access(path)
        if cls.is_full(root):
            folder.reserve.unlink(missing_ok=True)
        return folder

    @staticmethod
    def require(path: Path) -> None:
        """Require an existing data folder: only an ingestion creates one.

        Raises:
            DataFolderMissingError: The folder does not exist.
        """
        if not DataFolder.is_made(path):
            raise DataFolderMissingError(str(path))

    @staticmethod
    def is_made(path: Path) -> bool:
        """Whether the path holds something in addition to a configuration."""
        root = path.expanduser().absolute()
        try:
            return bool(_entries(root)) if root.is_dir() else root.exists()
        except OSError:
            # Opening the folder reports the problem.
            return True

    @staticmethod
    def made_with(path: Path) -> MadeWith | None:
        """The stores and embedder of a folder; None if it does not exist or its mark has none."""
        # Opening the folder reports a damaged mark.
        with suppress(OSError, ValueError):
            return MadeWith.from_mark(json.loads((path.expanduser() / MARK_NAME).read_bytes()))
        return None

    def remember(self, made_with: MadeWith, format_number: int) -> None:
        """Record the stores and the embedder of the folder, durably.

        Raises:
            DataFolderError: the mark cannot be written.
        """
        try:
            write_file(self.root / MARK_NAME, made_with.to_mark(format_number))
        except OSError as error:
            detail = f"its {MARK_NAME} cannot be written: {error.strerror}"
            raise DataFolderError(str(self.root), detail) from error

    def require_whole(self, parts: Iterable[Path] | None = None) -> None:
        """Require that a folder that was complete once still has all its stores.

        Args:
            parts: the files and folders of its stores; those of the embedded ones by default.

        Raises:
            DataFolderError: A store is missing or empty.
        """
        # The leases file is created last: if it exists, the folder was complete.
        if not _holds_something(self.leases_db):
            return
        for part in (*self._files, *self._folders) if parts is None else parts:
            if not part.is_dir() and not _holds_something(part):
                detail = f"{part.name} is missing or empty; restore it from a backup"
                raise DataFolderError(str(self.root), detail)

    @staticmethod
    def is_full(path: Path) -> bool:
        """Whether the folder's disk is full."""
        return _has_less_than(_FULL_BELOW_BYTES, path)

    def free_share(self) -> float | None:
        """The share of the folder's disk that this user can fill; None if it is unknown."""
        try:
            disk = os.statvfs(self.root)
        except OSError:
            return None
        return disk.f_bavail / disk.f_blocks if disk.f_blocks else None

    @staticmethod
    def require_room(path: Path) -> None:
        """Require free space for a document, or at least for the ballast that its undo may need.

        Raises:
            DiskNearlyFullError: the disk is nearly full.
        """
        root = path.expanduser().absolute()
        if not DataFolder(root).reserve.exists() and _has_less_than(_SCARCE_BELOW_BYTES, root):
            raise DiskNearlyFullError(str(path))

    @property
    def events_db(self) -> Path:
        """The event log: the source of truth for everything except chunks and rows."""
        return self.root / "events.db"

    @property
    def projections_db(self) -> Path:
        """The read models. The file may be deleted at any time."""
        return self.root / "projections.db"

    @property
    def leases_db(self) -> Path:
        """The leases of sagas."""
        return self.root / "leases.db"

    @property
    def workers(self) -> Path:
        """One locked file for each living worker."""
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
    def alert_rules(self) -> Path:
        """The changes to the default alert rules. The file is optional."""
        return self.root / "alerts.toml"

    @property
    def reports(self) -> Path:
        """Reports on unresolved failures, as JSON. The folder may be deleted at any time."""
        return self.root / "reports"

    @property
    def reserve(self) -> Path:
        """The ballast file: disk space for the events of a rollback."""
        return self.root / "reserve.bin"

    def _check_access(self, path: Path) -> None:
        for part in (self.root, *self._folders, *self._files, self.projections_db, self.leases_db):
            needed = os.W_OK | (os.X_OK if part.is_dir() else os.R_OK)
            if part.exists() and not os.access(part, needed):
                name = "" if part == self.root else f"{part.name} "
                detail = f"{name}cannot be written to; check who owns it, and its permissions"
                raise DataFolderError(str(path), detail)

    @property
    def _files(self) -> tuple[Path, ...]:
        return (self.events_db, self.vectors_db, self.graph_db, self.relational_db)

    @property
    def _folders(self) -> tuple[Path, ...]:
        return (self.chunks, self.manifests, self.keys)


def _has_less_than(size_bytes: int, folder: Path) -> bool:
    try:
        disk = os.statvfs(folder.expanduser())
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < size_bytes


def _format_of(path: Path, mark: bytes) -> int:
    number: Any = None
    with suppress(ValueError, KeyError, TypeError):
        facts = json.loads(mark)
        MadeWith.from_mark(facts)
        number = facts["format"]
    if type(number) is not int or number < 1:
        raise DataFolderError(str(path), f"its {MARK_NAME} is damaged; restore it from a backup")
    return number


def _mark(root: Path, made_with: MadeWith | None, format_number: int) -> None:
    strangers = _entries(root)
    if strangers and MARK_NAME not in strangers:
        detail = f"holds other files ({strangers[0]}, …); give an empty or a new folder"
        raise DataFolderError(str(root), detail)
    plain = json.dumps({"format": format_number}).encode() + b"\n"
    write_file(root / MARK_NAME, made_with.to_mark(format_number) if made_with else plain)


def _entries(root: Path) -> list[str]:
    """The contents of a folder without the configuration, which may exist before."""
    return sorted(
        entry.name
        for entry in root.iterdir()
        if not entry.name.startswith(".") and entry.name != CONFIG_NAME
    )


def _holds_something(file: Path) -> bool:
    # A new database may exist only in its write-ahead log.
    parts = (Path(f"{file}{suffix}") for suffix in ("", "-wal", ".wal"))
    return any(part.is_file() and part.stat().st_size > 0 for part in parts)
