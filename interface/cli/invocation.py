"""What the options before the command say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

__all__ = ["Invocation", "pass_invocation"]


@dataclass(slots=True)
class Invocation:
    """What the options before the command say."""

    data: Path
    app: str = ""
    """Where definitions of one's own are registered, `module:attribute`; empty for none."""
    debug: bool = False


pass_invocation = click.make_pass_decorator(Invocation)
"""Gives a command's function the invocation as its first argument."""
