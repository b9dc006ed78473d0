"""Converts domain values to plain data, for JSON and similar formats."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any
from uuid import UUID

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """The value as plain data for JSON: ids and digests as hexadecimal, enums as their text."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, bytes):
        return value.hex()
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        return [plain(item) for item in value]
    return value
