"""What only the chunk store in a folder promises: what is on disk, and when."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import accumulate
from mmap import mmap
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.upload.errors import ChunkExistsError
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore

from tests.support.recorded_disk import record
from tests.support.requirements import required_program

PREFIX = "0" * 31 + "1/"
KEY = f"{PREFIX}00000000"
MIB = 1024 * 1024
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - it is only made use of, under a new name
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


@pytest.mark.parametrize("change", [lambda file: file.write_bytes(b"SOME BYTES"), os.utime])
def test_chunk_changed_behind_the_store_has_another_etag(
    store: LocalFolderChunkStore, root: Path, change: Callable[[Path], object]
) -> None:
    writer = store.create(KEY)
    writer.write(b"some bytes")
    etag = writer.commit()

    change(root / KEY)

    assert [chunk.etag for chunk in store.list(PREFIX)] != [etag]


@pytest.fixture(params=["on the disk", "in memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system that can pass its cache by, and on one that perhaps cannot."""
    if request.param == "on the disk":
        yield tmp_path
        return
    if not IN_MEMORY.is_dir():
        pytest.skip("no file system in memory")
    with TemporaryDirectory(dir=IN_MEMORY) as made:
        yield Path(made)


@pytest.mark.parametrize("is_aligned", [True, False])
@pytest.mark.parametrize(
    "sizes", [[1], [MIB], [MIB, MIB, 4096], [MIB, 5000], [MIB + 1], [200_000, MIB], [5, MIB, MIB]]
)
def test_large_chunk_is_read_back_as_it_was_written_past_the_cache_or_through_it(
    folder: Path, sizes: list[int], is_aligned: bool
) -> None:
    store = LocalFolderChunkStore(folder)
    store.open_prefix(PREFIX)
    content = os.urandom(sum(sizes))
    # Anonymous maps begin on a page; a slice of one that does not fits no block of a disk.
    buffer = memoryview(mmap(-1, MIB + 1))[0 if is_aligned else 1 :][:MIB]

    writer = store.create(KEY)
    for end, size in zip(accumulate(sizes), sizes, strict=True):
        writer.write(content[end - size : end])
    writer.commit()

    read = bytearray()
    with store.open(KEY) as file:
        while got := file.readinto(buffer):  # type: ignore[attr-defined]  # Binary files have it.
            read += buffer[:got]
    assert read == content
    with store.open(KEY) as file:
        first = file.readinto(buffer)  # type: ignore[attr-defined]  # As above.
        assert buffer[:first] == content[:first]
        assert file.read() == content[first:]
        file.seek(1)
        assert file.read(3) == content[1:4]


def test_chunk_ended_or_closed_touches_no_file_that_has_its_descriptor_by_now(
    store: LocalFolderChunkStore, tmp_path: Path
) -> None:
    writer = store.create(KEY)
    writer.write(b"some bytes")
    writer.commit()
    with (tmp_path / "other").open("w+b", buffering=0) as other:
        with pytest.raises(StorageBackendError):
            writer.write(b"late")
        other.seek(0)
        assert other.read() == b""
    read = store.open(KEY)
    read.close()
    with (tmp_path / "other").open("rb"), pytest.raises(ValueError, match="closed"):
        read.readinto(bytearray(10))  # type: ignore[attr-defined]  # Binary files have it.
