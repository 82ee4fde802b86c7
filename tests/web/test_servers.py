"""Two servers in one process: taken ports, slow clients, and stopping with viewers."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import time
from email.utils import parsedate_to_datetime

import pytest

from exstream.errors import ConfigurationError, PortInUse
from exstream.web.receiving import PromptProtocol
from exstream.web.sockets import listen
from tests.web.station import station
from tests.web.wire import ask, chunk_of, head_of, reset, send, served, until

pytestmark = pytest.mark.anyio

_HOLDER = """
import socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True); sys.stdin.read()
"""


def test_a_taken_port_names_its_holder_and_the_setting() -> None:
    """A port in use is one sentence: which program holds it, its process id, and what to set."""
    argv = [sys.executable, "-c", _HOLDER]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        port = int(holder.stdout.readline())
        with pytest.raises(PortInUse) as refused:
            listen("127.0.0.1", port, "EXSTREAM_IPTV_PORT")
        assert holder.stdin is not None
        holder.stdin.close()
    assert f"port {port} is taken by python" in str(refused.value)
    assert f"process {holder.pid}" in str(refused.value)
    assert "set EXSTREAM_IPTV_PORT" in str(refused.value)


def test_one_port_for_both_sites_is_explained() -> None:
    """Giving both sites the same port says so."""
    with listen("127.0.0.1", 0, "EXSTREAM_IPTV_PORT") as first, pytest.raises(PortInUse, match="must differ"):
        listen("127.0.0.1", first.getsockname()[1], "EXSTREAM_HDHR_PORT")


def test_an_address_of_another_machine_is_explained() -> None:
    """An address that is not this machine's is a configuration error that names the setting."""
    with pytest.raises(ConfigurationError, match="EXSTREAM_HOST"):
        listen("192.0.2.1", 0, "EXSTREAM_IPTV_PORT")


def test_connections_inherit_the_keepalive() -> None:
    """A viewer whose machine vanished is noticed: accepted sockets carry the listening socket's timers."""
    with listen("127.0.0.1", 0, "X") as listening, socket.create_connection(listening.getsockname()):
        listening.setblocking(True)
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000


async def test_the_dual_stack_address_serves_both_kinds_of_clients() -> None:
    """On `::` an IPv4 client is let in, and seen under its IPv4 address."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    made = station()
    async with served(made, host="::") as ports:
        reader, writer = await send(ports.iptv, "/iptv/channel/7.ts")
        assert (await head_of(reader))[0] == 200
        assert made.studio.sessions()[0].peer == "127.0.0.1"
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"\r\n"])
async def test_a_client_that_is_slow_with_its_headers_is_sent_away(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that does not arrive in time is answered 408 and the connection closed."""
    monkeypatch.setattr(PromptProtocol, "receive_seconds", 0.3)
    async with served(station()) as ports:
        reader, writer = await asyncio.open_connection("127.0.0.1", ports.iptv)
        writer.write(sent)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_client_that_trickles_its_headers_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then does not renew the deadline."""
    monkeypatch.setattr(PromptProtocol, "receive_seconds", 0.4)
    async with served(station()) as ports:
        reader, writer = await asyncio.open_connection("127.0.0.1", ports.iptv)
        reading = asyncio.create_task(reader.read())
        for byte in b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n":
            writer.write(bytes([byte]))
            done, _ = await asyncio.wait([reading], timeout=0.05)
            if done:
                break
        assert reading.done()
        assert (await reading).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_body_that_never_comes_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request whose promised body does not arrive is not waited for."""
    monkeypatch.setattr(PromptProtocol, "receive_seconds", 0.3)
    async with served(station()) as ports:
        reader, writer = await send(
            ports.iptv, "/api/v1/channels", method="POST", Content_Length="1000", Origin="http://127.0.0.1:1"
        )
        await asyncio.wait_for(reader.read(), 5)
        writer.close()
        await until(lambda: not ports.servers.connections())


async def test_headers_without_end_are_refused() -> None:
    """More than 64 kB of headers get 431."""
    async with served(station()) as ports:
        reader, writer = await asyncio.open_connection("127.0.0.1", ports.iptv)
        writer.write(b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"a" * 70_000)
        assert (await asyncio.wait_for(reader.read(100), 5)).startswith(b"HTTP/1.1 431 ")
        writer.close()


async def test_a_connection_may_be_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline for a request does not end a connection that waits for the next one."""
    monkeypatch.setattr(PromptProtocol, "receive_seconds", 0.3)
    async with served(station()) as ports:
        reader, writer = await asyncio.open_connection("127.0.0.1", ports.hdhr)
        for _ in range(2):
            writer.write(b"GET /lineup_status.json HTTP/1.1\r\nHost: a\r\n\r\n")
            status, headers = await head_of(reader)
            await reader.readexactly(int(headers["content-length"]))
            assert status == 200
            await asyncio.sleep(0.5)
        writer.close()


async def test_an_answer_tells_the_time_at_which_it_is_given() -> None:
    """The date is that of the answer, however long the server has slept and on the same connection too."""
    async with served(station()) as ports:
        reader, writer = await asyncio.open_connection("127.0.0.1", ports.hdhr)
        for _ in range(2):
            await asyncio.sleep(1.1)
            writer.write(b"GET /lineup_status.json HTTP/1.1\r\nHost: a\r\n\r\n")
            _, headers = await head_of(reader)
            await reader.readexactly(int(headers["content-length"]))
            assert abs(parsedate_to_datetime(headers["date"]).timestamp() - time.time()) <= 1.0
        writer.close()


async def test_stopping_with_viewers_is_quick_and_quiet(caplog: pytest.LogCaptureFixture) -> None:
    """With readers, a client that never reads and an idle connection, stopping takes under 5 s and logs no error."""
    made = station()
    made.studio.chunk = 5_000
    loop = asyncio.get_running_loop()
    with caplog.at_level(logging.WARNING):
        async with served(made, leave_seconds=2.5) as ports:
            _, stuck = await send(ports.hdhr, "/auto/v7")
            reader, writer = await send(ports.iptv, "/iptv/channel/7.ts")
            await head_of(reader)
            await chunk_of(reader)
            _, idle = await asyncio.open_connection("127.0.0.1", ports.iptv)
            began = loop.time()
            drain = asyncio.create_task(reader.read())
        took = loop.time() - began
        await drain
    for each in (stuck, writer, idle):
        each.close()
    assert took < 5
    assert not made.studio.sessions()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_viewer_that_is_tuning_does_not_hold_up_the_end() -> None:
    """A request that still waits for its channel is let go when the server stops."""
    made = station()
    made.studio.slow.clear()
    async with served(made, leave_seconds=0.3) as ports:
        _, writer = await send(ports.hdhr, "/auto/v7")
        await until(made.studio.sessions)
    writer.close()
    assert not made.studio.sessions()


async def test_resets_in_mid_stream_are_not_errors(caplog: pytest.LogCaptureFixture) -> None:
    """Clients that crash leave no traceback in the log."""
    made = station()
    with caplog.at_level(logging.WARNING):
        async with served(made) as ports:
            for _ in range(5):
                reader, writer = await send(ports.iptv, "/iptv/channel/7.ts")
                await head_of(reader)
                reset(writer)
            await until(lambda: not made.studio.sessions())
            assert (await ask(ports.iptv, "/livez")).text == "ok\n"
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_both_sites_live_in_one_process() -> None:
    """IPTV and the tuner answer on ports of their own, each with its own routes."""
    async with served(station()) as ports:
        assert (await ask(ports.iptv, "/livez")).status == 200
        assert (await ask(ports.hdhr, "/livez")).status == 404
        assert (await ask(ports.hdhr, "/discover.json")).status == 200
        assert (await ask(ports.iptv, "/discover.json")).status == 404


def test_a_server_may_have_as_many_sockets_as_the_system_allows() -> None:
    """Where a shell allows few open files and more are to be had, the server takes what there is."""
    script = (
        "import resource; from exstream.web.sockets import admit_many;"
        "_, most = resource.getrlimit(resource.RLIMIT_NOFILE);"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, most)); admit_many(); admit_many();"
        "raise SystemExit(resource.getrlimit(resource.RLIMIT_NOFILE) != (most, most))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == 0
