"""The errors of the adapters' files."""

from __future__ import annotations

from sagaledger.domain.errors import SagaledgerError

__all__ = [
    "DataFolderError",
    "DataFolderMissingError",
    "DatabaseCorruptError",
    "DiskNearlyFullError",
]


class DatabaseCorruptError(SagaledgerError):
    """A database file of the data folder is damaged, or another program created it."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path} is damaged: {detail}; restore it from a backup")
        self.path = path


class DataFolderError(SagaledgerError):
    """The data folder cannot be used: missing permission, wrong version, not a folder."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"data folder {path}: {detail}")
        self.path = path


class DataFolderMissingError(DataFolderError):
    """There is no such data folder, and the work asked for does not make one."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "there is none")


class DiskNearlyFullError(DataFolderError):
    """The data folder's disk has no room for a document."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "its disk is nearly full")
