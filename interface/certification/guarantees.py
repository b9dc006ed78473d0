"""The guarantees that a certification tries to break."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Guarantee"]


class Guarantee(StrEnum):
    """A guarantee of the design; `text` says what holds."""

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
        """What holds, in a line."""
        return _TEXTS[self]


_TEXTS = {
    Guarantee.G1: "nothing reaches a database before the upload was verified by reading it back",
    Guarantee.G2: "a document is in all stores and visible, or in none and invisible",
    Guarantee.G3: "every failure is an event, and what is left is on the orphan list",
    Guarantee.G4: "a rollback reaches its last step, and says truly what is left",
    Guarantee.G5: "the source is never written, and a change of it is detected",
    Guarantee.G6: "after kill -9 recovery ends every saga, and no chunk is untracked",
    Guarantee.G7: "a saga has one outcome and touches nobody else's data",
    Guarantee.G8: "once stores answer, every orphan is removed, and that is recorded",
    Guarantee.G9: "state and projections rebuilt from the log equal the live ones",
}
