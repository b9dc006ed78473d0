"""Makes `data.tar.xz`: a data folder as version 0.1.0 leaves it. Run it with that version only.

    python make.py data.tar.xz

It was run once with sagaledger 0.1.0 and is kept to say what the folder holds; every later version
has to open that very folder, so it is never made again.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import sys
import tarfile
from collections.abc import Callable
from importlib.metadata import version
from itertools import count
from pathlib import Path
from uuid import UUID

from sagaledger import Ledger, StreamingSagaConfig, open_ledger

PLACE = Path("/srv/sagaledger-0.1.0")
CONFIG = StreamingSagaConfig(chunk_size_bytes=16 * 1024, writer_threads=1)
NAMES = ("kept", "large", "deleted", "rolled back", "verified", "uploading")
SAGAS = {name: UUID(hex=str(number) * 32) for number, name in enumerate(NAMES, 1)}


def content(name: str, size_bytes: int) -> bytes:
    """Text that is the same each time, and of which the words are known."""
    chance = random.Random(name)  # noqa: S311 - The same each time.
    words = ["ledger", "saga", "chunk", "graph", "vector", "passage", "rollback", name]
    text = f"{name}: a file of sagaledger 0.1.0\n\n"
    while len(text) < size_bytes:
        text += " ".join(chance.choices(words, k=12)) + ".\n"
    return text[:size_bytes].encode()


def write_source(name: str, size_bytes: int) -> Path:
    """The file that a saga reads."""
    path = PLACE / "in" / f"{name.replace(' ', '-')}.txt"
    path.write_bytes(content(name, size_bytes))
    return path


def stop(*_: object) -> None:
    """End the process as a power switch would."""
    os._exit(0)


def ingest_until_stopped(name: str, path: Path, prepare: Callable[[Ledger], None]) -> None:
    """Ingest in a process of its own, which ends in the middle."""
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        return
    ledger = open_ledger(PLACE / "data", CONFIG)
    prepare(ledger)
    ledger.ingest(path, saga_id=SAGAS[name])
    os._exit(1)


def stop_at_vectors(ledger: Ledger) -> None:
    """The file is verified by then: a recovery needs its source no more."""
    ledger.services.vectors.upsert = stop  # type: ignore[method-assign,assignment]


def stop_at_fourth_chunk(ledger: Ledger) -> None:
    """A recovery without the source can only roll it back."""
    create, chunks = ledger.services.chunks.create, count(1)

    def counted(*arguments: object) -> object:
        return stop() if next(chunks) == 4 else create(*arguments)  # type: ignore[arg-type,func-returns-value]

    ledger.services.chunks.create = counted  # type: ignore[method-assign,assignment]


def make(target: Path) -> None:
    """Make the folder and pack it."""
    assert version("sagaledger") == "0.1.0"
    socket.gethostname = lambda: "writer"
    shutil.rmtree(PLACE, ignore_errors=True)
    (PLACE / "in").mkdir(parents=True)
    data = PLACE / "data"
    with open_ledger(data, CONFIG) as ledger:
        for name, size_bytes in (("kept", 3_000), ("large", 200 * 1024), ("deleted", 20_000)):
            result = ledger.ingest(write_source(name, size_bytes), saga_id=SAGAS[name])
            assert result.document is not None
            if name == "deleted":
                assert ledger.delete(result.document).success
        vectors = ledger.services.vectors
        upsert = vectors.upsert

        def refuse(*_: object) -> int:
            raise ValueError("refused")

        vectors.upsert = refuse  # type: ignore[method-assign]
        undone = ledger.ingest(write_source("rolled back", 40_000), saga_id=SAGAS["rolled back"])
        assert undone.saga is not None
        assert undone.saga.status == "compensated", undone.saga
        vectors.upsert = upsert  # type: ignore[method-assign]
        prefix = next(
            str(item.event.key_prefix)  # type: ignore[attr-defined]
            for item in ledger.log.read_log(0, 10_000)
            if getattr(item.event, "saga_id", "") == SAGAS["rolled back"].hex
            and hasattr(item.event, "key_prefix")
        )
    # What a late writer might have left after the rollback.
    orphan = data / "chunks" / prefix
    orphan.mkdir(parents=True)
    (orphan / "00000001").write_bytes(b"left")
    ingest_until_stopped("verified", write_source("verified", 30_000), stop_at_vectors)
    ingest_until_stopped("uploading", write_source("uploading", 100_000), stop_at_fourth_chunk)
    shutil.rmtree(data / "workers")
    (data / "workers").mkdir()
    (data / "reserve.bin").unlink()
    with tarfile.open(target, "w:xz") as archive:
        archive.add(data, "data")
    shutil.rmtree(PLACE)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
