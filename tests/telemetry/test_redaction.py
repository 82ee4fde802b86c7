"""No secret is ever written down."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.telemetry import REDACTED, Redaction

CANARY = "caNary-9xQz7LwT2kRv"


@pytest.mark.parametrize(
    "leak",
    [
        f"GET http://plex:32400/library/parts/1?X-Plex-Token={CANARY}&download=1 failed",
        f"http://plex/?a=b&x-plex-token={CANARY}",
        f"headers: X-Plex-Token: {CANARY}",
        f"Headers({{'x-plex-token': '{CANARY}', 'accept': '*/*'}})",
        f"[(b'x-plex-token', b'{CANARY}'), (b'host', b'plex')]",
        f'{{"authToken": "{CANARY}"}}',
        f'{{\\"accessToken\\": \\"{CANARY}\\"}}',
        f'<User authToken="{CANARY}"/>',
        f"url=http%3A%2F%2Fplex%3FX-Plex-Token%3D{CANARY}%26x",
        f"EXSTREAM_METRICS_TOKEN={CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"authorization: Basic {CANARY}==",
        f"curl -H 'Bearer {CANARY}'",
        f"postgresql+asyncpg://exstream:{CANARY}@db:5432/exstream refused",
        f"postgresql://exstream:a/b@{CANARY}@db/exstream",
        f"https://user:{CANARY}@plex.example/",
        f"password={CANARY}",
        f"http://127.0.0.1:8411/m/{CANARY}",
        f"GET /m/{CANARY} HTTP/1.1",
        f"ffmpeg -i http://127.0.0.1:8411/m/{CANARY}?x=1",
        f"http://10.0.0.2:5004/lineup.json?DeviceAuth={CANARY}",
        f"?key={CANARY}",
    ],
)
def test_a_secret_in_a_text_is_hidden(leak: str) -> None:
    """Wherever software usually leaks one, the secret is gone and the rest stays readable."""
    shown = Redaction().text(leak)
    assert CANARY not in shown
    assert REDACTED in shown
    assert shown.split(REDACTED)[0] == leak[: len(shown.split(REDACTED)[0])]


@pytest.mark.parametrize(
    "text",
    [
        "channel 1984.1 is on air",
        "/media/m/films/The Token (1999).mkv",
        "http://192.168.0.2:8411/iptv/channel/102.ts?mode=ts",
        "monkeys and keys: 5 tokens left",
        "2026-11-21T07:00:00Z Show - S01E02 - The Password.mkv",
    ],
)
def test_ordinary_texts_are_left_alone(text: str) -> None:
    """What holds no secret reads as it was written."""
    assert Redaction().text(text) == text


def test_secrets_are_found_in_nested_values() -> None:
    """Dictionaries, lists, header pairs, bytes and objects that print themselves are all searched."""

    class Request:
        def __str__(self) -> str:
            return f"GET /?X-Plex-Token={CANARY}"

    event = {
        "event": "request",
        "token": CANARY,
        "headers": [(b"X-Plex-Token", CANARY.encode()), ("Cookie", CANARY), ("host", "plex")],
        "params": {"X-Plex-Token": CANARY, "type": 1, "deep": {"db_password": CANARY}},
        "urls": {f"http://u:{CANARY}@h/"},
        "request": Request(),
        "count": 3,
        "nothing": None,
    }
    shown = Redaction()(None, "info", event)
    assert CANARY not in repr(shown)
    assert shown["count"] == 3
    assert shown["nothing"] is None
    assert shown["headers"][2] == ["host", "plex"]
    assert shown["params"]["type"] == 1


@pytest.mark.parametrize(
    "piece", ["a-", "a.", "x://:", "token ", "token'", "/m/", "authorization ", "://a/m/", "\\"]
)
def test_a_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    """A client's endless header cannot hold up the server: ten times the text takes about ten times as long."""

    def seconds(length: int) -> float:
        started = time.process_time()
        Redaction(["known"]).text(piece * (length // len(piece)))
        return time.process_time() - started

    seconds(1000)
    assert seconds(200_000) < 40 * max(seconds(20_000), 0.002)


@given(before=st.text(), after=st.text(), secret=st.text(min_size=8).filter(lambda s: s not in REDACTED))
def test_a_known_secret_appears_nowhere(before: str, after: str, secret: str) -> None:
    """A value that the server knows to be secret is hidden even where no name gives it away."""
    redaction = Redaction([secret, ""])
    shown = redaction.text(before + secret + after)
    assert REDACTED in shown
    assert all(secret not in part for part in shown.split(REDACTED))


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    """A text that went through the processor once may go through it again."""
    once = Redaction().text(text)
    assert Redaction().text(once) == once
