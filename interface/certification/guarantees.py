"""The guarantees that a certification tests."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Guarantee"]


class Guarantee(StrEnum):
    """A guarantee of the design; `text` describes it."""

    G1 = "G1"
    G2 = "G2"
    G3 = "G3"
    G4 = "G4"
    G5 = "G5"
    G6 = "G6"
    G7 = "G7"
    G8 = "G8"
    G9 = "G9"

    @property
    def text(self) -> str:
        """The guarantee in one line."""
        return _TEXTS[self]


_TEXTS = {
    Guarantee.G1: "nothing reaches a database before the upload was verified by reading it back",
    Guarantee.G2: "a document is in all stores and visible, or in none and invisible",
    Guarantee.G3: "every failure is an event, and what is left is on the orphan list",
    Guarantee.G4: "a rollback reaches its last step and reports its residue correctly",
    Guarantee.G5: "the source is never written, and a change of it is detected",
    Guarantee.G6: "after kill -9 recovery ends every saga, and no chunk is untracked",
    Guarantee.G7: "a saga has one outcome and never changes another saga's data",
    Guarantee.G8: "once the stores respond, every orphan is removed and its removal recorded",
    Guarantee.G9: "state and projections rebuilt from the log equal the live ones",
}
