"""What every chunk store promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.ports.chunk_store import ChunkStore
from sagaledger.domain.upload.errors import ChunkExistsError, ChunkMissingError
from sagaledger.testing.child_process import process_running, wait_to_be_killed
from sagaledger.testing.contracts.contract import Contract, needs_durability

__all__ = ["ChunkStoreContract"]

_PREFIX, _OTHER = "0" * 31 + "1/", "0" * 31 + "2/"
_KEY = f"{_PREFIX}00000000"


class ChunkStoreContract(Contract):
    """The tests of a `ChunkStore`.

    Example:
        class TestMyChunkStore(ChunkStoreContract):
            def open_store(self, folder: Path) -> ChunkStore:
                return MyChunkStore(folder)
    """

    def open_store(self, folder: Path) -> ChunkStore:
        """Open the store that keeps its data in this folder, empty the first time.

        If the data is elsewhere (on a server), use the folder's path as its name there.
        """
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> ChunkStore:
        """An empty store, in which one prefix is open."""
        opened = self.open_store(tmp_path)
        opened.open_prefix(_PREFIX)
        return opened

    def test_chunk_committed_is_read_back_and_listed(self, store: ChunkStore) -> None:
        _put(store, _KEY, b"some bytes")

        assert _content_of(store, _KEY) == b"some bytes"
        assert [(c.key, c.stored_bytes) for c in store.list(_PREFIX)] == [(_KEY, 10)]

    @settings(
        max_examples=30, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(blocks=st.lists(st.binary(max_size=3000), max_size=5))
    def test_chunk_written_in_any_blocks_is_their_sum(
        self, tmp_path_factory: pytest.TempPathFactory, blocks: list[bytes]
    ) -> None:
        store = self.open_store(tmp_path_factory.mktemp("any"))
        store.open_prefix(_PREFIX)

        writer = store.create(_KEY)
        for block in blocks:
            writer.write(memoryview(block))
        writer.commit()

        assert _content_of(store, _KEY) == b"".join(blocks)

    def test_chunk_opened_can_be_read_from_any_place(self, store: ChunkStore) -> None:
        _put(store, _KEY, b"0123456789")

        with store.open(_KEY) as file:
            file.seek(7)
            assert file.read() == b"789"
            file.seek(2)
            assert file.read(3) == b"234"

    def test_chunk_keeps_its_mark_and_another_in_its_place_has_another(
        self, store: ChunkStore
    ) -> None:
        etags = []
        for content in (b"first", b"other"):
            writer = store.create(_KEY)
            writer.write(content)
            etags.append(writer.commit())
            assert _content_of(store, _KEY) == content
            _put(store, f"{_PREFIX}00000001", b"beside it")
            assert next(chunk.etag for chunk in store.list(_PREFIX)) == etags[-1]
            for index in (0, 1):
                store.delete(f"{_PREFIX}{index:08}")

        # A store without ETags leaves every ETag empty.
        assert len(set(etags)) == 2 or set(etags) == {""}

    def test_unfinished_chunk_is_not_listed_and_cannot_be_read(self, store: ChunkStore) -> None:
        writer = store.create(_KEY)
        writer.write(b"half")

        assert list(store.list(_PREFIX)) == []
        with pytest.raises(ChunkMissingError):
            store.open(_KEY)
        writer.abort()

    def test_aborted_chunk_leaves_nothing(self, store: ChunkStore) -> None:
        writer = store.create(_KEY)
        writer.write(b"half")

        writer.abort()

        assert list(store.list(_PREFIX)) == []
        store.close_prefix(_PREFIX)
        assert list(store.prefixes()) == []

    def test_key_that_is_taken_is_refused_and_keeps_what_it_holds(self, store: ChunkStore) -> None:
        _put(store, _KEY, b"first")
        second = store.create(_KEY)
        second.write(b"second")

        with pytest.raises(ChunkExistsError):
            second.commit()

        assert _content_of(store, _KEY) == b"first"
        second.abort()
        assert [(c.key, c.stored_bytes) for c in store.list(_PREFIX)] == [(_KEY, 5)]

    def test_refused_commit_succeeds_once_the_key_is_free(self, store: ChunkStore) -> None:
        _put(store, _KEY, b"first")
        second = store.create(_KEY)
        second.write(b"second")
        with pytest.raises(ChunkExistsError):
            second.commit()

        store.delete(_KEY)
        second.commit()

        assert _content_of(store, _KEY) == b"second"

    def test_several_writers_of_one_key_give_one_winner(self, store: ChunkStore) -> None:
        def write(number: int) -> bool:
            writer = store.create(_KEY)
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
        assert _content_of(store, _KEY) == bytes([won.index(True)]) * 1000

    def test_chunks_are_listed_in_order_of_key_and_of_one_prefix_only(
        self, store: ChunkStore
    ) -> None:
        store.open_prefix(_OTHER)
        _put(store, f"{_OTHER}00000000", b"other")
        for index in (10, 2, 1, 100):
            _put(store, f"{_PREFIX}{index:08}", b"x" * index)

        listed = list(store.list(_PREFIX))

        assert [chunk.key for chunk in listed] == [f"{_PREFIX}{i:08}" for i in (1, 2, 10, 100)]
        assert [chunk.stored_bytes for chunk in listed] == [1, 2, 10, 100]

    def test_prefix_that_was_never_opened_lists_nothing(self, store: ChunkStore) -> None:
        assert list(store.list(_OTHER)) == []
        assert list(store.prefixes()) == [_PREFIX]

    def test_prefix_opened_twice_keeps_its_chunks(self, store: ChunkStore) -> None:
        _put(store, _KEY, b"kept")

        store.open_prefix(_PREFIX)

        assert _content_of(store, _KEY) == b"kept"

    def test_chunk_under_a_prefix_that_is_not_open_is_refused(self, store: ChunkStore) -> None:
        with pytest.raises(StorageBackendError):
            _put(store, f"{_OTHER}00000000", b"x")
        assert list(store.prefixes()) == [_PREFIX]

    def test_commit_after_the_prefix_was_closed_is_refused(self, store: ChunkStore) -> None:
        writer = store.create(_KEY)
        writer.write(b"late")

        store.close_prefix(_PREFIX)

        with pytest.raises(StorageBackendError):
            writer.commit()
        writer.abort()
        assert list(store.prefixes()) == []

    def test_chunk_deleted_is_gone_and_deleted_again_is_no_error(self, store: ChunkStore) -> None:
        _put(store, _KEY, b"x")

        assert store.delete(_KEY) is True
        assert store.delete(_KEY) is False
        store.flush(_PREFIX)

        assert list(store.list(_PREFIX)) == []
        with pytest.raises(ChunkMissingError):
            store.open(_KEY)

    def test_prefix_with_chunks_is_not_closed(self, store: ChunkStore) -> None:
        _put(store, _KEY, b"x")

        with pytest.raises(StorageBackendError):
            store.close_prefix(_PREFIX)

        assert _content_of(store, _KEY) == b"x"
        assert list(store.prefixes()) == [_PREFIX]

    def test_emptied_prefix_is_closed_as_often_as_asked(self, store: ChunkStore) -> None:
        store.close_prefix(_PREFIX)
        store.close_prefix(_PREFIX)

        assert list(store.prefixes()) == []

    @pytest.mark.parametrize(
        "key", ["", "a", "../x/00000000", f"{_PREFIX}../../x", "/etc/passwd", _KEY[1:]]
    )
    def test_key_that_could_lead_elsewhere_is_refused(self, store: ChunkStore, key: str) -> None:
        for act in (store.create, store.open, store.delete):
            with pytest.raises(StorageBackendError):
                act(key)

    @pytest.mark.parametrize("prefix", ["", "..", "../", "a/", _PREFIX[:-1], f"{_PREFIX}../"])
    def test_prefix_that_could_lead_elsewhere_is_refused(
        self, store: ChunkStore, prefix: str
    ) -> None:
        for act in (store.open_prefix, store.close_prefix, store.flush):
            with pytest.raises(StorageBackendError):
                act(prefix)
        with pytest.raises(StorageBackendError):
            list(store.list(prefix))

    def test_store_has_a_name_and_says_how_real_a_read_is(self, store: ChunkStore) -> None:
        assert store.name == "chunks"
        assert store.read_from

    @needs_durability
    def test_chunks_flushed_are_there_when_the_store_is_opened_again(self, tmp_path: Path) -> None:
        first = self.open_store(tmp_path)
        first.open_prefix(_PREFIX)
        _put(first, _KEY, b"some bytes")
        listed = list(first.list(_PREFIX))

        again = self.open_store(tmp_path)

        assert list(again.list(_PREFIX)) == listed
        assert _content_of(again, _KEY) == b"some bytes"
        assert list(again.prefixes()) == [_PREFIX]

    @needs_durability
    def test_store_opened_twice_shows_the_chunks_of_the_other(self, tmp_path: Path) -> None:
        here, there = self.open_store(tmp_path), self.open_store(tmp_path)
        here.open_prefix(_PREFIX)

        _put(there, _KEY, b"first")
        with pytest.raises(ChunkExistsError):
            _put(here, _KEY, b"second")

        assert here.delete(_KEY) is True
        assert list(there.list(_PREFIX)) == []

    @needs_durability
    def test_process_killed_before_it_commits_leaves_no_chunk(self, tmp_path: Path) -> None:
        with process_running(self, "leave_half_a_chunk", tmp_path):
            pass

        store = self.open_store(tmp_path)

        assert [chunk.key for chunk in store.list(_PREFIX)] == [_KEY]
        assert _content_of(store, _KEY) == b"whole"
        assert store.delete(_KEY) is True
        store.close_prefix(_PREFIX)
        assert list(store.prefixes()) == []

    def leave_half_a_chunk(self, folder: Path) -> None:
        """The work of the killed process: one whole chunk, and half of another."""
        store = self.open_store(folder)
        store.open_prefix(_PREFIX)
        _put(store, _KEY, b"whole")
        writer = store.create(f"{_PREFIX}00000001")
        writer.write(b"half")
        wait_to_be_killed()


def _put(store: ChunkStore, key: str, content: bytes) -> None:
    writer = store.create(key)
    writer.write(content)
    writer.commit()
    store.flush(key.rpartition("/")[0] + "/")


def _content_of(store: ChunkStore, key: str) -> bytes:
    with store.open(key) as file:
        return file.read()
