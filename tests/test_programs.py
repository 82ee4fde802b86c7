"""The helpers that stand for programs of the host."""

import asyncpg
import pytest

from tests import programs

pytestmark = pytest.mark.anyio


async def test_the_postgres_server_is_real_and_new(postgres_url: str) -> None:
    """The fixture gives an empty database whose user may create others."""
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
        assert await connection.fetchval("SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user")
    finally:
        await connection.close()


def test_a_missing_program_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer without the program sees a skip that names the package."""
    monkeypatch.setattr(programs, "STRICT", False)
    with pytest.raises(pytest.skip.Exception, match=r"no-such-program is not installed \(Debian"):
        programs.require_program("no-such-program")


def test_a_missing_program_fails_where_all_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With TESTS_MUST_RUN=1 nothing is skipped silently."""
    monkeypatch.setattr(programs, "STRICT", True)
    with pytest.raises(pytest.fail.Exception, match="allows no skip"):
        programs.require_program("no-such-program")
