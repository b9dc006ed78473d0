"""What only the chunk store in a folder promises: what is on disk, and when."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sagaledger.domain.errors import ChunkExistsError, StorageBackendError
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore

from tests.support.recorded_disk import record
from tests.support.requirements import required_program

PREFIX = "0" * 31 + "1/"
KEY = f"{PREFIX}00000000"
PUT = f"""
import sys
from pathlib import Path
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore

store = LocalFolderChunkStore(Path(sys.argv[1]))
store.open_prefix({PREFIX!r})
writer = store.create({KEY!r})
writer.write(b"some bytes")
writer.commit()
store.flush({PREFIX!r})
"""
DIE_HALFWAY = f"""
import os, signal, sys
from pathlib import Path
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore

store = LocalFolderChunkStore(Path(sys.argv[1]))
store.open_prefix({PREFIX!r})
writer = store.create({KEY!r})
writer.write(b"some bytes")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "chunks"


@pytest.fixture
def store(root: Path) -> LocalFolderChunkStore:
    opened = LocalFolderChunkStore(root)
    opened.open_prefix(PREFIX)
    return opened


def files_in(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_chunk_is_synced_before_it_has_its_name_and_its_name_before_flush_returns(
    tmp_path: Path, root: Path
) -> None:
    required_program("strace")

    changes = record([sys.executable, "-c", PUT, root], root, tmp_path / "trace")

    done = [(change.kind, Path(change.other or change.path).name) for change in changes]
    partial = next(name for kind, name in done if kind == "create")
    folder = PREFIX.rstrip("/")
    order = [("write", partial), ("sync", partial), ("link", "00000000"), ("sync", folder)]
    assert [step for step in done if step in order] == order
    assert done.index(("mkdir", folder)) < done.index(("sync", root.name)) < done.index(order[0])


def test_process_killed_while_it_writes_leaves_no_chunk_and_nothing_once_closed(
    root: Path,
) -> None:
    killed = subprocess.run([sys.executable, "-c", DIE_HALFWAY, root])
    assert killed.returncode == -signal.SIGKILL
    store = LocalFolderChunkStore(root)
    assert list(store.list(PREFIX)) == []
    assert len(files_in(root)) == 1

    store.close_prefix(PREFIX)

    assert list(root.iterdir()) == []


def test_refused_commit_and_abort_leave_no_hidden_file(
    store: LocalFolderChunkStore, root: Path
) -> None:
    for _ in range(2):
        writer = store.create(KEY)
        writer.write(b"x")
        try:
            writer.commit()
        except ChunkExistsError:
            writer.abort()

    assert files_in(root) == [KEY]


def test_chunk_is_readable_by_its_owner_only(store: LocalFolderChunkStore, root: Path) -> None:
    writer = store.create(KEY)
    writer.commit()

    assert (root / KEY).stat().st_mode & 0o777 == 0o600


def test_root_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")

    with pytest.raises(StorageBackendError):
        LocalFolderChunkStore(file)


def test_foreign_folders_beside_the_uploads_are_no_prefixes(
    store: LocalFolderChunkStore, root: Path
) -> None:
    (root / "lost+found").mkdir()
    os.mkfifo(root / "pipe")

    assert list(store.prefixes()) == [PREFIX]
