"""The installed command, one of whose calls of the operating system fails.

`pytest -m long tests/system/test_posix_faults.py` makes each of its first calls fail in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from sagaledger.interface.library.ledger import open_ledger

from tests.support.commands import run
from tests.support.examination import settled_findings
from tests.support.ledgers import QUICK
from tests.support.requirements import required_program

ERRORS = {
    "pwrite64": ("ENOSPC", "EIO"),
    "write": ("ENOSPC", "EIO"),
    "fdatasync": ("EIO", "ENOSPC"),
    "fsync": ("EIO", "ENOSPC"),
    "linkat": ("ENOSPC", "EIO", "EMLINK"),
    "link": ("ENOSPC", "EIO", "EMLINK"),
    "rename": ("ENOSPC", "EIO"),
    "unlink": ("EIO", "EROFS"),
    "mkdir": ("ENOSPC", "EDQUOT"),
    "ftruncate": ("EIO", "EFBIG"),
    "pread64": ("EIO",),
    "flock": ("ENOLCK", "EINTR"),
}
LATEST = {"pwrite64": 400, "write": 30, "pread64": 400, "fdatasync": 60, "fsync": 40}
"""Up to which call of a thread, where that is not ten."""


def every_fault() -> Iterator[tuple[str, str, int]]:
    """Which call fails, how, and its number within its thread."""
    for call, errors in ERRORS.items():
        for error in errors:
            for number in range(1, LATEST.get(call, 10) + 1):
                yield call, error, number


def faults(count: int | None) -> list[tuple[str, str, int]]:
    """Some of all faults, each call and error as often as any other; None for all."""
    chosen = sorted(every_fault(), key=lambda fault: (Random(repr(fault)).random(), fault))
    if count is None:
        return chosen
    kinds = {fault[:2] for fault in chosen}
    of_each = [[fault for fault in chosen if fault[:2] == kind] for kind in sorted(kinds)]
    return [fault for some in of_each for fault in some[:count]]


def problems_after(folder: Path, call: str, error: str, number: int) -> list[str]:
    """What is wrong once a new process has recovered and swept what the faulty one left."""
    contents = {"noise.bin": Random(number).randbytes(300_000), "text.txt": b"words to find " * 99}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    data = folder / "data"
    inject = f"inject={call}:error={error}:when={number}"
    tracer = ("strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
    options = ("--chunk-size", "65536", "--attempts", "2", "--retry-delay", "0")
    files = [folder / name for name in contents]
    faulty = run(data, "ingest", *options, *files, before=tracer)
    problems = [faulty.stderr] if "Traceback" in faulty.stderr else []
    if not (data / "sagaledger.json").exists():
        return [*problems, *(["it said that all was well"] if faulty.returncode == 0 else [])]
    for command in ("recover", "sweep"):
        done = run(data, command)
        problems += [f"{command}: {done.stderr}"] if done.returncode or done.stderr else []
    with open_ledger(data, QUICK) as ledger:
        problems += map(str, settled_findings(ledger.services))
        documents = ledger.services.relational.documents()
        for document in documents:
            restored = b"".join(ledger.documents.content(document))
            if restored != contents[document.source_name]:
                problems.append(f"{document.source_name} was restored to something else")
    if faulty.returncode == 0 and len(documents) < len(files):
        problems.append("it said that all was well")
    return problems


@pytest.mark.parametrize(
    "some",
    [
        *(faults(1)[start::4] for start in range(4)),
        pytest.param(faults(None), marks=pytest.mark.long),
    ],
    ids=["first", "second", "third", "fourth", "all"],
)
def test_command_one_of_whose_system_calls_fails_leaves_each_file_whole_or_gone(
    tmp_path: Path, some: list[tuple[str, str, int]]
) -> None:
    required_program("strace")
    for number, fault in enumerate(some):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert problems_after(folder, *fault) == [], fault
