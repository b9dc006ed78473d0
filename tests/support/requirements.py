"""What tests need from outside of Python: skipped without it, except where everything must run."""

from __future__ import annotations

import os
import shutil

import pytest

__all__ = ["required_program"]


def required_program(name: str) -> None:
    """Skip the test if a program is not installed; in CI, fail it."""
    if shutil.which(name) is None:
        missing = f"the program {name} is not installed"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
