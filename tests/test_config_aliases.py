"""Settings that have other names in the environment: those of Plex."""

from pathlib import Path

import pytest

from exstream.config import load
from exstream.config.chain import Configuration
from exstream.config.settings import OPTIONS
from exstream.errors import ConfigurationError

CANARY = "canary-4711"


def configured(folder: Path, dotenv: str = "", **environment: str) -> Configuration:
    """Load the settings with ``environment`` and a ``.env`` file in the working directory."""
    (folder / ".env").write_text(dotenv)
    return load(environment={"EXSTREAM_DATA_DIR": str(folder / "data"), **environment}, folder=folder)


@pytest.mark.parametrize("name", ["PLEX_BASE_URL", "PLEX_URL", "EXSTREAM_PLEX_URL"])
def test_every_name_of_a_setting_is_heard(tmp_path: Path, name: str) -> None:
    """The address of a server is read under each of its names, in the environment and in .env, and the name is told."""
    found = configured(tmp_path, **{name: "http://192.0.2.1:32400/"})
    assert found.settings.plex_url == "http://192.0.2.1:32400"
    assert found.origins["plex_url"] == f"{name} in the environment"
    found = configured(tmp_path, f"OTHER=1\n{name}=http://192.0.2.2\n")
    assert found.settings.plex_url == "http://192.0.2.2"
    assert found.origins["plex_url"] == f"{tmp_path / '.env'}, line 2"
    assert found.warnings == ()


def test_the_own_name_goes_first(tmp_path: Path) -> None:
    """Of several names in one place a setting's own counts, then the foremost; a stronger place beats any name."""
    others = {"PLEX_URL": "http://two", "PLEX_BASE_URL": "http://one"}
    assert configured(tmp_path, **others).settings.plex_url == "http://one"
    assert configured(tmp_path, EXSTREAM_PLEX_URL="http://own", **others).settings.plex_url == "http://own"
    found = configured(tmp_path, "EXSTREAM_PLEX_URL=http://file", PLEX_URL="http://two")
    assert found.settings.plex_url == "http://two"


@pytest.mark.parametrize("name", ["PLEX_TOKEN", "EXSTREAM_PLEX_TOKEN"])
def test_the_token_and_its_file(tmp_path: Path, name: str) -> None:
    """The token is a secret under each name, from a file as well, and is never shown."""
    (tmp_path / "token").write_text(f"{CANARY}\n")
    for found in (
        configured(tmp_path, **{name: CANARY}),
        configured(tmp_path, **{f"{name}_FILE": str(tmp_path / "token")}),
    ):
        assert found.settings.plex_token == CANARY
        assert found.settings.secrets == (CANARY,)
        assert CANARY not in repr(found)
        assert name in found.origins["plex_token"]
    with pytest.raises(ConfigurationError, match="keep one of them"):
        configured(tmp_path, PLEX_TOKEN=CANARY, EXSTREAM_PLEX_TOKEN_FILE=str(tmp_path / "token"))


def test_other_programs_variables_are_left_alone(tmp_path: Path) -> None:
    """A variable that only looks like one of these is neither heard nor warned about."""
    found = configured(tmp_path, "PLEX_CLAIM=claim-x", PLEX_UID="1000", PLEX_BASE_URL_FILE="/nowhere")
    assert found.settings.plex_url == ""
    assert found.warnings == ()


def test_an_empty_alias_counts_as_not_set(tmp_path: Path) -> None:
    """An empty variable hides no other name."""
    assert configured(tmp_path, PLEX_BASE_URL=" ", PLEX_URL="http://two").settings.plex_url == "http://two"


def test_no_two_settings_share_a_name() -> None:
    """Every name in the environment means one setting."""
    names = [name for option in OPTIONS.values() for name in (option.environment, *option.aliases) if name]
    assert len(names) == len(set(names))


def test_the_section_and_the_limits(tmp_path: Path) -> None:
    """A library's key is text, and how much a server is asked for at once is bounded."""
    found = configured(tmp_path, PLEX_TV_SECTION_KEY="2", EXSTREAM_PLEX_PAGE_SIZE="50").settings
    assert (found.plex_section, found.plex_page_size, found.plex_requests, found.plex_pool) == ("2", 50, 3, 8)
    assert found.plex_versions == "best"
    with pytest.raises(ConfigurationError, match="plex_requests must be a whole number from 1 to 8"):
        configured(tmp_path, EXSTREAM_PLEX_REQUESTS="9")
    with pytest.raises(ConfigurationError, match="did you mean smallest"):
        configured(tmp_path, EXSTREAM_PLEX_VERSIONS="smalest")


def test_the_database_has_fifty_connections_unless_said_otherwise(tmp_path: Path) -> None:
    """Twenty stay open and thirty more are for the crowd; both have a variable."""
    usual = configured(tmp_path).settings
    assert (usual.db_pool_size, usual.db_max_overflow) == (20, 30)
    few = configured(tmp_path, EXSTREAM_DB_POOL_SIZE="5", EXSTREAM_DB_MAX_OVERFLOW="0").settings
    assert (few.db_pool_size, few.db_max_overflow) == (5, 0)


@pytest.mark.parametrize(
    "address",
    [
        f"http://192.0.2.1:32400/?X-Plex-Token={CANARY}",
        f"192.0.2.1:32400/web#!/?X-Plex-Token={CANARY}",
        f"http://me:{CANARY}@192.0.2.1:32400",
        f"http://:{CANARY}@192.0.2.1:32400",
    ],
)
def test_an_address_with_a_secret_in_it_is_refused_and_not_shown(tmp_path: Path, address: str) -> None:
    """An address that was copied with its token, or holds a password, is refused by a sentence that shows neither."""
    with pytest.raises(ConfigurationError, match="must be the address alone") as refused:
        configured(tmp_path, PLEX_BASE_URL=address)
    assert CANARY not in str(refused.value)
