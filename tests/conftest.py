"""A ledger on real engines in a folder of its own, and a file to ingest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sagaledger.interface.library.ledger import Ledger, open_ledger

from tests.support.faults import FaultyChunks
from tests.support.ledgers import CHUNK, QUICK


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
def chunks(ledger: Ledger, tmp_path: Path) -> FaultyChunks:
    """The ledger's chunk store, with faults to be switched on."""
    faulty = FaultyChunks(tmp_path / "data" / "chunks")
    ledger.services.chunks = faulty
    return faulty
