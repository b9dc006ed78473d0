"""The formats of `leases.db`: which worker drives which saga."""

from __future__ import annotations

from sagaledger.infrastructure.migrations.migration import Migration, statements

__all__ = ["LEASES"]

LEASES = (
    Migration(
        1,
        statements(
            "CREATE TABLE IF NOT EXISTS leases ("
            "saga_id TEXT PRIMARY KEY, owner TEXT NOT NULL, expires_us INTEGER NOT NULL)"
        ),
    ),
)
