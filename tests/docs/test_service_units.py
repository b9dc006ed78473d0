"""The systemd units of the documentation start what they say, and it ends cleanly on SIGTERM."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.docs.console_pages import SampleFile, read_page

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-as-a-service.md"
COMMAND = Path(sys.executable).parent / "sagaledger"
UNITS = {part.name: part.content for part in read_page(PAGE) if isinstance(part, SampleFile)}


def started_by(unit: str) -> list[str]:
    """What the unit starts, with the command that the tests have."""
    parser = ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd tells cases apart.
    parser.read_string(UNITS[unit])
    program, *arguments = parser["Service"]["ExecStart"].split()
    assert Path(program).name == "sagaledger"
    return [str(COMMAND), *arguments]


def answers_sigterm(process: int) -> bool:
    """Whether the process has said what it does on SIGTERM: then it is at work."""
    status = Path(f"/proc/{process}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & 1 << (signal.SIGTERM - 1))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    source = tmp_path / "letter.txt"
    source.write_text("a letter")
    folder = tmp_path / "data"
    subprocess.run([COMMAND, "--data", folder, "ingest", source], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("unit", UNITS)
def test_service_told_to_end_ends_with_success(unit: str, data: Path) -> None:
    command = started_by(unit)
    service = subprocess.Popen(
        command, env={"SAGALEDGER_DATA": str(data)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 30
    while not answers_sigterm(service.pid):
        assert service.poll() is None, service.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)

    service.terminate()
    _, problems = service.communicate(timeout=30)

    assert (service.returncode, problems) == (0, b"")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_unit_has_no_setting_that_systemd_does_not_know(tmp_path: Path) -> None:
    unit = tmp_path / "sagaledger-sweep.service"
    unit.write_text(UNITS[unit.name].replace("/opt/sagaledger/bin/sagaledger", str(COMMAND)))

    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True
    )

    assert [line for line in checked.stderr.splitlines() if unit.name in line] == []
