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
    """The stores and the embedder of a data folder, for good."""

    stores: Mapping[str, str]
    """The URL of each store by its key in the configuration, without user and password."""
    embedder_name: str
    """The name or URL under which the embedder is registered; empty if a program brought it."""
    embedder: EmbedderIdentity | None
    """What it calls itself; None while no vector is stored and nobody asked."""
    is_whole: bool = True
    """Whether every store was opened once. Until then nothing is stored, and others may be used."""

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
            known = identity if identity.name else None
            return cls(stores, str(made_by["name"]), known, facts.get("whole") is not False)
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
        facts: dict[str, Any] = {"format": format_number, "stores": dict(self.stores)}
        facts["embedder"] = embedder
        if not self.is_whole:
            facts["whole"] = False
        return json.dumps(facts, indent=2).encode() + b"\n"
