"""The shipped entry points, as `pyproject.toml` registers them.

They are repeated here because reading the metadata of installed distributions takes a tenth of the
time of a small command. A test checks that both are the same.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["SHIPPED"]

_FACTORIES = "sagaledger.interface.bootstrap.embedded_adapters"

SHIPPED: Mapping[str, Mapping[str, str]] = {
    "sagaledger.event_stores": {"sqlite": f"{_FACTORIES}:sqlite_events"},
    "sagaledger.snapshot_stores": {"sqlite": f"{_FACTORIES}:sqlite_snapshots"},
    "sagaledger.chunk_stores": {"file": f"{_FACTORIES}:file_chunks"},
    "sagaledger.vector_stores": {"sqlite": f"{_FACTORIES}:sqlite_vectors"},
    "sagaledger.graph_stores": {"ladybug": f"{_FACTORIES}:ladybug_graph"},
    "sagaledger.relational_stores": {"sqlite": f"{_FACTORIES}:sqlite_relational"},
    "sagaledger.manifest_stores": {"file": f"{_FACTORIES}:file_manifests"},
    "sagaledger.embedders": {
        "hashing": f"{_FACTORIES}:hashing_embedder",
        "minilm": f"{_FACTORIES}:minilm_embedder",
    },
    "sagaledger.signers": {"file": f"{_FACTORIES}:file_signer"},
    "sagaledger.text_formats": {
        "pdf": f"{_FACTORIES}:pdf_format",
        "word": f"{_FACTORIES}:word_format",
        "markdown": f"{_FACTORIES}:markdown_format",
        "html": f"{_FACTORIES}:html_format",
        "plain": f"{_FACTORIES}:plain_format",
    },
}
"""By group and name, the factory as `module:attribute`."""
