"""A ledger on real engines in a folder of its own, a file to ingest, and limits for every test."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sagaledger.interface.library.ledger import Ledger
from sagaledger.interface.library.opening import open_ledger

from tests.support.faults import FaultyChunks
from tests.support.ledgers import CHUNK, QUICK

LONG_S = 24 * 3600


def pytest_configure() -> None:
    """Give the commands that tests start the signals of a terminal.

    A shell starts what runs in its background deaf to Ctrl-C, and children inherit that.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            is_interrupt = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave a long test the time it takes; every other one has the limit of pyproject.toml."""
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(LONG_S))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "data", QUICK) as opened:
        yield opened


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Ten chunks of random bytes, the last one short."""
    path = tmp_path / "source.bin"
    path.write_bytes(os.urandom(10 * CHUNK - 17))
    return path


@pytest.fixture
def chunks(ledger: Ledger) -> FaultyChunks:
    """Faults of the ledger's chunk store, to be switched on."""
    return FaultyChunks(ledger)
