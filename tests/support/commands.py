"""The installed command as a process of its own, and the circumstances it may meet."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

__all__ = [
    "COMMAND",
    "bound_by_permissions",
    "copy_of",
    "environment",
    "json_of",
    "overwrite",
    "refusal_of",
    "run",
    "run_on_terminal",
    "small_disk",
    "start",
]

COMMAND = Path(sys.executable).with_name("sagaledger")
_TIMEOUT_S = 120
_WIDE = "250"

# Root passes every permission check by these two: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
_DROP_CAPABILITIES = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
for capability in (1, 2):
    if libc.prctl(24, capability, 0, 0, 0):
        sys.exit(f"capability {capability} stays: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[1], sys.argv[1:])
"""


def environment(**more: str) -> dict[str, str]:
    """Our environment without what steers the command, and with something more."""
    steering = ("SAGALEDGER_DATA", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM")
    kept = {name: value for name, value in os.environ.items() if name not in steering}
    return {**kept, "COLUMNS": _WIDE, "TERM": "xterm", **more}


def run(
    data: Path | None,
    *arguments: str | Path,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    before: Sequence[str] = (),
    stdout: int | IO[Any] = subprocess.PIPE,
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; `before` is a program that starts it."""
    options = [] if data is None else ["--data", str(data)]
    return subprocess.run(
        [*before, str(COMMAND), *options, *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="surrogateescape",
        timeout=_TIMEOUT_S,
        cwd=cwd,
        env=env or environment(),
    )


@contextmanager
def start(
    data: Path, *arguments: str | Path, before: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    """The command at work; it does not outlive the block."""
    with subprocess.Popen(
        [*before, str(COMMAND), "--data", str(data), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment(),
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def run_on_terminal(data: Path, *arguments: str | Path, **more: str) -> tuple[int, str]:
    """Run the command on a terminal of its own: its exit code, and all it showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(COMMAND), "--data", str(data), *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(**more),
    ) as process:
        os.close(theirs)
        shown = bytearray()
        try:
            while block := os.read(ours, 65536):
                shown += block
        except OSError:
            # That is how a terminal says that nobody writes to it any more.
            pass
        finally:
            os.close(ours)
        return process.wait(_TIMEOUT_S), shown.decode()


def json_of(done: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    """The one JSON value that a run printed, nothing else and no complaint beside it."""
    assert (done.returncode, done.stderr) == (code, "")
    return json.loads(done.stdout)


def refusal_of(done: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line in which a run said why it did nothing."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def bound_by_permissions() -> list[str]:
    """A program that starts another one to which the permissions of files apply, even as root."""
    return [sys.executable, "-c", _DROP_CAPABILITIES] if os.geteuid() == 0 else []


def copy_of(data: Path, to: Path) -> Path:
    """A data folder with the same content, without the room that is kept in reserve."""
    return Path(shutil.copytree(data, to, ignore=shutil.ignore_patterns("reserve.bin")))


def overwrite(file: Path, where: str) -> None:
    """Damage a file: its `header`, or all of it but the first page, its `middle`."""
    size = file.stat().st_size
    start, end = (0, 100) if where == "header" else (4096, size)
    with file.open("r+b") as damaged:
        damaged.seek(start)
        damaged.write(b"\xa5" * (end - start))


@contextmanager
def small_disk(folder: Path, size_mib: int) -> Iterator[Path]:
    """A disk of its own in memory, of few MiB.

    Where none may be mounted the test is skipped; in CI it fails instead.
    """
    folder.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size={size_mib}m,mode=0700,uid={os.geteuid()},gid={os.getegid()}"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run([*as_root, *mount], capture_output=True, text=True, timeout=30)
        trouble = done.stderr.strip() if done.returncode else ""
    except FileNotFoundError as error:
        trouble = str(error)
    if trouble:
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse(f"no small disk can be mounted here: {trouble}")
    try:
        yield folder
    finally:
        subprocess.run([*as_root, "umount", str(folder)], check=True, timeout=30)
