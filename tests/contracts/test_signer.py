"""Our signer keeps what every signer promises."""

from __future__ import annotations

from pathlib import Path

from sagaledger.domain.ports.signer import Signer
from sagaledger.infrastructure.keys.ed25519_signer import Ed25519Signer
from sagaledger.testing import SignerContract


class TestEd25519(SignerContract):
    def open_signer(self, folder: Path) -> Signer:
        return Ed25519Signer.open(folder)
