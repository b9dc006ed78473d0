"""Plain data: the type of event fields, parameters and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

__all__ = ["Parameters", "Value"]

Value: TypeAlias = "bool | int | float | str | bytes | list[Value] | dict[str, Value] | None"
"""The values of events, saga parameters and step outputs: plain data that any codec supports."""

Parameters: TypeAlias = Mapping[str, Value]
