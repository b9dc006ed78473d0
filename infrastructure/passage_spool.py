"""Keeps passages between the steps of one worker, in anonymous temporary files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import IO
from uuid import UUID

import msgpack
from sagaledger.domain.document.records import Passage
from sagaledger.domain.errors import StorageBackendError

__all__ = ["TemporaryFilePassageSpool"]


class TemporaryFilePassageSpool:
    """One anonymous file per saga; the system removes it when the process ends, even by a crash."""

    def __init__(self) -> None:
        self._files: dict[UUID, IO[bytes]] = {}
        self._lock = Lock()

    def store(self, saga_id: UUID, passages: Iterable[Passage]) -> int:
        """Store the passages in order. Returns the number of passages."""
        self.discard(saga_id)
        file = tempfile.TemporaryFile()  # noqa: SIM115 - it outlives this call
        try:
            count = 0
            for passage in passages:
                record = (passage.number, passage.page, passage.text)
                file.write(msgpack.packb(record, unicode_errors="surrogatepass"))
                count += 1
            file.flush()
        except OSError as error:
            file.close()
            raise StorageBackendError("passage spool", "write", str(error)) from error
        except BaseException:
            file.close()
            raise
        with self._lock:
            self._files[saga_id] = file
        return count

    def read(self, saga_id: UUID) -> Iterator[Passage] | None:
        """The stored passages of a saga, or None if this worker has none."""
        with self._lock:
            file = self._files.get(saga_id)
        return None if file is None else _passages(file)

    def discard(self, saga_id: UUID) -> None:
        """Delete the saga's passages. Idempotent."""
        with self._lock:
            file = self._files.pop(saga_id, None)
        if file is not None:
            file.close()


def _passages(file: IO[bytes]) -> Iterator[Passage]:
    file.seek(0)
    for number, page, text in msgpack.Unpacker(file, unicode_errors="surrogatepass"):
        yield Passage(number, page, text)
