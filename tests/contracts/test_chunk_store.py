"""What every chunk store promises."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.ports.chunk_store import ChunkStore
from sagaledger.domain.upload.errors import ChunkExistsError, ChunkMissingError
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore, MemoryChunkStore

PREFIX, OTHER = "0" * 31 + "1/", "0" * 31 + "2/"
KEY = f"{PREFIX}00000000"
MAKERS: dict[str, Callable[[Path], ChunkStore]] = {
    "local folder": lambda folder: LocalFolderChunkStore(folder / "chunks"),
    "memory": lambda _: MemoryChunkStore(),
}


@pytest.fixture(params=MAKERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ChunkStore:
    opened = MAKERS[request.param](tmp_path)
    opened.open_prefix(PREFIX)
    return opened


def put(store: ChunkStore, key: str, content: bytes) -> None:
    writer = store.create(key)
    writer.write(content)
    writer.commit()
    store.flush(key.rpartition("/")[0] + "/")


def content_of(store: ChunkStore, key: str) -> bytes:
    with store.open(key) as file:
        return file.read()


def test_chunk_committed_is_read_back_and_listed(store: ChunkStore) -> None:
    put(store, KEY, b"some bytes")

    assert content_of(store, KEY) == b"some bytes"
    assert [(c.key, c.stored_bytes) for c in store.list(PREFIX)] == [(KEY, 10)]


@settings(max_examples=30, deadline=None)
@given(blocks=st.lists(st.binary(max_size=3000), max_size=5))
@pytest.mark.parametrize("kind", MAKERS)
def test_chunk_written_in_any_blocks_is_their_sum(
    tmp_path_factory: pytest.TempPathFactory, kind: str, blocks: list[bytes]
) -> None:
    store = MAKERS[kind](tmp_path_factory.mktemp("any"))
    store.open_prefix(PREFIX)

    writer = store.create(KEY)
    for block in blocks:
        writer.write(memoryview(block))
    writer.commit()

    assert content_of(store, KEY) == b"".join(blocks)


def test_chunk_opened_can_be_read_from_any_place(store: ChunkStore) -> None:
    put(store, KEY, b"0123456789")

    with store.open(KEY) as file:
        file.seek(7)
        assert file.read() == b"789"
        file.seek(2)
        assert file.read(3) == b"234"


def test_chunk_keeps_its_etag_and_another_in_its_place_has_another(store: ChunkStore) -> None:
    etags = []
    for content in (b"first", b"other"):
        writer = store.create(KEY)
        writer.write(content)
        etags.append(writer.commit())
        assert content_of(store, KEY) == content
        put(store, f"{PREFIX}00000001", b"beside it")
        assert next(chunk.etag for chunk in store.list(PREFIX)) == etags[-1]
        for index in (0, 1):
            store.delete(f"{PREFIX}{index:08}")

    assert len(set(etags)) == 2
    assert all(etags)


def test_unfinished_chunk_is_not_listed_and_cannot_be_read(store: ChunkStore) -> None:
    writer = store.create(KEY)
    writer.write(b"half")

    assert list(store.list(PREFIX)) == []
    with pytest.raises(ChunkMissingError):
        store.open(KEY)
    writer.abort()


def test_aborted_chunk_leaves_nothing(store: ChunkStore) -> None:
    writer = store.create(KEY)
    writer.write(b"half")

    writer.abort()

    assert list(store.list(PREFIX)) == []
    store.close_prefix(PREFIX)
    assert list(store.prefixes()) == []


def test_key_that_is_taken_is_refused_and_keeps_what_it_holds(store: ChunkStore) -> None:
    put(store, KEY, b"first")
    second = store.create(KEY)
    second.write(b"second")

    with pytest.raises(ChunkExistsError):
        second.commit()

    assert content_of(store, KEY) == b"first"
    second.abort()
    assert [(c.key, c.stored_bytes) for c in store.list(PREFIX)] == [(KEY, 5)]


def test_refused_commit_succeeds_once_the_key_is_free(store: ChunkStore) -> None:
    put(store, KEY, b"first")
    second = store.create(KEY)
    second.write(b"second")
    with pytest.raises(ChunkExistsError):
        second.commit()

    store.delete(KEY)
    second.commit()

    assert content_of(store, KEY) == b"second"


def test_several_writers_of_one_key_give_one_winner(store: ChunkStore) -> None:
    def write(number: int) -> bool:
        writer = store.create(KEY)
        writer.write(bytes([number]) * 1000)
        try:
            writer.commit()
        except ChunkExistsError:
            writer.abort()
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(write, range(8)))

    assert won.count(True) == 1
    assert content_of(store, KEY) == bytes([won.index(True)]) * 1000


def test_chunks_are_listed_in_order_of_key_and_of_one_prefix_only(store: ChunkStore) -> None:
    store.open_prefix(OTHER)
    put(store, f"{OTHER}00000000", b"other")
    for index in (10, 2, 1, 100):
        put(store, f"{PREFIX}{index:08}", b"x" * index)

    listed = list(store.list(PREFIX))

    assert [chunk.key for chunk in listed] == [f"{PREFIX}{i:08}" for i in (1, 2, 10, 100)]
    assert [chunk.stored_bytes for chunk in listed] == [1, 2, 10, 100]


def test_prefix_that_was_never_opened_lists_nothing(store: ChunkStore) -> None:
    assert list(store.list(OTHER)) == []
    assert list(store.prefixes()) == [PREFIX]


def test_prefix_opened_twice_keeps_its_chunks(store: ChunkStore) -> None:
    put(store, KEY, b"kept")

    store.open_prefix(PREFIX)

    assert content_of(store, KEY) == b"kept"


def test_chunk_under_a_prefix_that_is_not_open_is_refused(store: ChunkStore) -> None:
    with pytest.raises(StorageBackendError):
        put(store, f"{OTHER}00000000", b"x")
    assert list(store.prefixes()) == [PREFIX]


def test_chunk_whose_prefix_was_closed_meanwhile_is_refused(store: ChunkStore) -> None:
    writer = store.create(KEY)
    writer.write(b"late")

    store.close_prefix(PREFIX)

    with pytest.raises(StorageBackendError):
        writer.commit()
    writer.abort()
    assert list(store.prefixes()) == []


def test_chunk_deleted_is_gone_and_deleted_again_is_no_error(store: ChunkStore) -> None:
    put(store, KEY, b"x")

    assert store.delete(KEY) is True
    assert store.delete(KEY) is False
    store.flush(PREFIX)

    assert list(store.list(PREFIX)) == []
    with pytest.raises(ChunkMissingError):
        store.open(KEY)


def test_prefix_with_chunks_is_not_closed(store: ChunkStore) -> None:
    put(store, KEY, b"x")

    with pytest.raises(StorageBackendError):
        store.close_prefix(PREFIX)

    assert content_of(store, KEY) == b"x"
    assert list(store.prefixes()) == [PREFIX]


def test_emptied_prefix_is_closed_as_often_as_asked(store: ChunkStore) -> None:
    store.close_prefix(PREFIX)
    store.close_prefix(PREFIX)

    assert list(store.prefixes()) == []


@pytest.mark.parametrize(
    "key", ["", "a", "../x/00000000", f"{PREFIX}../../x", "/etc/passwd", KEY[1:]]
)
def test_key_that_could_lead_elsewhere_is_refused(store: ChunkStore, key: str) -> None:
    for act in (store.create, store.open, store.delete):
        with pytest.raises(StorageBackendError):
            act(key)


@pytest.mark.parametrize("prefix", ["", "..", "../", "a/", PREFIX[:-1], f"{PREFIX}../"])
def test_prefix_that_could_lead_elsewhere_is_refused(store: ChunkStore, prefix: str) -> None:
    for act in (store.open_prefix, store.close_prefix, store.flush):
        with pytest.raises(StorageBackendError):
            act(prefix)
    with pytest.raises(StorageBackendError):
        list(store.list(prefix))


def test_store_has_a_name_and_says_how_real_a_read_is(store: ChunkStore) -> None:
    assert store.name == "chunks"
    assert store.read_from
