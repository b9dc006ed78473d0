"""The reference pages of the documentation, made from the code that they describe.

`python -m reference docs/reference` writes them, from the checkout; a test compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reference.commands import commands_page
from reference.configuration import configuration_page
from reference.errors import exit_codes_page
from reference.events import events_page
from reference.library import library_page
from reference.ports import ports_page, testing_page

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
