"""The page for analysts says what the tables are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from sagaledger.domain.history.envelope import Event
from sagaledger.infrastructure.event_store import MemoryEventStore
from sagaledger.projections import Projection, Rule, open_projections
from sagaledger.projections.engine.tables import Table, text
from sagaledger.projections.reference import reference
from sagaledger.projections.registry import PROJECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "projections.md"


def test_page_is_made_from_the_tables() -> None:
    assert PAGE.read_text() == reference(), "python -m sagaledger.projections.reference writes it"


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)
def test_every_column_says_what_it_means_and_times_their_unit(projection: Projection) -> None:
    for table in projection.tables:
        names = [column.name for column in table.columns]
        assert set(table.key) <= set(names)
        if isinstance(table, Table):
            assert {name for index in table.indexes for name in index} <= set(names)
        for column in table.columns:
            assert column.about.endswith("."), column
            assert ("µs" in column.about) == column.name.endswith("_us"), column


class _Stranger:
    """A projection of another package."""

    version = 1

    def __init__(self, name: str, table: str) -> None:
        self.name = name
        self.tables = (Table(table, "A thing.", (text("id", "Its id."),), key=("id",)),)
        self.rules: Mapping[type[Event], Rule] = {}


@pytest.mark.parametrize(
    "stranger", [_Stranger("sagas", "own"), _Stranger("own", "sagas"), _Stranger("own", "progress")]
)
def test_projection_that_takes_the_name_of_another_one_is_refused(stranger: _Stranger) -> None:
    log = MemoryEventStore()
    open_projections(None, log, [_Stranger("own", "own")]).close()

    with pytest.raises(ValueError, match="names of their own"):
        open_projections(None, log, [stranger])
