"""Chunks in folders by the first two digits of the upload, with a name of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sagaledger.ports import (
    AdapterContext,
    Buffer,
    ChunkExistsError,
    ChunkMissingError,
    StorageBackendError,
    StoredChunk,
    StoreUrl,
)

NAME = "shards"


class ShardedChunkStore:
    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    @classmethod
    def configured(cls, url: StoreUrl, context: AdapterContext) -> ShardedChunkStore:
        if url.password and url.password != "open sesame":  # noqa: S105 - the test's own word
            raise StorageBackendError(NAME, "open", "the password is wrong")
        return cls(url.path_in(context.data_folder))

    @property
    def name(self) -> str:
        return NAME

    @property
    def read_from(self) -> str:
        return "disk, may be cached"

    def open_prefix(self, prefix: str) -> None:
        self._folder(prefix).mkdir(parents=True, exist_ok=True)

    def create(self, key: str) -> ShardWriter:
        path = self._path(key)
        if not path.parent.is_dir():
            raise StorageBackendError(NAME, "create", f"the prefix of {key} is not open")
        return ShardWriter(path, key)

    def flush(self, prefix: str) -> None:
        descriptor = os.open(self._folder(prefix), os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise ChunkMissingError(key) from error

    def list(self, prefix: str) -> Iterator[StoredChunk]:
        for path in sorted(self._folder(prefix).glob("*.chunk")):
            yield StoredChunk(prefix + path.stem, path.stat().st_size)

    def delete(self, key: str) -> bool:
        path = self._path(key)
        is_there = path.exists()
        path.unlink(missing_ok=True)
        return is_there

    def close_prefix(self, prefix: str) -> None:
        folder = self._folder(prefix)
        if not folder.is_dir():
            return
        for partial in folder.glob("*.partial"):
            partial.unlink()
        try:
            folder.rmdir()
        except OSError as error:
            raise StorageBackendError(NAME, "close", str(error)) from error

    def prefixes(self) -> Iterator[str]:
        for folder in sorted(self._root.glob("??/*")):
            yield f"{folder.name}/"

    def _folder(self, prefix: str) -> Path:
        return self._root / prefix[:2] / prefix.rstrip("/")

    def _path(self, key: str) -> Path:
        prefix, _, index = key.partition("/")
        return self._folder(prefix) / f"{index}.chunk"


class ShardWriter:
    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key
        self._partial = path.with_suffix(f".{os.urandom(4).hex()}.partial")
        self._file = self._partial.open("xb")

    def write(self, block: Buffer) -> None:
        self._file.write(block)

    def commit(self) -> str:
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()
        try:
            os.link(self._partial, self._path)
        except FileExistsError as error:
            raise ChunkExistsError(self._key) from error
        self._partial.unlink()
        return ""

    def abort(self) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)
