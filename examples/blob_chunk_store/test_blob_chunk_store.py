"""The store keeps what every chunk store promises, and its own promise of few files."""

from __future__ import annotations

from pathlib import Path

from blob_chunk_store import BlobChunkStore
from sagaledger.ports import ChunkStore
from sagaledger.testing import ChunkStoreContract

PREFIX = "0" * 31 + "1/"


class TestBlobChunkStore(ChunkStoreContract):
    def open_store(self, folder: Path) -> ChunkStore:
        return BlobChunkStore(folder / "chunks")


def test_chunks_of_an_upload_lie_in_one_file(tmp_path: Path) -> None:
    store = BlobChunkStore(tmp_path)
    store.open_prefix(PREFIX)

    for number in range(20):
        writer = store.create(f"{PREFIX}{number:08}")
        writer.write(b"some bytes")
        writer.commit()

    assert [path.name for path in tmp_path.iterdir()] == ["0" * 31 + "1.blobs"]


def test_file_whose_maker_died_before_it_had_a_table_is_an_empty_upload(tmp_path: Path) -> None:
    store = BlobChunkStore(tmp_path)
    store.open_prefix(PREFIX)
    (tmp_path / f"{PREFIX[:-1]}.blobs").write_bytes(b"")

    assert list(store.list(PREFIX)) == []
    assert store.delete(f"{PREFIX}00000000") is False
    store.close_prefix(PREFIX)
    assert list(store.prefixes()) == []
