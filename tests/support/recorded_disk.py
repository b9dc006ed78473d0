"""What a disk may hold after a power loss: a recorded run's writes, replayed without some of them.

A run is recorded as its system calls, by strace. A file's data is on disk once the file was
synchronised, a name once its folder was; anything later may be there or not. The model is that of
POSIX, which promises less than any file system in use.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

__all__ = ["Change", "RecordedDisk", "record"]

_CALLS = (
    "openat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,"
    "sync_file_range,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,mmap,"
    "copy_file_range,sendfile,creat"
)
_LINE = re.compile(r"^(\d+) +(.*)$")
_CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+)")
_RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
_UNFINISHED = " <unfinished ...>"
_TOKEN = re.compile(
    r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?|(\w+)<((?:\\x[0-9a-f]{2})*)>|([A-Z][A-Z_|0-9]*|-?\d+|NULL)'
)
_DELETED = b" (deleted)"
_SECTOR = 512


@dataclass(slots=True)
class Change:
    """One change of the disk, or one synchronisation, in the order of the run."""

    kind: str
    """write, cut, create, link, rename, unlink, mkdir, rmdir or sync."""
    path: str
    other: str = ""
    """The new name of a link or rename."""
    offset: int = 0
    data: bytes = b""
    began: int = 0
    """Before which change a synchronisation began: later ones it does not cover."""


def record(command: Sequence[str | Path], root: Path, trace: Path) -> list[Change]:
    """Run a command and return what it did below a folder.

    Raises:
        CalledProcessError: the command failed.
        NotImplementedError: it wrote in a way that is not modelled.
    """
    tracer = ("strace", "-f", "-y", "-xx", "-s", "4000000", "-e", f"trace={_CALLS}", "-o", trace)
    subprocess.run([*tracer, *command], check=True, capture_output=True)
    with trace.open() as lines:
        return list(_changes(lines, str(root)))


def _changes(lines: Iterator[str], root: str) -> Iterator[Change]:
    begun: dict[str, tuple[str, int]] = {}
    count = 0
    for line in lines:
        matched = _LINE.match(line.rstrip("\n"))
        assert matched is not None
        process, text = matched.groups()
        began = count
        if text.endswith(_UNFINISHED):
            begun[process] = (text.removesuffix(_UNFINISHED), count)
            continue
        if resumed := _RESUMED.match(text):
            text, began = begun[process][0] + resumed[2], begun[process][1]
        call = _CALL.match(text)
        if call is None or call[3].startswith("-"):
            continue
        for change in _change_of(call[1], _arguments(call[2]), int(call[3], 0), root):
            change.began = began
            count += 1
            yield change


@dataclass(frozen=True, slots=True)
class _Argument:
    text: str = ""
    """A path, or a word as it stands."""
    data: bytes = b""
    """A string argument."""


def _arguments(text: str) -> list[_Argument]:
    found = []
    for match in _TOKEN.finditer(text):
        string, cut, _, path, word = match.groups()
        assert not cut, "strace cut a string short"
        if string is not None:
            found.append(_Argument(_bytes(string).decode(errors="surrogateescape"), _bytes(string)))
        elif path is not None:
            name = _bytes(path)
            is_gone = name.endswith(_DELETED)
            found.append(_Argument("" if is_gone else name.decode(errors="surrogateescape")))
        else:
            found.append(_Argument(word))
    return found


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def _change_of(name: str, arguments: list[_Argument], result: int, root: str) -> Iterator[Change]:
    ours = [a.text for a in arguments if _is_below(root, a.text)]
    if not ours:
        return
    path = ours[0]
    match name:
        case "openat":
            flags = arguments[2].text
            if "O_CREAT" in flags:
                yield Change("create", path)
            if "O_TRUNC" in flags:
                yield Change("cut", path)
        case "pwrite64" | "write":
            offset = int(arguments[3].text) if name == "pwrite64" else -1
            yield Change("write", path, offset=offset, data=arguments[1].data[:result])
        case "ftruncate":
            yield Change("cut", path, offset=int(arguments[1].text))
        case "fsync" | "fdatasync":
            yield Change("sync", path)
        case "rename" | "link":
            yield Change(name, path, arguments[1].text)
        case "unlink" | "mkdir" | "rmdir":
            yield Change(name, path)
        case "fallocate":
            # Room without content: nothing that anybody reads.
            return
        case "mmap" if "PROT_WRITE" not in arguments[2].text:
            return
        case _:
            raise NotImplementedError(f"{name} is not modelled: {path}")


def _is_below(root: str, path: str) -> bool:
    # The index of a write-ahead log lives in memory that processes share, and is made anew.
    return (path == root or path.startswith(root + "/")) and not path.endswith("-shm")


@dataclass(slots=True)
class _File:
    """An inode: what is surely on disk, and what was written since."""

    durable: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, Change]] = field(default_factory=list)
    appended_at: int = 0

    def note(self, number: int, change: Change) -> None:
        if change.kind == "write" and change.offset < 0:
            change = replace(change, offset=self.appended_at)
        if change.kind == "write":
            self.appended_at = max(self.appended_at, change.offset + len(change.data))
        else:
            self.appended_at = change.offset
        self.since.append((number, change))

    def sync(self, began: int) -> None:
        for _, change in [item for item in self.since if item[0] < began]:
            _apply(self.durable, change)
        self.since = [item for item in self.since if item[0] >= began]

    def content(self, chance: Random | None) -> bytes:
        """What is there after the loss; without chance, only what is sure."""
        content = bytearray(self.durable)
        for _, change in self.since if chance else ():
            if chance is not None and chance.random() < 0.5:
                _apply(content, _torn(change, chance) if chance.random() < 0.2 else change)
        return bytes(content)


def _torn(change: Change, chance: Random) -> Change:
    # A sector is written as a whole or not at all.
    sectors = -(-len(change.data) // _SECTOR)
    return replace(change, data=change.data[: _SECTOR * chance.randint(0, sectors)])


def _apply(content: bytearray, change: Change) -> None:
    if change.kind == "cut":
        del content[change.offset :]
        content.extend(bytes(change.offset - len(content)))
        return
    end = change.offset + len(change.data)
    content.extend(bytes(max(0, end - len(content))))
    content[change.offset : end] = change.data


class RecordedDisk:
    """A disk to which recorded changes come, and whose power may be cut at any of them."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._names: dict[str, _File | None] = {}
        """As the running program sees it; a folder has no file."""
        self._durable: dict[str, _File | None] = {}
        self._pending: list[tuple[int, Change, _File | None]] = []
        self._number = 0

    def apply(self, change: Change) -> None:
        """Take in the next change."""
        number, self._number = self._number, self._number + 1
        match change.kind:
            case "write" | "cut":
                file = self._names.get(change.path)
                if file is not None:
                    file.note(number, change)
            case "sync":
                self._sync(change)
            case "create" if change.path in self._names:
                return
            case _:
                file = _File() if change.kind == "create" else self._names.get(change.path)
                _rename(self._names, change, file)
                self._pending.append((number, change, file))

    def _sync(self, change: Change) -> None:
        file = self._names.get(change.path)
        if file is not None:
            file.sync(change.began)
            return
        left = []
        for number, pending, moved in self._pending:
            is_covered = number < change.began and _folder_of(pending) == change.path
            if is_covered:
                _rename(self._durable, pending, moved)
            else:
                left.append((number, pending, moved))
        self._pending = left

    def after_power_loss(self, folder: Path, chance: Random | None) -> None:
        """Put what is left into a folder: only what is sure, or by chance some of the rest."""
        names = dict(self._durable)
        for _, change, file in self._pending if chance else ():
            if chance is not None and chance.random() < 0.5:
                _rename(names, change, file)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path, file in sorted(names.items()):
            target = folder / path.removeprefix(self._root).lstrip("/")
            if file is None:
                target.mkdir(parents=True, exist_ok=True)
            elif target.parent.is_dir():
                target.write_bytes(file.content(chance))
                # Nobody but the owner may read any of it; the key insists on that.
                target.chmod(0o600)


def _folder_of(change: Change) -> str:
    return (change.other or change.path).rpartition("/")[0]


def _rename(names: dict[str, _File | None], change: Change, file: _File | None) -> None:
    match change.kind:
        case "create" | "mkdir":
            names[change.path] = file if change.kind == "create" else None
        case "link":
            names[change.other] = file
        case "rename":
            names.pop(change.path, None)
            names[change.other] = file
        case "unlink" | "rmdir":
            names.pop(change.path, None)
