"""The reference of all tables, generated from their definitions: `docs/projections.md`.

Regenerate it with `python -m sagaledger.projections.reference > docs/projections.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from sagaledger.projections.engine.projector import Projection
from sagaledger.projections.engine.tables import Table, View
from sagaledger.projections.registry import PROJECTIONS

__all__ = ["reference"]

_INTRODUCTION = """\
# Projections

The tables are derived from the event log. They are stored in `projections.db` in the data folder,
an SQLite file that other programs may read at any time. All its content comes from the log: if you
delete the file, it is rebuilt.

`sagaledger project` brings the tables up to date and shows the position of each projection.
`--follow` continues with every new event. `--rebuild [NAME]` rebuilds one projection or all from
the first event; the old rows remain readable until the new ones replace them atomically. Rows and
position change in one transaction, so each event counts exactly once, even after a crash. A
projection from an older version is rebuilt; a projection from a newer version is refused.

`sagaledger query` runs SQL queries on the tables, and `sagaledger export` writes them to files for
other programs; see [analysis.md](analysis.md).

Times are in µs since 1970 UTC, by the clock of the worker that recorded the event. This page is
generated from the definitions of the tables (`python -m sagaledger.projections.reference`).
"""


def reference() -> str:
    """The page, as Markdown."""
    return "\n".join([_INTRODUCTION, *_chapters(PROJECTIONS)])


def _chapters(projections: Iterable[Projection]) -> Iterator[str]:
    for projection in projections:
        yield f"## {projection.name}\n"
        for table in projection.tables:
            yield from _table(table)


def _table(table: Table | View) -> Iterator[str]:
    key = ", ".join(f"`{name}`" for name in table.key)
    kind = " (view)" if isinstance(table, View) else ""
    yield f"### `{table.name}`{kind}\n"
    yield f"{table.about} Key: {key}.\n"
    yield "| column | type | meaning |"
    yield "| --- | --- | --- |"
    for column in table.columns:
        yield f"| `{column.name}` | {column.kind} | {column.about} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(reference())
