"""The reference says what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest
import sagaledger
from sagaledger.infrastructure.event_store.event_types import EVENT_TYPES

from reference import PAGES

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_page_is_made_from_the_code(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name](), "`nox -s reference` writes it"


def test_library_page_has_every_public_name() -> None:
    page = (FOLDER / "library.md").read_text()

    assert [name for name in sagaledger.__all__ if f"### `{name}`\n" not in page] == []


def test_events_page_has_every_stored_name() -> None:
    page = (FOLDER / "events.md").read_text()

    assert [name for name in EVENT_TYPES.names if f"`{name}`" not in page] == []


def test_every_setting_has_a_meaning() -> None:
    lines = PAGES["configuration.md"]().splitlines()
    meanings = {
        line.split("|")[1].strip(): line.split("|")[4].strip()
        for line in lines
        if line.startswith("| `") and "`SAGALEDGER_" in line
    }

    assert "`ingestion.lease_s`" in meanings
    assert [setting for setting, meaning in meanings.items() if not meaning] == []
