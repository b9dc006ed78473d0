"""The base of every contract class: a separate store for each test, and tests that need a disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

__all__ = ["Contract", "needs_durability"]

_Test = TypeVar("_Test", bound=Callable[..., Any])


def needs_durability(test: _Test) -> _Test:
    """Mark a test that only an adapter whose data outlives its process can pass."""
    test.__dict__["needs_durability"] = True
    return test


class Contract:
    """The tests that every adapter of a port passes, each in a folder of its own."""

    durable: ClassVar[bool] = True
    """Whether data outlives the process. A subclass with False has no test that needs it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.durable:
            return
        for name in dir(cls):
            if getattr(getattr(cls, name), "needs_durability", False):
                # Pytest collects no attribute that cannot be called.
                setattr(cls, name, None)
