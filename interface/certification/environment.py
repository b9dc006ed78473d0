"""Creates identical ledgers for cases, with fault injection at their ports on demand."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.events import SagaStarted
from sagaledger.domain.upload.values import upload_id_of, upload_prefix_of
from sagaledger.infrastructure.ballast import BallastFile
from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.infrastructure.system_clock import SystemClock
from sagaledger.interface.certification.port_calls import Interceptor, intercepted
from sagaledger.interface.certification.processes import in_process
from sagaledger.interface.library.ledger import Ledger
from sagaledger.projections import open_projections

if TYPE_CHECKING:
    from sagaledger.domain.ports.embedder import Embedder
    from sagaledger.interface.bootstrap.settings import Settings

__all__ = [
    "PATIENCE_S",
    "CaseLedger",
    "Environment",
    "ServicesFactory",
    "configured_in",
    "embedded_in",
    "open_environment",
]

PATIENCE_S = 60.0
"""The time limit for a process of a case, in seconds."""
_MANY_EVENTS = 100_000
_TEXT = b"All or nothing, and proof of it. "

ServicesFactory = Callable[[DataFolder], IngestionServices]
"""Opens the adapters of a ledger whose log is in this folder."""

_ATTACKED = (
    *("log", "snapshots", "chunks", "source"),
    *("vectors", "graph", "relational", "manifests", "clock"),
)


def embedded_in(embedder: Embedder, stores: DataFolder | None = None) -> ServicesFactory:
    """The embedded stores: those of one data folder, or new ones beside each log."""
    from sagaledger.interface.bootstrap.settings import Settings

    return configured_in(Settings.defaults(), embedder, stores)


def configured_in(
    settings: Settings, embedder: Embedder, stores: DataFolder | None = None
) -> ServicesFactory:
    """The stores that are configured: those of one data folder, or new ones beside each log."""
    from sagaledger.interface.bootstrap.opening import open_services

    place = stores.root if stores else None
    return lambda folder: open_services(settings, folder.root, embedder, SystemClock(), place)


@dataclass(frozen=True, slots=True)
class CaseLedger:
    """The ledger and the files of a case."""

    folder: Path
    """Contains the data folder, the source and the notes."""
    untouched: DocumentRecord
    """A document with the source's content that no process may change."""
    doomed: DocumentRecord
    """A document for the case to delete."""

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def source(self) -> Path:
        """The file that the case ingests."""
        return self.folder / "source.txt"


@dataclass(slots=True)
class Environment:
    """Keeps all files in one folder, and all documents in one namespace."""

    folder: Path
    content: bytes
    """The content of the cases' source file."""
    open_services: ServicesFactory
    shares_stores: bool
    """Whether all cases share the same stores. Their ledgers then cannot be copied."""
    namespace: str
    chunk_size_bytes: int
    _template: CaseLedger | None = field(default=None, init=False)

    @property
    def config(self) -> StreamingSagaConfig:
        """No delays and one chunk at a time: the same calls in the same order in every run."""
        return StreamingSagaConfig(
            resume_retry_delay_s=0.0,
            store_retry_delay_s=0.0,
            compensation_retry_delay_s=0.0,
            chunk_size_bytes=self.chunk_size_bytes,
            namespace=self.namespace,
            again=True,
            writer_threads=1,
        )

    def fresh(self) -> CaseLedger:
        """A ledger with two documents, and a source that is not ingested yet.

        Raises:
            StorageBackendError: the two documents could not be ingested.
        """
        folder = self.folder / uuid4().hex
        if self.shares_stores:
            return self._prepare_in_process(folder)
        if self._template is None:
            self._template = self._prepare_in_process(self.folder / "template")
        shutil.copytree(self._template.folder, folder)
        return replace(self._template, folder=folder)

    def open(self, case: CaseLedger, interceptors: Sequence[Interceptor] = ()) -> Ledger:
        """The ledger of a case. Every port call goes through the interceptors."""
        return self._open(case.data, interceptors)

    def bare_services(self, case: CaseLedger) -> IngestionServices:
        """The adapters of a case, without interceptors."""
        return self.open_services(DataFolder.open(case.data))

    def _open(self, folder: Path, interceptors: Sequence[Interceptor] = ()) -> Ledger:
        from sagaledger.interface.bootstrap.opening import open_leases

        data = DataFolder.open(folder)
        services = self.open_services(data)
        leases = open_leases(data, services.clock)
        if interceptors:
            ports = {name: getattr(services, name) for name in _ATTACKED} | {"leases": leases}
            further = {store.name: store for store in services.further_stores}
            wrapped = intercepted(ports | further, interceptors)
            leases = wrapped.pop("leases")
            services.further_stores = tuple(wrapped.pop(name) for name in further)
            for name, port in wrapped.items():
                setattr(services, name, port)
        return Ledger(
            services,
            leases,
            BallastFile(data.reserve),
            open_projections(data.projections_db, services.log),
            self.config,
        )

    def erase(self, case: CaseLedger) -> None:
        """Remove a case with all items of its sagas in the stores.

        `erase_all` tries again to remove what cannot be removed now.
        """
        if not self._erase(case.folder):
            shutil.rmtree(case.folder)

    def erase_all(self) -> list[str]:
        """Remove every case, ended or not. Returns the items that remain in the stores.

        At the end every store is searched for items under the namespace.
        """
        left: list[str] = []
        for folder in sorted(self.folder.iterdir()):
            left += self._erase(folder)
            shutil.rmtree(folder)
        self._template = None
        return [*left, *(self._in_stores(self.folder, _list_under(self.namespace)))]

    def _erase(self, folder: Path) -> list[str]:
        return self._in_stores(folder, _erase_items)

    def _in_stores(
        self, folder: Path, work: Callable[[IngestionServices], Iterable[str]]
    ) -> list[str]:
        if not self.shares_stores:
            return []
        ended = in_process(
            lambda: list(work(self.open_services(DataFolder.open(folder / "data")))), PATIENCE_S
        )
        return [ended.problem] if ended.value is None else ended.value

    def _prepare_in_process(self, folder: Path) -> CaseLedger:
        made = in_process(lambda: self._prepare(folder), PATIENCE_S)
        if made.value is None:
            cause = f"two documents could not be ingested: {made.problem}"
            raise StorageBackendError("certified", "prepare", cause)
        return made.value

    def _prepare(self, folder: Path) -> CaseLedger:
        folder.mkdir(parents=True)
        source = folder / "source.txt"
        source.write_bytes(self.content)
        with self._open(folder / "data") as ledger:
            untouched, doomed = (ledger.ingest(source) for _ in range(2))
        if untouched.document is None or doomed.document is None:
            raise StorageBackendError("certified", "prepare", repr(untouched.saga or doomed.saga))
        return CaseLedger(folder, untouched.document, doomed.document)


def _erase_items(services: IngestionServices) -> Iterator[str]:
    """Removes all items of a log's sagas; yields the items that remain."""
    sagas = [
        recorded.originator_id
        for recorded in events_of(services.log.read_log(0, _MANY_EVENTS))
        if isinstance(recorded.event, SagaStarted)
    ]
    yield from _erase_rows(services, sagas)
    yield from _erase_chunks(services, sagas)


def _list_under(namespace: str) -> Callable[[IngestionServices], Iterator[str]]:
    def listed(services: IngestionServices) -> Iterator[str]:
        for store in services.owned_stores:
            for owner in store.owners():
                if owner.document_id.startswith(f"{namespace}-"):
                    yield f"{store.name}: {owner.document_id}"

    return listed


def _erase_rows(services: IngestionServices, sagas: Sequence[UUID]) -> Iterator[str]:
    ids = {saga_id.hex for saga_id in sagas}
    for store in services.owned_stores:
        for owner in [owner for owner in store.owners() if owner.saga_id in ids]:
            store.delete(owner)
            if store.count(owner):
                yield f"{store.name}: {owner.document_id}"


def _erase_chunks(services: IngestionServices, sagas: Sequence[UUID]) -> Iterator[str]:
    for saga_id in sagas:
        prefix = upload_prefix_of(upload_id_of(saga_id))
        for chunk in list(services.chunks.list(prefix)):
            services.chunks.delete(chunk.key)
        services.chunks.close_prefix(prefix)
        for chunk in services.chunks.list(prefix):
            yield f"{services.chunks.name}: {chunk.key}"


@contextmanager
def open_environment(
    settings: Settings, file_size_bytes: int, chunk_size_bytes: int, *, throwaway: bool = False
) -> Iterator[Environment]:
    """An environment on the stores of a data folder, or on new ones if it does not exist.

    Each has a namespace of its own, and its cases ingest a file of the given size. Stores that are
    not files of the data folder are the same for all cases.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: the data folder cannot be used.
    """
    from sagaledger.interface.bootstrap.opening import open_embedder

    stores = None if throwaway else _existing(settings)
    with tempfile.TemporaryDirectory(prefix="sagaledger-certify-") as folder:
        cases = Path(folder, "cases")
        cases.mkdir()
        if stores is None and not settings.is_within_data_folder():
            stores = DataFolder.open(Path(folder, "stores"))
        yield Environment(
            folder=cases,
            content=(_TEXT * (file_size_bytes // len(_TEXT) + 1))[:file_size_bytes],
            open_services=configured_in(settings, open_embedder(settings, SystemClock()), stores),
            shares_stores=stores is not None,
            namespace=f"certify_{secrets.token_hex(4)}",
            chunk_size_bytes=chunk_size_bytes,
        )


def _existing(settings: Settings) -> DataFolder | None:
    from sagaledger.interface.bootstrap.adapters import require_whole
    from sagaledger.interface.bootstrap.remembered import remembered, require_same_stores

    if not DataFolder.is_made(settings.data):
        return None
    stores = DataFolder.open(settings.data)
    if (noted := remembered(stores.root)) is not None:
        require_same_stores(settings.data, noted, settings.store_identities())
    require_whole(settings, stores)
    return stores
