"""Reads stored plain data with a type check. The error names the entry that is missing or wrong."""

from __future__ import annotations

from collections.abc import Mapping

from sagaledger.domain.saga.errors import PlainDataInvalidError
from sagaledger.domain.values import Parameters, Value

__all__ = ["integer", "items", "number", "output_of", "text"]


def text(stored: Parameters, name: str) -> str:
    """The text entry with this name.

    Raises:
        PlainDataInvalidError: The entry is missing or has another type.
    """
    value = _found(stored, name)
    if not isinstance(value, str):
        raise _misfit(name, "text", value)
    return value


def integer(stored: Parameters, name: str) -> int:
    """The integer entry with this name.

    Raises:
        PlainDataInvalidError: The entry is missing or has another type.
    """
    value = _found(stored, name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _misfit(name, "a whole number", value)
    return value


def number(stored: Parameters, name: str) -> float:
    """The number entry with this name.

    Raises:
        PlainDataInvalidError: The entry is missing or has another type.
    """
    value = _found(stored, name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _misfit(name, "a number", value)
    return float(value)


def items(stored: Parameters, name: str) -> list[Value]:
    """The list entry with this name.

    Raises:
        PlainDataInvalidError: The entry is missing or has another type.
    """
    value = _found(stored, name)
    if not isinstance(value, list):
        raise _misfit(name, "a list", value)
    return value


def output_of(outputs: Mapping[str, Parameters], step: str) -> Parameters:
    """The output of a completed step.

    Raises:
        PlainDataInvalidError: The saga has no such step, or the step is not completed.
    """
    if step not in outputs:
        raise PlainDataInvalidError(f"step {step}", "is not completed, and what it returns is used")
    return outputs[step]


def _found(stored: Parameters, name: str) -> Value:
    if name not in stored:
        raise PlainDataInvalidError(
            name, "is missing from the saga's parameters or a step's output"
        )
    return stored[name]


def _misfit(name: str, wanted: str, value: Value) -> PlainDataInvalidError:
    return PlainDataInvalidError(name, f"is {type(value).__name__} where {wanted} belongs")
