"""The formats of `vectors.db`. Its table `vectors` is created once the embedder is known."""

from __future__ import annotations

from sagaledger.infrastructure.migrations.migration import Migration, statements

__all__ = ["VECTORS"]

VECTORS = (
    Migration(
        1,
        statements(
            "CREATE TABLE IF NOT EXISTS embedder (name TEXT NOT NULL, dimension INTEGER NOT NULL)",
            """CREATE TABLE IF NOT EXISTS passages (
                number INTEGER PRIMARY KEY,
                document_id TEXT NOT NULL,
                saga_id TEXT NOT NULL,
                passage INTEGER NOT NULL,
                UNIQUE (document_id, saga_id, passage))""",
        ),
    ),
)
