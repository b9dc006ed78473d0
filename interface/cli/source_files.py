"""Expands the arguments of an ingestion to files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
from sagaledger.domain.upload.errors import SourceUnreadableError

__all__ = ["SourceFiles"]


@dataclass(slots=True)
class SourceFiles:
    """Files in the order they were given, each once, and the folders that cannot be read."""

    data: Path
    """The data folder, whose own files are never ingested."""
    paths: list[str] = field(default_factory=list)
    unreadable: list[SourceUnreadableError] = field(default_factory=list)

    def take(self, arguments: Sequence[str]) -> None:
        """Expand files, folders and globs, and add the result.

        Raises:
            UsageError: An argument is empty, or a folder or glob matches no file.
        """
        seen = set()
        for given in arguments:
            for path in self._expanded(given):
                # The same file under two names is added once.
                real = os.path.realpath(path)
                if real not in seen:
                    seen.add(real)
                    self.paths.append(path)

    def _expanded(self, given: str) -> Iterator[str]:
        if not given:
            raise click.UsageError("an empty name is not a file")
        if os.path.isdir(given):  # noqa: PTH112 - Path.is_dir raises if a name is too long
            yield from self._below(given)
        elif not os.path.lexists(given) and glob.has_magic(given):
            found = sorted(f for f in glob.glob(given, recursive=True) if Path(f).is_file())  # noqa: PTH207 - Path.glob takes no absolute patterns
            if not found:
                raise click.UsageError(f"no file matches {given}")
            yield from found
        else:
            yield given

    def _below(self, folder: str) -> Iterator[str]:
        if self._is_data(Path(folder)):
            raise click.UsageError(f"{folder} is the data folder itself")
        before = len(self.unreadable)
        found = []
        for place, folders, names in os.walk(folder, onerror=self._not_read):
            folders[:] = sorted(name for name in folders if not self._is_data(Path(place, name)))
            found += [path for name in sorted(names) if (path := Path(place, name)).is_file()]
        if not found and len(self.unreadable) == before:
            raise click.UsageError(f"folder {folder} holds no files")
        yield from map(str, found)

    def _is_data(self, folder: Path) -> bool:
        try:
            return folder.samefile(self.data)
        except OSError:
            # It does not exist yet, or opening it reports the problem.
            return False

    def _not_read(self, error: OSError) -> None:
        folder = str(error.filename)
        self.unreadable.append(SourceUnreadableError(folder, error.strerror or str(error)))
