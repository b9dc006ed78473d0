"""Damage to what is stored already: chunks on the disk, and a digest in the log."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import EventRun
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.upload.events import UploadCompleted
from sagaledger.domain.upload.stored_chunk import StoredChunk
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore

__all__ = [
    "CorruptingChunks",
    "WrongDigestLog",
    "blank",
    "exchange",
    "flip",
    "lose",
    "misplace",
    "shorten",
]


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
