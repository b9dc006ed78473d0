"""The pages of what authors of adapters use: ports and records, and the tests that ship."""

from __future__ import annotations

import sagaledger.ports
import sagaledger.testing

from reference.library import names_of

__all__ = ["ports_page", "testing_page"]

_PORTS = """\
# Ports

What an adapter of one's own is written against ([add a store](../how-to/add-a-store.md)): every
name of `sagaledger.ports`. This page is made from the code (`nox -s reference`)."""

_TESTING = """\
# Test classes

Every name of `sagaledger.testing`: tests that each adapter of a port has to pass, and what they
use. `pip install 'sagaledger[testing]'` brings what they need. This page is made from the code
(`nox -s reference`)."""


def ports_page() -> str:
    """The page of ports, as Markdown."""
    return "\n".join([_PORTS, "", *names_of(sagaledger.ports)]).rstrip() + "\n"


def testing_page() -> str:
    """The page of test classes, as Markdown."""
    return "\n".join([_TESTING, "", *names_of(sagaledger.testing)]).rstrip() + "\n"
