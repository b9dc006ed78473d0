"""Which embedder a vector store of this product is bound to, read without opening the store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sagaledger.domain.document.values import EmbedderIdentity

__all__ = ["stored_embedder"]


def stored_embedder(path: Path) -> EmbedderIdentity | None:
    """The embedder of an SQLite vector store; None if it has none yet or cannot be read.

    What is wrong with the file, opening the store says.
    """
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            row = database.execute("SELECT name, dimension FROM embedder").fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else EmbedderIdentity(str(row[0]), int(row[1]))
