"""Holds the facts that documents tell against what the sagas and the deletions did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from sagaledger.application.ingestion.parameters import StoreList
from sagaledger.domain.document.events import (
    DocumentCommitted,
    DocumentDeleted,
    DocumentEvent,
    DocumentHidden,
    DocumentIndexed,
    DocumentSecured,
    DocumentWithdrawn,
)
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.saga.events import (
    CompensationAttempted,
    SagaStarted,
    StepCompleted,
    StepStarted,
)

__all__ = ["differing_facts"]

_Fact: TypeAlias = tuple[type[Event], str]
"""A fact, and the saga that makes the document."""


def differing_facts(recorded: Sequence[RecordedEvent]) -> Iterator[str]:
    """What the documents of a log tell and their sagas do not bear out, or the other way round.

    Only the bare events are asked. Sagas of version 1 tell no facts.
    """
    facts: Counter[_Fact] = Counter()
    for item in recorded:
        if isinstance(item.event, DocumentEvent):
            facts[type(item.event), item.event.saga_id] += 1
    for (fact, saga_id), count in facts.items():
        if count > 1:
            yield f"{fact.__name__} of saga {saga_id} is recorded {count} times"
    done, may_be = _borne_out(recorded)
    for fact, saga_id in sorted(done - set(facts), key=repr):
        yield f"{fact.__name__} of saga {saga_id} is true but not recorded"
    for fact, saga_id in sorted(set(facts) - done - may_be, key=repr):
        if fact is not DocumentIndexed:
            yield f"{fact.__name__} of saga {saga_id} is recorded but not true"


def _borne_out(recorded: Sequence[RecordedEvent]) -> tuple[set[_Fact], set[_Fact]]:
    """The facts that hold by what sagas of the shipped steps recorded, and those that may hold."""
    begun: dict[str, SagaStarted] = {}
    done: set[_Fact] = set()
    may_be: set[_Fact] = set()
    secured: set[str] = set()
    for item in recorded:
        saga_id, event = item.originator_id.hex, item.event
        if isinstance(event, DocumentSecured):
            secured.add(event.saga_id)
        if isinstance(event, SagaStarted) and StoreList.from_stored(event.parameters).version > 1:
            begun[saga_id] = event
        started = begun.get(saga_id)
        if started is None:
            continue
        owner = str(started.parameters.get("owner_saga_id", ""))
        match event:
            case StepStarted(step="secure"):
                # Where the log is full, its outcome is not stored, and what it has done is true.
                may_be.add((DocumentSecured, saga_id))
            case StepCompleted(step="secure"):
                done.add((DocumentSecured, saga_id))
            case StepCompleted(step="finalize"):
                done.add((DocumentCommitted, saga_id))
            case StepCompleted(step="hide") if owner:
                done.add((DocumentHidden, owner))
            case StepCompleted(step=step) if owner and step == started.steps[-1]:
                done.add((DocumentDeleted, owner))
            case CompensationAttempted(step="secure") if saga_id in secured and _is_clean(event):
                done.add((DocumentWithdrawn, saga_id))
    return done, may_be


def _is_clean(attempted: CompensationAttempted) -> bool:
    return attempted.probed and not attempted.residue
