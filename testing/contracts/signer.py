"""What every signer promises."""

from __future__ import annotations

from pathlib import Path

import pytest
from sagaledger.domain.ports.signer import Signer
from sagaledger.testing.contracts.contract import Contract, needs_durability

__all__ = ["SignerContract"]

_MESSAGE = b"a manifest"


class SignerContract(Contract):
    """The tests of a `Signer`.

    Example:
        class TestMySigner(SignerContract):
            def open_signer(self, folder: Path) -> Signer:
                return MySigner(folder / "key")
    """

    def open_signer(self, folder: Path) -> Signer:
        """A signer with the key in this folder; a new key the first time."""
        raise NotImplementedError

    @pytest.fixture
    def signer(self, tmp_path: Path) -> Signer:
        """A signer with its own key."""
        return self.open_signer(tmp_path / "one")

    @pytest.fixture
    def stranger(self, tmp_path: Path) -> Signer:
        """A signer with another key."""
        return self.open_signer(tmp_path / "two")

    def test_message_signed_is_valid_to_whoever_has_the_public_key(
        self, signer: Signer, stranger: Signer
    ) -> None:
        signature = signer.sign(_MESSAGE)

        assert signer.is_valid(_MESSAGE, signature, signer.public_key)
        assert stranger.is_valid(_MESSAGE, signature, signer.public_key)

    def test_message_changed_is_not_valid(self, signer: Signer) -> None:
        signature = signer.sign(_MESSAGE)

        for changed in (b"", _MESSAGE + b"s", _MESSAGE[1:]):
            assert not signer.is_valid(changed, signature, signer.public_key)

    def test_signature_changed_or_cut_is_not_valid(self, signer: Signer) -> None:
        signature = signer.sign(_MESSAGE)
        flipped = bytes([signature[0] ^ 1]) + signature[1:]

        for wrong in (b"", flipped, signature[:-1]):
            assert not signer.is_valid(_MESSAGE, wrong, signer.public_key)

    def test_signature_of_another_key_is_not_valid(self, signer: Signer, stranger: Signer) -> None:
        assert not signer.is_valid(_MESSAGE, stranger.sign(_MESSAGE), signer.public_key)

    def test_public_key_that_is_none_makes_nothing_valid(self, signer: Signer) -> None:
        assert not signer.is_valid(_MESSAGE, signer.sign(_MESSAGE), b"no key")

    def test_keys_are_told_apart_by_their_ids(self, signer: Signer, stranger: Signer) -> None:
        assert signer.key_id
        assert signer.key_id != stranger.key_id

    @needs_durability
    def test_signer_opened_again_has_its_key(self, tmp_path: Path, signer: Signer) -> None:
        again = self.open_signer(tmp_path / "one")

        assert (again.key_id, again.public_key) == (signer.key_id, signer.public_key)
