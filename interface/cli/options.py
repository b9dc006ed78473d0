"""Options and arguments of several commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sagaledger.interface.bootstrap.settings import Setting

__all__ = [
    "embedder_flag",
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
    text: str = "The maximum number of rows.", *, default: int = 1000, most: int = _MOST
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
    """`--reason`, which is required, as the parameter `reason`."""
    return click.option("--reason", required=True, help="Why, for the history.")


def saga_argument() -> Callable[[_F], _F]:
    """SAGA, an id or its beginning, as the parameter `saga`."""
    return click.argument("saga")


def embedder_option(text: str) -> Callable[[_F], _F]:
    """`--embedder`, the name of an installed embedder or None, as the parameter `embedder`."""
    return click.option("--embedder", callback=_known_embedder, help=text)


def embedder_flag(name: str | None) -> list[Setting]:
    """The setting of `--embedder`; empty if it was not given."""
    from sagaledger.interface.bootstrap.settings import Setting

    return [] if name is None else [Setting("embedder", name, "--embedder")]


def _known_embedder(
    context: click.Context, parameter: click.Parameter, name: str | None
) -> str | None:
    from sagaledger.interface.bootstrap.registry import AdapterKind, is_registered, names_of

    scheme = name.partition("://")[0].lower() if name else ""
    if name is not None and not is_registered(AdapterKind.EMBEDDER, scheme):
        known = ", ".join(names_of(AdapterKind.EMBEDDER))
        raise click.BadParameter(f"no embedder {name!r}; there are {known}", context, parameter)
    return name
