"""Holds the facts that documents tell against what the sagas and the deletions did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sagaledger.application.ingestion.parameters import StoreList
from sagaledger.domain.document.events import (
    DocumentCommitted,
    DocumentDeleted,
    DocumentEvent,
    DocumentHidden,
    DocumentSecured,
    DocumentWithdrawn,
)
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.saga.events import (
    CompensationAttempted,
    SagaStarted,
    StepCompleted,
)

__all__ = ["differing_facts"]


def differing_facts(recorded: Sequence[RecordedEvent]) -> Iterator[str]:
    """What the documents of a log tell and their sagas do not bear out, or the other way round.

    Only the bare events are asked. Sagas of version 1 tell no facts.
    """
    facts: Counter[tuple[type[Event], str]] = Counter()
    for item in recorded:
        if isinstance(item.event, DocumentEvent):
            facts[type(item.event), item.event.saga_id] += 1
    for (fact, saga_id), count in facts.items():
        if count > 1:
            yield f"{fact.__name__} of saga {saga_id} is told {count} times"
    told = set(facts)
    done = set(_borne_out(recorded))
    for fact, saga_id in sorted(told ^ done, key=repr):
        if fact not in _CHECKED:
            continue
        problem = "is told, and is not so" if (fact, saga_id) in told else "is so, and is not told"
        yield f"{fact.__name__} of saga {saga_id} {problem}"


_CHECKED = {
    DocumentSecured,
    DocumentCommitted,
    DocumentHidden,
    DocumentDeleted,
    DocumentWithdrawn,
}


def _borne_out(recorded: Sequence[RecordedEvent]) -> Iterator[tuple[type[Event], str]]:
    """The facts that hold by what sagas of the shipped steps recorded."""
    begun: dict[str, SagaStarted] = {}
    secured: set[str] = set()
    for item in recorded:
        saga_id, event = item.originator_id.hex, item.event
        if isinstance(event, SagaStarted) and StoreList.from_stored(event.parameters).version > 1:
            begun[saga_id] = event
        started = begun.get(saga_id)
        if started is None:
            continue
        owner = str(started.parameters.get("owner_saga_id", ""))
        match event:
            case StepCompleted(step="secure"):
                secured.add(saga_id)
                yield DocumentSecured, saga_id
            case StepCompleted(step="finalize"):
                yield DocumentCommitted, saga_id
            case StepCompleted(step="hide") if owner:
                yield DocumentHidden, owner
            case StepCompleted(step=step) if owner and step == started.steps[-1]:
                yield DocumentDeleted, owner
            case CompensationAttempted(step="secure") if saga_id in secured and _is_clean(event):
                yield DocumentWithdrawn, saga_id


def _is_clean(attempted: CompensationAttempted) -> bool:
    return attempted.probed and not attempted.residue
