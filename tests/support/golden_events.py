"""Golden files: a stored event as text, with its columns and the bytes of its state in hex.

`python -m tests.support.golden_events` writes the files that are missing, and never another.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.infrastructure.event_store.codec import EventCodec

from tests.support.event_examples import EVENT_EXAMPLES

__all__ = ["GOLDEN_EVENTS", "GoldenEvent", "read_golden", "write_missing"]

GOLDEN_EVENTS = Path(__file__).parent.parent / "golden" / "events"
_STREAM = UUID("00112233445566778899aabbccddeeff")
_HEX_PER_LINE = 64


@dataclass(frozen=True, slots=True)
class GoldenEvent:
    """One golden file."""

    type_name: str
    stream_id: UUID
    version: int
    at_us: int
    worker: str
    epoch: int
    state: bytes

    def recorded(self, event: Event) -> RecordedEvent:
        """The event in the envelope that the file tells of."""
        return RecordedEvent(
            self.stream_id, self.version, self.at_us, self.worker, self.epoch, event
        )


def read_golden(path: Path) -> GoldenEvent:
    """The file's content."""
    head, _, state = path.read_text().partition("state:")
    told = dict(line.split(": ", 1) for line in head.splitlines())
    return GoldenEvent(
        told["type"],
        UUID(told["stream"]),
        int(told["version"]),
        int(told["at_us"]),
        told["worker"],
        int(told["epoch"]),
        bytes.fromhex(state),
    )


def write_missing(folder: Path) -> list[Path]:
    """Write a file for each example that has none. Returns the new files."""
    written = []
    for name, event in EVENT_EXAMPLES.items():
        path = folder / f"{name}.txt"
        if not path.exists():
            recorded = RecordedEvent(_STREAM, 7, 1_717_243_200_123_456, "a1b2c3d4", 2, event)
            path.write_text(_as_text(recorded))
            written.append(path)
    return written


def _as_text(recorded: RecordedEvent) -> str:
    type_name, state = EventCodec().encode(recorded)
    digits = state.hex()
    lines = [digits[i : i + _HEX_PER_LINE] for i in range(0, len(digits), _HEX_PER_LINE)]
    return "\n".join(
        [
            f"type: {type_name}",
            f"stream: {recorded.originator_id.hex}",
            f"version: {recorded.originator_version}",
            f"at_us: {recorded.at_us}",
            f"worker: {recorded.worker}",
            f"epoch: {recorded.epoch}",
            "state:",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    for new in write_missing(GOLDEN_EVENTS):
        print(new)  # noqa: T201 - the command's result
