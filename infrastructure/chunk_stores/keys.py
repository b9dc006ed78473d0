"""The format of chunk keys, checked before a key is used as a path."""

from __future__ import annotations

import re

from sagaledger.domain.errors import StorageBackendError

__all__ = ["check_key", "check_prefix"]

_PREFIX = re.compile(r"[0-9a-f]{32}/")
_KEY = re.compile(r"[0-9a-f]{32}/[0-9]{8,}")


def check_prefix(prefix: str) -> str:
    """The upload id in a prefix.

    Raises:
        StorageBackendError: the text is not a chunk prefix.
    """
    if not _PREFIX.fullmatch(prefix):
        raise StorageBackendError("chunks", "open", f"{prefix!r} is not a chunk prefix")
    return prefix[:-1]


def check_key(key: str) -> tuple[str, str]:
    """The upload id and the chunk index in a key.

    Raises:
        StorageBackendError: the text is not a chunk key.
    """
    if not _KEY.fullmatch(key):
        raise StorageBackendError("chunks", "open", f"{key!r} is not a chunk key")
    upload_id, _, index = key.partition("/")
    return upload_id, index
