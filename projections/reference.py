"""The reference of all tables, made from what makes them: `docs/projections.md`.

`python -m sagaledger.projections.reference > docs/projections.md` writes it.
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

Tables derived from the event log, in `projections.db` of the data folder: an SQLite file that
anybody may read while work goes on. It holds nothing that the log does not; delete it, and it is
made anew.

`sagaledger project` brings them up to date and says how far each is, `--follow` goes on with every
new event, and `--rebuild [NAME]` makes one or all anew from the first event, while the old rows
serve until the new ones take their place at one moment. Rows and position change in one
transaction, so each event counts exactly once, whatever ends the process. A projection that an
older version has written is made anew; one of a newer version is refused.

`sagaledger query` asks them in SQL, and `sagaledger export` writes them to files for other
programs; [analysis.md](analysis.md) goes on from there.

Times are in µs since 1970 UTC, by the clock of the worker that recorded the event. This page is
made from the tables' own definitions (`python -m sagaledger.projections.reference`).
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
