"""The installed command, killed again and again at any moment with several sagas open.

`pytest -m long tests/system/test_random_kills.py` kills it thousands of times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sagaledger.interface.certification.oracle import source_facts
from sagaledger.interface.library.ledger import open_ledger

from tests.support.examination import settled_findings
from tests.support.ledgers import QUICK

COMMAND = Path(sys.executable).with_name("sagaledger")
LONGEST_S = 1.2
"""An undisturbed run takes about as long; kills are spread evenly over it."""


def make_files(folder: Path, numbers: random.Random) -> list[Path]:
    """A text, a file of one chunk and one of many, a file without a byte."""
    contents = {
        "text.txt": b"words to be found again " * 2000,
        "short.bin": numbers.randbytes(1000),
        "long.bin": numbers.randbytes(3_000_000),
        "empty": b"",
    }
    files = [folder / name for name in contents]
    for file in files:
        file.write_bytes(contents[file.name])
    return files


def run_and_kill(data: Path, files: list[Path], after_s: float) -> None:
    """Begin to ingest all files at once, on top of what was left open, and kill that."""
    options = ["--again", "--concurrency", str(len(files)), "--chunk-size", "65536"]
    process = subprocess.Popen(
        [COMMAND, "--data", data, "ingest", *options, *files],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()


def assert_everything_is_whole_or_gone(data: Path, files: list[Path]) -> None:
    """Recover and sweep in a new process, then look at the log and into the stores."""
    for command in ("recover", "sweep"):
        done = subprocess.run(
            [COMMAND, "--data", data, command], capture_output=True, text=True, timeout=300
        )
        assert (done.returncode, done.stderr) == (0, "")
    with open_ledger(data, QUICK) as ledger:
        assert settled_findings(ledger.services) == []
        committed = {document.sha256 for document in ledger.services.relational.documents(10**6)}
        assert committed <= {source_facts(file).sha256 for file in files}


@pytest.mark.parametrize("seed", range(4))
def test_command_killed_at_any_moment_leaves_every_file_whole_or_gone(
    tmp_path: Path, seed: int
) -> None:
    kill_many_times(tmp_path, random.Random(seed), kills=50)


@pytest.mark.long
def test_command_killed_thousands_of_times_leaves_every_file_whole_or_gone(tmp_path: Path) -> None:
    seed = int(os.environ.get("SEED", "0"))
    for number in range(100):
        kill_many_times(tmp_path / str(number), random.Random(seed + number), kills=50)


def kill_many_times(folder: Path, numbers: random.Random, kills: int) -> None:
    """Swept moments in any order, so that each stretch of a run is hit."""
    folder.mkdir(exist_ok=True)
    files = make_files(folder, numbers)
    moments_s = [LONGEST_S * (number + numbers.random()) / kills for number in range(kills)]
    numbers.shuffle(moments_s)
    before = [source_facts(file) for file in files]
    for after_s in moments_s:
        run_and_kill(folder / "data", files, after_s)
    assert_everything_is_whole_or_gone(folder / "data", files)
    assert [source_facts(file) for file in files] == before
