"""That no two parts of a data folder lie in the same place."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

from sagaledger.infrastructure.data_folder import CONFIG_NAME, MARK_NAME, DataFolder
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.bootstrap.settings import DEFAULTS, LOCAL_SCHEMES, STORES, Settings

__all__ = ["require_apart"]


def require_apart(settings: Settings) -> None:
    """Require that no store lies in the place of another one or of the folder's own files.

    Each would take what the other holds for its own, and a sweep would remove it.

    Raises:
        ConfigurationError: two do; the message names both.
    """
    keys = (*STORES, "signer")
    if all(settings.values[key].value == DEFAULTS[key] for key in keys):
        return
    root = _normal(settings.data.expanduser().absolute())
    places = [(key, place) for key in keys if (place := _place(settings, key, root))]
    for (key, place), (other, other_place) in combinations(places, 2):
        if _overlap(place, other_place):
            raise ConfigurationError(
                f"{settings.values[key].source}: {key} {settings.url(key)} and "
                f"{other} {settings.url(other)} lie in the same place; give each its own"
            )
    for key, place in places:
        for own in _own(root):
            if _overlap(place, own):
                raise ConfigurationError(
                    f"{settings.values[key].source}: {key} {settings.url(key)} lies where the data "
                    f"folder keeps its {own.name}; give it a place of its own"
                )


def _place(settings: Settings, key: str, root: Path) -> Path | None:
    url = settings.url(key)
    if url.scheme not in LOCAL_SCHEMES or url.host or not url.path:
        return None
    return _normal(root / url.path)


def _own(root: Path) -> tuple[Path, ...]:
    folder = DataFolder(root)
    files = (folder.projections_db, folder.leases_db, folder.alert_rules, folder.reserve)
    return (*files, folder.workers, folder.reports, root / MARK_NAME, root / CONFIG_NAME)


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _normal(path: Path) -> Path:
    # Links are followed: two names of one folder are one place.
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        # What is wrong with it, opening the store says.
        return path
