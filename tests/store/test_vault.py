"""The key file, and what is sealed with it."""

import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exstream.errors import StoreError
from exstream.store.vault import FILE, Sealed, Vault


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_again(tmp_path: Path, text: str) -> None:
    """Every text comes back, by another vault of the same folder too, and the sealed one does not show it."""
    sealed = Vault(tmp_path).seal(text)
    assert Vault(tmp_path).open(sealed) == text
    assert len(text) < 4 or text not in sealed


def test_only_the_owner_may_read_the_key(tmp_path: Path) -> None:
    """The key is made once with mode 0600, and a mode that is too wide is narrowed."""
    vault = Vault(tmp_path / "data")
    sealed = vault.seal("secret")
    file = tmp_path / "data" / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == [FILE]
    file.chmod(0o644)
    assert Vault(tmp_path / "data").open(sealed) == "secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_that_is_missing_another_or_damaged(tmp_path: Path) -> None:
    """Without its key a text stays sealed: the sentence says to sign in again, and no key is made by reading."""
    sealed = Vault(tmp_path).seal("secret")
    file = tmp_path / FILE
    file.unlink()
    with pytest.raises(Sealed, match=r"secret\.key is missing: sign in again"):
        Vault(tmp_path).open(sealed)
    assert not file.exists()
    Vault(tmp_path).seal("another")
    with pytest.raises(Sealed, match="sealed with another key"):
        Vault(tmp_path).open(sealed)
    file.write_bytes(b"half a ke")
    with pytest.raises(Sealed, match="damaged"):
        Vault(tmp_path).open(sealed)


def test_a_folder_where_no_key_can_be_made(tmp_path: Path) -> None:
    """Where the key cannot be kept nothing is sealed, and the sentence names the file."""
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=FILE):
        Vault(tmp_path / "data").seal("secret")
