"""Whichever step fails, and however, the real stores hold nothing of the saga afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sagaledger.application.engine.saga_repository import find_saga
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.document.values import DocumentOwner, document_id_of
from sagaledger.domain.errors import StorageBackendError, StorageFullError
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.errors import SagaRollbackRequired
from sagaledger.domain.saga.events import CompensationAttempted
from sagaledger.domain.saga.values import RollbackReason, SagaStatus
from sagaledger.domain.upload.values import upload_id_of, upload_prefix_of
from sagaledger.interface.library.ledger import Ledger, open_ledger

from tests.support.faults import Fault
from tests.support.ledgers import QUICK
from tests.support.step_faults import (
    STEPS_UNDONE,
    UNDOS,
    break_step,
    break_undo,
    mended_afterwards,
)

CHUNK_BYTES = 16 * 1024
CONFIG = replace(
    QUICK, chunk_size_bytes=CHUNK_BYTES, again=True, max_resume_attempts=2, store_attempts=2
)
ERRORS: dict[str, Callable[[], Exception]] = {
    "busy": lambda: StorageBackendError("store", "call", "injected"),
    "full": lambda: StorageFullError("store", "call", "injected"),
    "ends": lambda: SagaRollbackRequired(RollbackReason.INVALID_STATE, "injected"),
    "foreign": lambda: OSError(5, "injected"),
    "unforeseen": lambda: RuntimeError(),
}
WHEN = ["before its effect", "after its effect"]
WORDS = "a saga that fails is undone to the last chunk, and nobody sees that it ever was. "
NEEDS_CHUNKS = ("upload", "verify")
"""Steps whose call is made for each chunk."""


@dataclass(repr=False)
class Place:
    """A ledger on real engines, the folder of its data, and a file to ingest.

    One for all examples: what else the stores hold must change nothing. Failing examples show it
    by its type alone, for its contents are long.
    """

    ledger: Ledger
    data: Path
    source: Path
    others: dict[bytes, Other] = field(default_factory=dict)

    def other_with(self, content: bytes) -> Other:
        """A committed document with the content that the failing saga will have."""
        self.source.write_bytes(content)
        if content not in self.others:
            document = self.ledger.ingest(self.source, CONFIG).document
            assert document is not None
            self.others[content] = Other(document, self.holdings(UUID(document.saga_id)))
        return self.others[content]

    def holdings(self, saga_id: UUID) -> dict[str, Any]:
        """What the real stores hold of one saga, by listing and by counting."""
        services = self.ledger.services
        sha256 = hashlib.sha256(self.source.read_bytes()).digest()
        owner = DocumentOwner(document_id_of("default", sha256, saga_id), saga_id.hex)
        prefix = upload_prefix_of(upload_id_of(saga_id))
        held: dict[str, Any] = {
            "chunks": [(chunk.key, chunk.stored_bytes) for chunk in services.chunks.list(prefix)],
            "place": prefix in set(services.chunks.prefixes()),
            "folder": (self.data / "chunks" / prefix).exists(),
            "visible": len(services.relational.find(owner.document_id)),
            "links": list(services.graph.same_content(owner.document_id)),
        }
        for store in (services.vectors, services.graph, services.relational, services.manifests):
            held[store.name] = store.count(owner)
            held[f"listed in {store.name}"] = owner in set(store.owners())
        return held

    def check_untouched(self, other: Other) -> None:
        """It is whole, seen, and linked with nothing that is gone."""
        documents = self.ledger.documents
        assert self.holdings(UUID(other.document.saga_id)) == other.held
        assert b"".join(documents.content(other.document)) == self.source.read_bytes()
        assert documents.verify(other.document).holds

    def undos(self, saga_id: UUID) -> list[CompensationAttempted]:
        """Every try to undo a step of the saga, in order."""
        told = (item.event for item in events_of(self.ledger.log.read_stream(saga_id)))
        return [event for event in told if isinstance(event, CompensationAttempted)]


@dataclass(frozen=True)
class Other:
    """A document that a failing saga must not touch, and what the stores hold of it."""

    document: DocumentRecord
    held: dict[str, Any]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("rollbacks")
    with open_ledger(folder / "data", CONFIG) as ledger:
        yield Place(ledger, folder / "data", folder / "source")


def content_of(size: int, kind: str) -> bytes:
    """Text that has passages, or bytes that have none."""
    if kind == "text":
        return (WORDS * (size // len(WORDS) + 1))[:size].encode()
    return Random(size).randbytes(size)


def contents(least: int = 0) -> st.SearchStrategy[bytes]:
    """Files of no, one and several chunks, with and without a rest."""
    sizes = [size for size in (3 * CHUNK_BYTES + 1, CHUNK_BYTES, 1, 0) if size >= least]
    return st.builds(content_of, st.sampled_from(sizes), st.sampled_from(["text", "binary"]))


def is_nothing(held: dict[str, Any]) -> bool:
    return not any(held.values())


def undone_when(step: str) -> list[str]:
    """The steps that are undone when one fails, in order of the rollback."""
    begun = STEPS_UNDONE[: STEPS_UNDONE.index(step) + 1]
    return [name for name in reversed(begun) if name in UNDOS]


@pytest.mark.parametrize("after", [False, True], ids=WHEN)
@pytest.mark.parametrize("step", STEPS_UNDONE)
@given(data=st.data(), error=st.sampled_from(sorted(ERRORS)))
@settings(max_examples=2, deadline=None, database=None)
def test_step_that_fails_leaves_nothing_and_touches_nothing_else(
    place: Place, step: str, after: bool, data: st.DataObject, error: str
) -> None:
    other = place.other_with(data.draw(contents(int(step in NEEDS_CHUNKS))))
    saga_id = uuid4()

    with mended_afterwards(place.ledger):
        break_step(place.ledger, step, Fault(ERRORS[error](), after=after))
        result = place.ledger.stream(place.source, CONFIG, saga_id=saga_id)

    saga = find_saga(place.ledger.log, saga_id)
    assert saga is not None
    assert saga.rollback is not None
    assert (result.status, saga.status) == (SagaStatus.COMPENSATED, SagaStatus.COMPENSATED)
    assert (saga.rollback.step, saga.unverified) == (step, ())
    assert [undo.step for undo in place.undos(saga_id)] == undone_when(step)
    assert is_nothing(place.holdings(saga_id))
    place.check_untouched(other)


PAIRS = [(step, undo) for step in STEPS_UNDONE for undo in undone_when(step)]


@given(
    pair=st.sampled_from(PAIRS),
    content=contents(least=1),
    errors=st.tuples(st.sampled_from(sorted(ERRORS)), st.sampled_from(sorted(ERRORS))),
    after=st.tuples(st.booleans(), st.booleans()),
)
@settings(max_examples=15, deadline=None, database=None)
def test_undo_that_fails_once_is_tried_again_and_leaves_nothing(
    place: Place,
    pair: tuple[str, str],
    content: bytes,
    errors: tuple[str, str],
    after: tuple[bool, bool],
) -> None:
    step, undo = pair
    other = place.other_with(content)
    saga_id = uuid4()
    undo_fault = Fault(ERRORS[errors[1]](), times=1, after=after[1])

    with mended_afterwards(place.ledger):
        break_step(place.ledger, step, Fault(ERRORS[errors[0]](), after=after[0]))
        break_undo(place.ledger, undo, undo_fault)
        result = place.ledger.stream(place.source, CONFIG, saga_id=saga_id)

    tries = [attempted for attempted in place.undos(saga_id) if attempted.step == undo]
    assert result.status is SagaStatus.COMPENSATED
    assert (tries[-1].residue, tries[-1].probed) == ((), True)
    # A chunk whose commit is in doubt is removed on the way forward too, to be written again.
    met_before = (step, undo, after[0]) == ("upload", "upload", True)
    assert met_before or bool(tries[0].error) == (undo_fault.seen > 0)
    # What was not undone the first time is undone the second; an error alone proves nothing left.
    assert len(tries) == (2 if tries[0].residue else 1)
    assert is_nothing(place.holdings(saga_id))
    place.check_untouched(other)


@pytest.mark.parametrize("after", [False, True], ids=WHEN)
@given(content=contents(), error=st.sampled_from(sorted(ERRORS)))
@settings(max_examples=2, deadline=None, database=None)
def test_last_step_that_fails_is_past_the_decision_and_finished_by_recovery(
    place: Place, after: bool, content: bytes, error: str
) -> None:
    saga_id = uuid4()
    # Content of its own, for it becomes a document.
    content += saga_id.bytes
    place.source.write_bytes(content)
    with mended_afterwards(place.ledger):
        break_step(place.ledger, "finalize", Fault(ERRORS[error](), after=after))
        failed = place.ledger.stream(place.source, CONFIG, saga_id=saga_id)
    assert (failed.status, failed.decided) == (SagaStatus.RUNNING, True)
    assert place.holdings(saga_id)["visible"] == int(after)

    place.ledger.recover()

    saga = find_saga(place.ledger.log, saga_id)
    assert saga is not None
    assert (saga.status, saga.rollback, place.undos(saga_id)) == (SagaStatus.COMPLETED, None, [])
    held = place.holdings(saga_id)
    assert {name: held[name] for name in ("visible", "manifests", "place")} == {
        "visible": 1,
        "manifests": 1,
        "place": True,
    }
    document = place.ledger.documents.find(str(saga.outputs["secure"]["document_id"]))
    assert b"".join(place.ledger.documents.content(document)) == content
