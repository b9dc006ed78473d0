"""The actor of a command."""

from __future__ import annotations

import getpass
import socket

__all__ = ["actor"]


def actor() -> str:
    """The actor of a command, for the log: user and host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
