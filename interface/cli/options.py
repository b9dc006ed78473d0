"""Options and arguments that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = [
    "embedder_option",
    "json_option",
    "limit_option",
    "reason_option",
    "saga_argument",
]

_F = TypeVar("_F", bound=Callable[..., Any])
_MOST = 1_000_000


def json_option(text: str = "Print JSON.") -> Callable[[_F], _F]:
    """`--json`, as the parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=text)


def limit_option(
    text: str = "How many at most.", *, default: int = 1000, most: int = _MOST
) -> Callable[[_F], _F]:
    """`--limit`, as the parameter `limit`."""
    return click.option(
        "--limit",
        type=click.IntRange(1, most),
        default=default,
        show_default=True,
        help=text,
    )


def reason_option() -> Callable[[_F], _F]:
    """`--reason`, which has to be given, as the parameter `reason`."""
    return click.option("--reason", required=True, help="Why, for the history.")


def saga_argument() -> Callable[[_F], _F]:
    """SAGA, an id or its beginning, as the parameter `saga`."""
    return click.argument("saga")


def embedder_option(text: str) -> Callable[[_F], _F]:
    """`--embedder`, the name of one that this version knows, as the parameter `embedder`."""
    return click.option(
        "--embedder", default="hashing", show_default=True, callback=_known_embedder, help=text
    )


def _known_embedder(context: click.Context, parameter: click.Parameter, name: str) -> str:
    from sagaledger.infrastructure.embedders import EMBEDDER_NAMES

    if name not in EMBEDDER_NAMES:
        known = ", ".join(EMBEDDER_NAMES)
        raise click.BadParameter(f"no embedder {name!r}; there are {known}", context, parameter)
    return name
