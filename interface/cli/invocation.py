"""The options before the command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sagaledger.interface.bootstrap.settings import Setting, Settings

__all__ = ["Invocation", "pass_invocation"]


@dataclass(slots=True)
class Invocation:
    """The options before the command."""

    data: Path
    """The data folder."""
    named_data: Path | None = None
    """The data folder as the flag names it; None if the configuration names it."""
    config: Path | None = None
    """The configuration file; None for the one in the data folder, if there is one."""
    app: str = ""
    """The app that registers the user's definitions, `module:attribute`, as the flag names it;
    empty if only the configuration may name one."""
    debug: bool = False

    def settings(self, flags: Sequence[Setting] = ()) -> Settings:
        """The settings of this invocation; flags of the command win.

        Raises:
            ConfigurationError: a setting cannot be used.
        """
        from sagaledger.interface.bootstrap.settings import Setting
        from sagaledger.interface.bootstrap.sources import load_settings

        app = [Setting("app", self.app, "--app")] if self.app else []
        return load_settings(self.named_data, self.config, [*app, *flags], data_source="--data")


pass_invocation = click.make_pass_decorator(Invocation)
"""Gives a command's function the invocation as its first argument."""
