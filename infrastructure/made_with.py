"""What a data folder was made with, as its mark file says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagaledger.domain.document.values import EmbedderIdentity

__all__ = ["MadeWith"]


@dataclass(frozen=True, slots=True)
class MadeWith:
    """The stores and the embedder of a data folder, which never change."""

    stores: Mapping[str, str]
    """The URL of each store by its key in the configuration, without user and password."""
    embedder_name: str
    """The registered name or URL of the embedder; empty if a program passed an object."""
    embedder: EmbedderIdentity | None
    """What it calls itself; None while no vector is stored and nobody asked."""
    is_complete: bool = True
    """Whether all of it could be opened once. Until then it binds nobody: a URL may be mistaken."""

    @classmethod
    def from_mark(cls, facts: Any) -> MadeWith | None:
        """Read a mark's content; None if it says nothing of stores, as one of 0.1.0.

        Raises:
            ValueError: it is damaged.
        """
        if not isinstance(facts, dict) or "stores" not in facts:
            return None
        try:
            stores = {str(key): str(url) for key, url in facts["stores"].items()}
            made_by = facts["embedder"]
            identity = EmbedderIdentity(str(made_by["identity"]), int(made_by["dimension"]))
            is_complete = facts.get("complete") is not False
            return cls(
                stores, str(made_by["name"]), identity if identity.name else None, is_complete
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("the mark is damaged") from error

    def to_mark(self, format_number: int) -> bytes:
        """The mark's content."""
        identity = self.embedder or EmbedderIdentity("", 0)
        embedder = {
            "name": self.embedder_name,
            "identity": identity.name,
            "dimension": identity.dimension,
        }
        facts = {"format": format_number, "stores": dict(self.stores), "embedder": embedder}
        if not self.is_complete:
            facts["complete"] = False
        return json.dumps(facts, indent=2).encode() + b"\n"
