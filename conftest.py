"""Properties are drawn from one seed: `HYPOTHESIS_SEED=N pytest` repeats what a run with N drew.

The `--hypothesis-seed` of Hypothesis does that too, but then keeps no failing examples.
"""

from __future__ import annotations

import os

import hypothesis
import pytest
from hypothesis.stateful import RuleBasedStateMachine

SEED = os.environ.get("HYPOTHESIS_SEED", "")


def pytest_report_header() -> str:
    """Say by which seed this run can be repeated."""
    return f"properties: HYPOTHESIS_SEED={SEED}" if SEED else "properties: no HYPOTHESIS_SEED"


def pytest_configure() -> None:
    """Seed every state machine, which looks for its seed in its base class."""
    if SEED:
        hypothesis.seed(int(SEED))(RuleBasedStateMachine)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Seed a property; a state machine's test has the seed already."""
    if not (SEED and isinstance(item, pytest.Function)):
        return
    is_machine = hasattr(item.obj, "_hypothesis_state_machine_class")
    if hypothesis.is_hypothesis_test(item.obj) and not is_machine:
        # A method takes no attributes; the function that it binds does.
        hypothesis.seed(int(SEED))(getattr(item.obj, "__func__", item.obj))
