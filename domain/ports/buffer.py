"""Bytes that a store accepts without a copy."""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["Buffer"]

Buffer: TypeAlias = bytes | bytearray | memoryview
