"""A contract class finds out an adapter that breaks its promise, and says which one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sagaledger.testing import ChunkStoreContract, needs_durability

BROKEN = """
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore
from sagaledger.testing import ChunkStoreContract


class Acknowledging(LocalFolderChunkStore):
    def delete(self, key):
        return True


class TestAcknowledging(ChunkStoreContract):
    def open_store(self, folder):
        return Acknowledging(folder)


class TestSound(ChunkStoreContract):
    def open_store(self, folder):
        return LocalFolderChunkStore(folder)
"""


def test_adapter_that_breaks_a_promise_fails_the_test_of_that_promise(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text(BROKEN)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
    )

    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert any("test_chunk_deleted_is_gone_and_deleted_again" in line for line in failed)
    assert all("TestAcknowledging" in line for line in failed), done.stdout
    # The comparison is shown, although the assertion stands in an installed module.
    assert "assert True is False" in done.stdout


def test_contract_of_an_adapter_that_is_not_durable_has_no_test_that_needs_it() -> None:
    class InMemory(ChunkStoreContract):
        durable = False

        @needs_durability
        def test_of_its_own(self) -> None:
            raise AssertionError("it is not collected")

    again = "test_chunks_flushed_are_there_when_the_store_is_opened_again"
    assert getattr(InMemory, again) is None
    assert InMemory.test_of_its_own is None
    assert callable(getattr(ChunkStoreContract, again))
    assert callable(InMemory.test_chunk_committed_is_read_back_and_listed)


def test_contract_without_an_adapter_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError):
        ChunkStoreContract().open_store(tmp_path)
