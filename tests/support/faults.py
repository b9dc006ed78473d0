"""Faults in front of real adapters: a port is wrapped from outside, nothing of ours is patched."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from sagaledger.domain.errors import StorageBackendError, StorageFullError
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import EventRun
from sagaledger.domain.ports.chunk_store import ChunkWriter
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.upload.events import UploadCompleted
from sagaledger.domain.upload.stored_chunk import StoredChunk
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore
from sagaledger.interface.library.ledger import Ledger

__all__ = [
    "CorruptingChunks",
    "Fault",
    "FaultyChunks",
    "WrongDigestLog",
    "blank",
    "break_port",
    "exchange",
    "flip",
    "forget_what_is_written",
    "lose",
    "misplace",
    "shorten",
]


@dataclass(slots=True)
class Fault:
    """What happens to the calls of one method of a port."""

    error: BaseException
    times: float = float("inf")
    """How many calls fail."""
    after: bool = False
    """Whether the call has its effect before it fails."""
    also: Callable[[], object] = lambda: None
    """What else happens then."""
    seen: int = field(default=0, init=False)


class _Broken:
    def __init__(self, inner: object, faults: dict[str, Fault]) -> None:
        self._inner = inner
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        fault = self._faults.get(name)
        if fault is None:
            return method

        def call(*arguments: Any) -> Any:
            fault.seen += 1
            if fault.seen > fault.times:
                return method(*arguments)
            if fault.after:
                method(*arguments)
            fault.also()
            raise fault.error

        return call


def break_port(ledger: Ledger, port: str, **faults: Fault) -> None:
    """Put faults in front of methods of one of the ledger's ports."""
    services = cast("Any", ledger.services)
    setattr(services, port, _Broken(getattr(services, port), faults))


class _Forgetful:
    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def upsert(self, *arguments: Any) -> int:
        inner: Any = self._inner
        stored: int = inner.upsert(*arguments)
        owner = getattr(arguments[0], "owner", arguments[0])
        inner.delete(owner)
        return stored


def forget_what_is_written(ledger: Ledger, port: str) -> None:
    """Make a store say yes to every upsert and keep nothing."""
    services = cast("Any", ledger.services)
    setattr(services, port, _Forgetful(getattr(services, port)))


class _Uncommitted:
    """A chunk that takes all its bytes and then cannot be committed."""

    def __init__(self, writer: ChunkWriter) -> None:
        self.write = writer.write
        self.abort = writer.abort

    def commit(self) -> str:
        raise StorageBackendError("chunks", "commit", "injected")


class FaultyChunks(LocalFolderChunkStore):
    """The real chunk store, some of whose chunks cannot be made, removed or listed."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.fail_creates: set[int] = set()
        self.fail_deletes: set[int] = set()
        self.fail_lists = False
        self.full = False
        self.fail_commits = False
        self.creates = 0

    def create(self, key: str) -> ChunkWriter:  # type: ignore[override]  # A port's writer will do.
        self.creates += 1
        if self.full:
            raise StorageFullError("chunks", "write", "No space left on device")
        if self.creates in self.fail_creates:
            raise StorageBackendError("chunks", "create", "injected")
        writer = super().create(key)
        return _Uncommitted(writer) if self.fail_commits else writer

    def delete(self, key: str) -> bool:
        if int(key.rpartition("/")[2]) in self.fail_deletes:
            raise StorageBackendError("chunks", "delete", "injected")
        return super().delete(key)

    def list(self, prefix: str) -> Iterator[StoredChunk]:
        if self.fail_lists:
            raise StorageBackendError("chunks", "list", "injected")
        return super().list(prefix)


class CorruptingChunks(LocalFolderChunkStore):
    """The real chunk store, one chunk of which is damaged once a number of them is there."""

    def __init__(self, root: Path, damage: Callable[[Path], object], chunk_count: int) -> None:
        super().__init__(root)
        self._damage = damage
        self._chunk_count = chunk_count
        self._root_path = root
        self._done = False

    def list(self, prefix: str) -> Iterator[StoredChunk]:
        if not self._done and len(list(super().list(prefix))) == self._chunk_count:
            self._done = True
            self._damage(self._root_path / prefix / "00000003")
        return super().list(prefix)


def lose(chunk: Path) -> None:
    """The chunk is gone."""
    chunk.unlink()


def shorten(chunk: Path) -> None:
    """The chunk's last byte is gone."""
    os.truncate(chunk, chunk.stat().st_size - 1)


def flip(chunk: Path) -> None:
    """A bit of the chunk is another one."""
    content = bytearray(chunk.read_bytes())
    content[100] ^= 1
    chunk.write_bytes(content)


def blank(chunk: Path) -> None:
    """The chunk has its length, and nothing but zeros in it."""
    chunk.write_bytes(bytes(chunk.stat().st_size))


def exchange(chunk: Path) -> None:
    """The chunk and its neighbour stand in each other's place."""
    neighbour = chunk.with_name(f"{int(chunk.name) + 1:08d}")
    aside = chunk.with_name("aside")
    chunk.rename(aside)
    neighbour.rename(chunk)
    aside.rename(neighbour)


def misplace(chunk: Path) -> None:
    """The chunk is stored under a key that nobody gave it."""
    chunk.rename(chunk.with_name("00000099"))


class WrongDigestLog:
    """The real log, but a completed upload's digest of the whole file is another one."""

    def __init__(self, log: EventStore) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def read_stream(self, *arguments: Any) -> Iterator[EventRun]:
        for kind, events in self._log.read_stream(*arguments):
            yield kind, [_with_wrong_digest(item) for item in events]


def _with_wrong_digest(recorded: RecordedEvent) -> RecordedEvent:
    if not isinstance(recorded.event, UploadCompleted):
        return recorded
    return recorded._replace(event=replace(recorded.event, sha256=bytes(32)))
