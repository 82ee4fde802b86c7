"""Seals what must not be readable in the database or in a copy of it: the tokens of servers."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from exstream.errors import StoreError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

FILE = "secret.key"
_ONLY_MINE = 0o600


class Sealed(StoreError):
    """What was sealed cannot be read: the user signs in again."""


class Vault:
    """Seals texts with a key in a file of ``folder``, made when it is first needed; only its owner may read it.

    A database that is restored without its key is no less usable: what was sealed has to be told again, that is all.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._lock: Fernet | None = None

    def seal(self, text: str) -> str:
        """Return ``text`` sealed, "" for "". Raises StoreError when the key cannot be read or made."""
        return self._opened(make=True).encrypt(text.encode()).decode() if text else ""

    def open(self, sealed: str) -> str:
        """Return what `seal` sealed. Raises Sealed when the key is missing, or another one."""
        if not sealed:
            return ""
        from cryptography.fernet import InvalidToken

        try:
            return self._opened(make=False).decrypt(sealed.encode()).decode()
        except FileNotFoundError as error:
            raise Sealed(
                f"its token cannot be read, as the key file {self._file} is missing: sign in again"
            ) from error
        except InvalidToken as error:
            raise Sealed(
                f"its token cannot be read, as it was sealed with another key than {self._file}: sign in again"
            ) from error

    def _opened(self, *, make: bool) -> Fernet:
        if self._lock is None:
            from cryptography.fernet import Fernet

            key = self._key(make=make)
            try:
                self._lock = Fernet(key)
            except ValueError as error:
                raise Sealed(
                    f"the key file {self._file} is damaged: put it back from a copy, or remove it and sign in again"
                ) from error
        return self._lock

    def _key(self, *, make: bool) -> bytes:
        try:
            if make:
                self._make()
            key = self._file.read_bytes().strip()
            if self._file.stat().st_mode & 0o077:
                self._file.chmod(_ONLY_MINE)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(
                f"the key file {self._file} cannot be read or made ({error.strerror}): "
                "make it and its folder the server's own"
            ) from error
        return key

    def _make(self) -> None:
        """Put a new key in the file's place if there is none; of several programs at once, one does."""
        if self._file.exists():
            return
        from cryptography.fernet import Fernet

        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(f".{os.getpid()}.partial")
        with suppress(FileNotFoundError):
            partial.unlink()
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_MINE), "wb") as file:
                file.write(Fernet.generate_key())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(partial, self._file)
            except FileExistsError:
                return
            except OSError:  # a file system without links
                partial.replace(self._file)
        finally:
            partial.unlink(missing_ok=True)
