"""The reference pages of the documentation, made from the code that they describe.

`python -m sagaledger.interface.reference docs/reference` writes them; a test compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sagaledger.interface.reference.commands import commands_page
from sagaledger.interface.reference.configuration import configuration_page
from sagaledger.interface.reference.errors import exit_codes_page
from sagaledger.interface.reference.events import events_page
from sagaledger.interface.reference.library import library_page
from sagaledger.interface.reference.ports import ports_page, testing_page

__all__ = ["PAGES"]

PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "configuration.md": configuration_page,
    "events.md": events_page,
    "exit-codes.md": exit_codes_page,
    "library.md": library_page,
    "ports.md": ports_page,
    "testing.md": testing_page,
}
"""What makes each page, by its file name."""
