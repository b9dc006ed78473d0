"""Plain data, as events, parameters and outputs hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

__all__ = ["Parameters", "Value"]

Value: TypeAlias = "bool | int | float | str | bytes | list[Value] | dict[str, Value] | None"
"""What an event, a saga parameter or a step's output may hold: plain data that any codec knows."""

Parameters: TypeAlias = Mapping[str, Value]
