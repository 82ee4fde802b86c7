"""Settings: precedence, places, faults with the nearest name, and secrets that are never told."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from exstream.config import DEFAULT, OPTIONS, Configuration, Settings, load
from exstream.config.settings import user_data_dir
from exstream.errors import ConfigurationError
from exstream.model.grid import Rate

CANARY = "canary-5f2c9a"


class House:
    """A working directory, a data directory and an environment to load settings from."""

    def __init__(self, root: Path) -> None:
        self.working = root / "working"
        self.data = root / "data"
        self.working.mkdir()
        self.data.mkdir()
        self.environment = {"EXSTREAM_DATA_DIR": str(self.data)}

    def load(self, **overrides: object) -> Configuration:
        return load(overrides, environment=self.environment, folder=self.working)

    def faults(self, **overrides: object) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            self.load(**overrides)
        return str(caught.value).splitlines()

    def yaml(self, text: str) -> Path:
        path = self.data / "exstream.yaml"
        path.write_text(text)
        return path


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def _write_command_line(_house: House, overrides: dict[str, object], port: int) -> str:
    overrides["iptv_port"] = port
    return "--iptv-port"


def _write_environment(house: House, _overrides: dict[str, object], port: int) -> str:
    house.environment["EXSTREAM_IPTV_PORT"] = str(port)
    return "EXSTREAM_IPTV_PORT in the environment"


def _write_working_dotenv(house: House, _overrides: dict[str, object], port: int) -> str:
    (house.working / ".env").write_text(f"OTHER=1\nEXSTREAM_IPTV_PORT={port}\n")
    return f"{house.working / '.env'}, line 2"


def _write_data_dotenv(house: House, _overrides: dict[str, object], port: int) -> str:
    (house.data / ".env").write_text(f'export EXSTREAM_IPTV_PORT="{port}"\n')
    return f"{house.data / '.env'}, line 1"


def _write_yaml(house: House, _overrides: dict[str, object], port: int) -> str:
    return f"{house.yaml(f'# ports{chr(10)}iptv_port: {port}')}, line 2"


PLACES: tuple[Callable[[House, dict[str, object], int], str], ...] = (
    _write_command_line,
    _write_environment,
    _write_working_dotenv,
    _write_data_dotenv,
    _write_yaml,
)


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    list(itertools.combinations(PLACES, 2)),
    ids=lambda place: place.__name__.removeprefix("_write_"),
)
def test_the_stronger_of_two_places_wins(
    house: House,
    stronger: Callable[[House, dict[str, object], int], str],
    weaker: Callable[[House, dict[str, object], int], str],
) -> None:
    """Command line, environment, working .env, data .env, exstream.yaml: each beats all after it, and is named."""
    overrides: dict[str, object] = {}
    weaker(house, overrides, 2000)
    place = stronger(house, overrides, 1000)
    found = house.load(**overrides)
    assert (found.settings.iptv_port, found.origins["iptv_port"]) == (1000, place)


def test_nothing_written_gives_the_defaults(house: House) -> None:
    """With no configuration every setting but the data directory has its default, paths lie in the data directory."""
    found = house.load()
    assert {name for name, origin in found.origins.items() if origin != DEFAULT} == {"data_dir"}
    assert found.settings == Settings(data_dir=house.data)
    assert found.settings.channels_dir == house.data / "channels"
    assert found.settings.database_url == f"sqlite+aiosqlite:///{house.data}/exstream.db"
    assert (found.settings.iptv_port, found.settings.hdhr_port, found.settings.tuner_count) == (8411, 5004, 4)
    assert found.warnings == ()


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_variable_counts_as_not_set(house: House, empty: str) -> None:
    """A variable that a compose file passes on empty leaves the default alone."""
    house.environment["EXSTREAM_IPTV_PORT"] = empty
    assert house.load().settings.iptv_port == 8411


def test_every_fault_is_told_at_once_with_its_place(house: House) -> None:
    """Three bad values in three places are three sentences, each with its place and what is expected."""
    house.environment["EXSTREAM_TUNER_COUNT"] = "many"
    (house.working / ".env").write_text("\n\nEXSTREAM_HDHR_PORT=70000\n")
    path = house.yaml("demo: true\nlog_level: infoo\n")
    assert house.faults() == [
        f"{house.working / '.env'}, line 3: hdhr_port must be a whole number from 0 to 65535, not '70000'",
        "EXSTREAM_TUNER_COUNT in the environment: tuner_count must be a whole number from 1 to 32, not 'many'",
        (
            f"{path}, line 2: log_level must be one of debug, info, warning, error, critical, not 'infoo'"
            ": did you mean info?"
        ),
    ]


def test_an_unknown_name_is_a_warning_with_the_nearest_one(house: House) -> None:
    """A misspelt name in any place starts the server all the same, with a sentence that names the right one."""
    house.environment["EXSTREAM_IPTV_PROT"] = "1"
    house.environment["EXSTREAM_PROFILES"] = "{}"
    (house.data / ".env").write_text("EXSTREAM_TUNERCOUNT=2\nPLEX_TOKEN=other\n")
    path = house.yaml("freindly_name: Home\nzzz: 1\n")
    assert house.load().warnings == (
        (
            "EXSTREAM_IPTV_PROT in the environment: EXSTREAM_IPTV_PROT is no setting"
            ": did you mean EXSTREAM_IPTV_PORT?"
        ),
        "EXSTREAM_PROFILES in the environment: EXSTREAM_PROFILES is no setting and does nothing",
        f"{house.data / '.env'}, line 1: EXSTREAM_TUNERCOUNT is no setting: did you mean EXSTREAM_TUNER_COUNT?",
        f"{path}, line 1: freindly_name is no setting: did you mean friendly_name?",
        f"{path}, line 2: zzz is no setting and does nothing",
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("iptv_port", "0", 0),
        ("demo", "off", False),
        ("demo", "YES", True),
        ("linger_seconds", "0.5", 0.5),
        ("trusted_proxies", "10.0.0.0/8, ::1", ("10.0.0.0/8", "::1/128")),
        ("base_url", "https://tv.example.org/exstream/", "https://tv.example.org/exstream"),
        ("database_url", "postgres://u:p@db/x", "postgresql+asyncpg://u:p@db/x"),
        ("database_url", "sqlite:////srv/x.db?a=1", "sqlite+aiosqlite:////srv/x.db?a=1"),
        ("host", "localhost", "127.0.0.1"),
        ("log_level", "DEBUG", "debug"),
        ("timezone", "Europe/Zurich", "Europe/Zurich"),
        ("ffmpeg", "ffmpeg", Path("ffmpeg")),
        ("ffmpeg", "/usr/bin/ffmpeg", Path("/usr/bin/ffmpeg")),
        ("friendly_name", "Wohnzimmer", "Wohnzimmer"),
    ],
)
def test_a_written_value_is_read(house: House, name: str, value: str, expected: object) -> None:
    """Values are taken in the forms in which people write them."""
    house.environment[OPTIONS[name].environment] = value
    assert getattr(house.load().settings, name) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iptv_port", "-1"),
        ("iptv_port", "8411.5"),
        ("tuner_count", "0"),
        ("tuner_count", "33"),
        ("demo", "perhaps"),
        ("linger_seconds", "nan"),
        ("burst_seconds", "11"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("trusted_proxies", "the proxy"),
        ("base_url", "tv.example.org"),
        ("base_url", "http://u:p@h/"),
        ("base_url", "http://h:port/"),
        ("base_url", "http://[::1"),
        ("database_url", "mysql://h/x"),
        ("database_url", "sqlite://"),
        ("database_url", "sqlite:///:memory:"),
        ("host", "my-machine"),
        ("timezone", "Europe/Zurih"),
        ("timezone", "../etc/passwd"),
        ("friendly_name", "x" * 65),
        ("friendly_name", "two\nlines"),
        ("metrics_token", "two words"),
        ("data_dir", "~nobody-lives-here/x"),
    ],
)
def test_a_value_that_cannot_be_used_is_one_sentence(house: House, name: str, value: str) -> None:
    """A bad value is refused in one line that names the variable and the setting."""
    house.environment[OPTIONS[name].environment] = value
    [fault] = house.faults()
    assert fault.startswith(f"{OPTIONS[name].environment} in the environment: {name} ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("iptv_port: true", "line 1: iptv_port must be a whole number from 0 to 65535, not True"),
        ("iptv_port: 1e3", "line 1: iptv_port must be a whole number from 0 to 65535, not '1e3'"),
        ("- iptv_port", "line 1: write settings as `name: value`, one a line"),
        ("demo: yes\ndemo: no", "line 2: demo was set before, in line 1: keep one of them"),
        ("demo: yes\n\tx: 1", "line 2: is no valid YAML: found character '\\t' that cannot start any token"),
        ("x: !!python/object/apply:os.system [id]", "is no valid YAML: could not determine a constructor"),
        ("metrics_token: [a, b]", "line 1: metrics_token must be text"),
        ("data_dir: /srv", "line 1: data_dir is needed to find this file: set it in the environment"),
        ("x: " + "[" * 100_000, "is nested too deeply"),
        ("x: " + "y" * 1024 * 1024, "is larger than 1024 KiB and no file of settings"),
        ("demo: 2020-99-99", "is no valid YAML: month must be in 1..12"),
    ],
)
def test_a_broken_file_of_settings_is_one_sentence(house: House, text: str, fault: str) -> None:
    """Whatever stands in exstream.yaml, the answer is a line with the file, its line and what is wrong."""
    path = house.yaml(text)
    [found] = house.faults()
    assert found.startswith(str(path))
    assert fault in found


def test_an_alias_bomb_is_refused_in_a_short_sentence(house: House) -> None:
    """A file whose aliases unfold to billions of values is answered at once and in few words."""
    layers = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    house.yaml("\n".join(["a0: &a0 [lol]", *layers, "iptv_port: *a11"]))
    [fault] = house.faults()
    assert "iptv_port must be a whole number" in fault
    assert fault.endswith(", not a list")


def test_a_byte_order_mark_and_an_empty_file_are_taken(house: House) -> None:
    """A file from an editor that writes a byte order mark is read; an empty one is no fault."""
    house.yaml("\ufefftuner_count: 2\n")
    assert house.load().settings.tuner_count == 2
    house.yaml("# nothing yet\n")
    assert house.load().settings.tuner_count == 4


def test_a_file_that_is_no_text_is_a_fault(house: House) -> None:
    """Bytes that are no UTF-8 are told as such."""
    (house.data / "exstream.yaml").write_bytes(b"friendly_name: \xff\xfe")
    assert house.faults() == [f"{house.data / 'exstream.yaml'}: is no UTF-8 text"]


def test_a_broken_line_in_a_dotenv_file_is_a_fault(house: House) -> None:
    """A line without an equals sign is told with its number."""
    (house.working / ".env").write_text("EXSTREAM_DEMO=false\n\nthis is nothing\n")
    assert house.faults() == [f"{house.working / '.env'}, line 3: write NAME=value"]


def test_the_named_file_of_settings_may_say_where_the_data_is(house: House, tmp_path: Path) -> None:
    """EXSTREAM_CONFIG names a file elsewhere; its relative paths start beside it and it may set the data directory."""
    named = tmp_path / "etc" / "tv.yaml"
    named.parent.mkdir()
    named.write_text("data_dir: here\nchannels_dir: lineup\n")
    house.yaml("tuner_count: 9\n")
    house.environment = {"EXSTREAM_CONFIG": str(named)}
    found = house.load().settings
    assert (found.data_dir, found.channels_dir) == (named.parent / "here", named.parent / "lineup")
    assert (found.config, found.tuner_count) == (named, 4)


def test_a_named_file_of_settings_that_is_missing_is_a_fault(house: House) -> None:
    """Nobody is left to wonder why a named file does nothing."""
    house.environment["EXSTREAM_CONFIG"] = "absent.yaml"
    assert house.faults() == [
        f"EXSTREAM_CONFIG in the environment: there is no file {house.working / 'absent.yaml'}"
    ]


def test_relative_paths_start_where_they_are_written(house: House) -> None:
    """A relative path on the command line starts at the working directory, in exstream.yaml beside the file."""
    house.yaml("channels_dir: mine\n")
    assert house.load().settings.channels_dir == house.data / "mine"
    assert house.load(channels_dir=Path("mine")).settings.channels_dir == house.working / "mine"


def test_two_servers_on_one_port_are_refused(house: House) -> None:
    """The tuner and the IPTV side cannot share a port, unless each takes any free one."""
    assert house.faults(hdhr_port=8411) == [
        "--hdhr-port: iptv_port and hdhr_port are both 8411: give each a port of its own"
    ]
    assert house.load(hdhr_port=0, iptv_port=0).settings.hdhr_port == 0


def test_a_secret_may_lie_in_a_file_of_its_own(house: House, tmp_path: Path) -> None:
    """The *_FILE variant of a secret reads the file, drops the line's end and tells the place without the value."""
    (tmp_path / "token").write_text(CANARY + "\n")
    house.environment["EXSTREAM_METRICS_TOKEN_FILE"] = str(tmp_path / "token")
    found = house.load()
    assert found.settings.metrics_token == CANARY
    assert f"{tmp_path / 'token'}, named by EXSTREAM_METRICS_TOKEN_FILE" in found.origins["metrics_token"]
    assert CANARY not in repr(found)


@pytest.mark.parametrize(("content", "reason"), [(None, "there is no file"), ("\n", "nothing is written in")])
def test_a_secret_file_without_a_secret_is_a_fault(
    house: House, tmp_path: Path, content: str | None, reason: str
) -> None:
    """A missing or empty file of a secret never means "no secret"."""
    if content is not None:
        (tmp_path / "token").write_text(content)
    house.environment["EXSTREAM_METRICS_TOKEN_FILE"] = str(tmp_path / "token")
    [fault] = house.faults()
    assert reason in fault


def test_a_secret_and_its_file_at_once_is_a_fault(house: House, tmp_path: Path) -> None:
    """Two sources of one secret in the same place are not guessed between."""
    (tmp_path / "token").write_text(CANARY)
    house.environment["EXSTREAM_METRICS_TOKEN_FILE"] = str(tmp_path / "token")
    house.environment["EXSTREAM_METRICS_TOKEN"] = "other"
    assert house.faults() == [
        "EXSTREAM_METRICS_TOKEN_FILE in the environment: metrics_token is set itself as well: keep one of them"
    ]


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if option.secret])
def test_a_refused_secret_is_not_quoted(house: House, name: str) -> None:
    """A fault about a secret says what is expected and not what was written."""
    house.environment[OPTIONS[name].environment] = f"{CANARY} {CANARY}"
    [fault] = house.faults()
    assert CANARY not in fault


def test_the_secrets_of_settings_are_known(house: House) -> None:
    """Logs must keep out all secrets that are set, a database's password among them, a file's name not."""
    settings = house.load().settings
    assert settings.secrets == ()
    url = f"postgresql+asyncpg://u:{CANARY}@h/x"
    assert dataclasses.replace(settings, metrics_token="a1", database_url=url).secrets == ("a1", url)


def test_profiles_are_merged_over_the_shipped_ones(house: House) -> None:
    """A shipped profile is changed field by field, a new one needs its size, rate and bit rate."""
    house.yaml(
        "profiles:\n"
        "  480p25: {preset: ultrafast, languages: [deu, eng]}\n"
        "  mine: {width: 640, height: 360, rate: 30000/1001, video_kbps: 800, loudness: -23}\n"
    )
    profiles = house.load().settings.profiles
    shipped = Settings(data_dir=house.data).profiles
    assert profiles["480p25"] == dataclasses.replace(
        shipped["480p25"], preset="ultrafast", languages=("deu", "eng")
    )
    assert (profiles["mine"].rate, profiles["mine"].loudness) == (Rate(30_000, 1_001), -23.0)
    assert profiles["mine"].max_kbps >= profiles["mine"].video_kbps
    assert set(profiles) == {*shipped, "mine"}


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("{480p25: {preste: fast}}", "480p25: has no field 'preste': did you mean preset?"),
        ("{new: {width: 640}}", "new: is new and needs height, rate, video_kbps"),
        ("{480p25: {width: 641}}", "480p25: width must be even, not 641"),
        ("{480p25: {rate: 29.97}}", "480p25: rate must be an exact picture rate, one of 24000/1001"),
        ("{480p25: {languages: [de]}}", "480p25: languages must be a list of three-letter codes"),
        ("{480p25: {max_kbps: 100}}", "480p25: max_kbps must not be below video_kbps"),
        ("{480p25: 7}", "480p25: must have fields such as width and height, not 7"),
        ("[480p25]", "profiles must be a list of names with their fields beneath"),
    ],
)
def test_a_faulty_profile_is_one_sentence(house: House, written: str, fault: str) -> None:
    """A fault in a profile names the profile, the field and the nearest field."""
    path = house.yaml(f"profiles: {written}")
    [found] = house.faults()
    assert found.startswith(f"{path}, line 1: ")
    assert fault in found


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {"XDG_DATA_HOME": "/srv/x"}, Path("/srv/x/exstream")),
        ("linux", {"XDG_DATA_HOME": "relative"}, Path("~/.local/share/exstream").expanduser()),
        ("linux", {}, Path("~/.local/share/exstream").expanduser()),
        ("darwin", {}, Path("~/Library/Application Support/Exstream").expanduser()),
        ("win32", {"LOCALAPPDATA": "/c/local"}, Path("/c/local/Exstream")),
    ],
)
def test_the_data_lies_where_the_platform_keeps_it(
    platform: str, environment: dict[str, str], expected: Path
) -> None:
    """The default data directory follows the platform's rule; a relative XDG_DATA_HOME is void by its standard."""
    assert user_data_dir(environment, platform) == expected
