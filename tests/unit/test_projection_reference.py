"""The page for analysts says what the tables are."""

from __future__ import annotations

from pathlib import Path

import pytest
from sagaledger.projections import Projection
from sagaledger.projections.engine.tables import Table
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


def test_no_two_projections_keep_a_table_of_one_name() -> None:
    names = [table.name for projection in PROJECTIONS for table in projection.tables]

    assert len(set(names)) == len(names)
    assert "progress" not in names
