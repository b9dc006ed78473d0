"""Store URLs: `scheme:///path`, or a bare name without an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sagaledger.interface.bootstrap.errors import ConfigurationError

__all__ = ["StoreUrl"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+._-]*")
_PLAIN = re.compile(r"/[A-Za-z0-9._/-]*")
"""The part after `://` in a URL that contains only a path."""
_SECRET = re.compile(r"pass|pwd|secret|token|key|auth|sig|cred", re.IGNORECASE)
_MASK = "***"


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """The adapter to use, and the location of its data.

    `sqlite:///vectors.db` lies in the data folder, `sqlite:////srv/vectors.db` at the absolute
    path: what follows the third slash is the path. Text of it, as `str` and `repr` give it, has
    passwords and tokens masked.
    """

    scheme: str
    """The name under which the adapter is registered, in lower case."""
    path: str = ""
    """The part after the third slash, percent-decoded."""
    host: str = ""
    port: int | None = None
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    text: str = field(default="", repr=False)
    """The original text, including secrets."""

    @classmethod
    def parse(cls, text: str) -> StoreUrl:
        """Read a URL, or a bare name such as `hashing`.

        Raises:
            ConfigurationError: It is neither.
        """
        scheme, separator, rest = text.partition("://")
        if not _SCHEME.fullmatch(scheme):
            # The text may hold a password, so it is not repeated.
            raise ConfigurationError("not a URL such as file:///chunks, nor a name such as hashing")
        if not separator:
            return cls(scheme.lower(), text=text)
        if _PLAIN.fullmatch(rest):
            return cls(scheme.lower(), rest[1:], text=text)
        # Imported here, because few commands have such URLs.
        from urllib.parse import parse_qsl, unquote, urlsplit

        try:
            parts = urlsplit(f"//{rest}")
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"the {scheme} URL cannot be read: {error}") from error
        return cls(
            scheme.lower(),
            path=unquote(parts.path[1:]),
            host=parts.hostname or "",
            port=port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            text=text,
        )

    @property
    def identity(self) -> str:
        """The URL without user, password and secret parameters: says which store it is."""
        _, separator, rest = self.text.partition("://")
        if not separator or _PLAIN.fullmatch(rest):
            return f"{self.scheme}{separator}{rest}"
        from urllib.parse import urlencode, urlsplit

        parts = urlsplit(f"//{rest}")
        kept = [(name, value) for name, value in self.query.items() if not _SECRET.search(name)]
        query = f"?{urlencode(kept)}" if kept else ""
        return f"{self.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{query}"

    def path_in(self, folder: Path) -> Path:
        """The path that the URL names, a relative one within the folder.

        Raises:
            ConfigurationError: It names a host, or no path.
        """
        if self.host or not self.path:
            name = self.host or "NAME"
            raise ConfigurationError(
                f"{self} names no path; write {self.scheme}:///{name} for one in the data folder, "
                f"{self.scheme}:////{name} for an absolute one"
            )
        return folder / self.path

    def masked(self, message: str) -> str:
        """A message about the URL, as an adapter or its driver words it, without its secrets."""
        secrets = [
            self.password,
            "" if self.password else self.user,
            *(value for name, value in self.query.items() if _SECRET.search(name)),
        ]
        shown = message.replace(self.text, str(self)) if self.text else message
        from urllib.parse import quote, quote_plus

        for secret in filter(None, secrets):
            for form in {secret, quote(secret, safe=""), quote_plus(secret)}:
                shown = shown.replace(form, _MASK)
        return shown

    def __str__(self) -> str:
        _, separator, rest = self.text.partition("://")
        if not separator or _PLAIN.fullmatch(rest):
            return f"{self.scheme}{separator}{rest}"
        from urllib.parse import urlsplit

        parts = urlsplit(f"//{rest}")
        user, at, host = parts.netloc.rpartition("@")
        name, colon, _ = user.partition(":")
        # Without a password the user may be a token.
        shown = f"{name}:{_MASK}" if colon else _MASK
        pairs = [
            f"{name}={_MASK if _SECRET.search(name) else value}"
            for name, value in self.query.items()
        ]
        query = f"?{'&'.join(pairs)}" if pairs else ""
        return f"{self.scheme}://{f'{shown}{at}' if at else ''}{host}{parts.path}{query}"
