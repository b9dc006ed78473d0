"""Tests and tools for your own adapters: `pip install 'sagaledger[testing]'`.

A contract class contains all tests that an adapter of its port must pass. A subclass opens the
adapter, and pytest runs the tests:

    from sagaledger.testing import ChunkStoreContract

    class TestMyChunkStore(ChunkStoreContract):
        def open_store(self, folder):
            return MyChunkStore(folder)

Each test gets its own folder. An adapter that keeps its data elsewhere uses the folder's path as a
name there; one that loses its data with its process sets `durable = False`.

`ManualClock` is time that a test sets, and `with_faults` puts a `FaultInjector` in front of an
adapter, as `sagaledger certify` does.
"""

from __future__ import annotations

import pytest

# Before the modules are imported: a failed assertion then shows the values that it compared.
pytest.register_assert_rewrite("sagaledger.testing.contracts")

from sagaledger.testing.clock import ManualClock  # noqa: E402
from sagaledger.testing.contracts.chunk_store import ChunkStoreContract  # noqa: E402
from sagaledger.testing.contracts.contract import Contract, needs_durability  # noqa: E402
from sagaledger.testing.contracts.downstream_store import (  # noqa: E402
    DownstreamStoreContract,
)
from sagaledger.testing.contracts.embedder import EmbedderContract  # noqa: E402
from sagaledger.testing.contracts.event_store import EventStoreContract  # noqa: E402
from sagaledger.testing.contracts.graph_store import GraphStoreContract  # noqa: E402
from sagaledger.testing.contracts.lease_store import LeaseStoreContract  # noqa: E402
from sagaledger.testing.contracts.manifest_store import ManifestStoreContract  # noqa: E402
from sagaledger.testing.contracts.relational_store import RelationalStoreContract  # noqa: E402
from sagaledger.testing.contracts.signer import SignerContract  # noqa: E402
from sagaledger.testing.contracts.stored_rows import StoredRowsContract  # noqa: E402
from sagaledger.testing.contracts.vector_store import VectorStoreContract  # noqa: E402
from sagaledger.testing.faults import (  # noqa: E402
    Fault,
    FaultInjector,
    FaultKind,
    PortCall,
    intercepted,
    with_faults,
)

__all__ = [
    "ChunkStoreContract",
    "Contract",
    "DownstreamStoreContract",
    "EmbedderContract",
    "EventStoreContract",
    "Fault",
    "FaultInjector",
    "FaultKind",
    "GraphStoreContract",
    "LeaseStoreContract",
    "ManifestStoreContract",
    "ManualClock",
    "PortCall",
    "RelationalStoreContract",
    "SignerContract",
    "StoredRowsContract",
    "VectorStoreContract",
    "intercepted",
    "needs_durability",
    "with_faults",
]
