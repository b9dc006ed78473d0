"""Any bytes, cut into chunks of any size, come back as they were."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sagaledger.application.ingestion.services import known_upload
from sagaledger.application.ingestion.transfer.chunk_reader import ChunkReader
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.upload.events import ChunkWritten
from sagaledger.domain.upload.state import UploadStatus
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore
from sagaledger.interface.library.ledger import Ledger

from tests.support.ledgers import QUICK
from tests.support.memory_ledgers import memory_ledger

MAX_BYTES = 300_000
MAX_CHUNKS = 120


@dataclass(frozen=True)
class Cut:
    """A file's bytes, and how they are to be sent."""

    content: bytes
    config: StreamingSagaConfig

    def __repr__(self) -> str:
        settings_told = (self.config.chunk_size_bytes, self.config.compress)
        return f"Cut({len(self.content)} bytes, {self.content[:20]!r}, {settings_told})"

    @property
    def chunk_count(self) -> int:
        assert self.config.chunk_size_bytes is not None
        return -(-len(self.content) // self.config.chunk_size_bytes)


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Any bytes: a few of choice, or many that chance or repetition makes."""
    size = draw(st.integers(0, MAX_BYTES))
    kind = draw(st.sampled_from(["chosen", "text", "chance", "half and half"]))
    if kind == "chosen":
        return draw(st.binary(max_size=200))
    many = Random(draw(st.integers(0, 2**32))).randbytes(size)
    pattern = draw(st.binary(min_size=1, max_size=20))
    repeated = (pattern * (size // len(pattern) + 1))[:size]
    if kind == "half and half":
        return many[: size // 2] + repeated[size // 2 :]
    return repeated if kind == "text" else many


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    """Any content in chunks of any size that makes no more than a hundred or so."""
    content = draw(contents())
    least = max(1, -(-len(content) // MAX_CHUNKS))
    # Sizes that leave no rest, or one byte, are where a cut goes wrong.
    even = [n for n in (1, 2, 3) if len(content) // n >= least]
    near = [len(content) // n + rest for n in even for rest in (-1, 0, 1)]
    sizes = st.integers(least, 2 * max(len(content), 1)) | st.integers(least, least + 64)
    if near:
        sizes |= st.sampled_from(near).map(lambda size: max(size, least))
    config = replace(
        QUICK,
        chunk_size_bytes=draw(sizes),
        compress=draw(st.booleans()),
        writer_threads=draw(st.integers(1, 8)),
        again=True,
    )
    return Cut(content, config)


@pytest.fixture(scope="module", params=["memory", "local folder"])
def ledger(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ledger]:
    """One for all examples: what other documents there are must change nothing."""
    folder = tmp_path_factory.mktemp("chunks")
    chunks = LocalFolderChunkStore(folder) if request.param == "local folder" else None
    with memory_ledger(chunks) as opened:
        yield opened


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("source") / "file"


@given(cut=cuts())
@example(cut=Cut(b"", replace(QUICK, chunk_size_bytes=1, compress=True, again=True)))
@example(cut=Cut(b"a", replace(QUICK, chunk_size_bytes=1, compress=True, again=True)))
@example(
    # Chunks of more than one block, the last one of a single byte.
    cut=Cut(
        Random(0).randbytes(1_500_000) + bytes(1_500_001),
        replace(QUICK, chunk_size_bytes=1_500_000, compress=True, again=True),
    )
)
@settings(max_examples=50, deadline=None, database=None)
def test_file_cut_into_any_chunks_is_restored(ledger: Ledger, source: Path, cut: Cut) -> None:
    source.write_bytes(cut.content)

    result = ledger.ingest(source, cut.config)

    document = result.document
    assert document is not None
    assert b"".join(ledger.documents.content(document)) == cut.content
    assert document.sha256 == hashlib.sha256(cut.content).hexdigest()
    assert (document.size_bytes, document.chunk_count) == (len(cut.content), cut.chunk_count)
    assert ledger.documents.verify(document).holds
    assert source.read_bytes() == cut.content


@given(cut=cuts(), data=st.data())
@settings(max_examples=25, deadline=None, database=None)
def test_chunks_read_as_one_file_give_any_stretch_of_it(
    ledger: Ledger, source: Path, cut: Cut, data: st.DataObject
) -> None:
    source.write_bytes(cut.content)
    result = ledger.ingest(source, cut.config)
    assert result.saga is not None
    upload = known_upload(ledger.services, result.saga.saga_id)

    with ChunkReader(ledger.services.chunks, ledger.services.encoding, upload) as reader:
        assert reader.read() == cut.content
        for _ in range(3):
            start = data.draw(st.integers(0, len(cut.content) + 1))
            length = data.draw(st.integers(0, len(cut.content) + 1))
            reader.seek(start)
            assert _read(reader, length) == cut.content[start : start + length]


@given(cut=cuts())
@settings(max_examples=25, deadline=None, database=None)
def test_log_says_of_each_chunk_what_the_store_holds(
    ledger: Ledger, source: Path, cut: Cut
) -> None:
    source.write_bytes(cut.content)

    result = ledger.ingest(source, cut.config)

    assert result.saga is not None
    upload = known_upload(ledger.services, result.saga.saga_id)
    size = upload.layout.chunk_size_bytes
    plain = [cut.content[at : at + size] for at in range(0, len(cut.content), size)]
    listed = [chunk.stored_bytes for chunk in ledger.services.chunks.list(upload.key_prefix)]
    assert upload.status is UploadStatus.VERIFIED
    assert upload.chunks.digests() == [hashlib.sha256(chunk).digest() for chunk in plain]
    assert [chunk.stored_bytes for chunk in upload.chunks] == listed
    for chunk, content in zip(upload.chunks, plain, strict=True):
        assert chunk.encoding == "zstd" or chunk.stored_bytes == len(content)
        assert cut.config.compress or chunk.encoding == "raw"
    told = [item.event for item in events_of(ledger.log.read_stream(upload.id))]
    assert sum(isinstance(event, ChunkWritten) for event in told) == len(plain)


def _read(reader: ChunkReader, length: int) -> bytes:
    parts = []
    while length and (block := reader.read(length)):
        parts.append(block)
        length -= len(block)
    return b"".join(parts)
