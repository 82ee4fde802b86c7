"""The listening sockets: ours before anything else starts, so that a taken port is a sentence and not a traceback."""

from __future__ import annotations

import errno
import os
import resource
import socket
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import psutil

from exstream.errors import ConfigurationError, PortInUse

BACKLOG = 256
LOOPBACK = "127.0.0.1"
_UNREAD_BYTES = 262_144
_KEEPALIVE = (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 30_000))


@dataclass(frozen=True, slots=True)
class Sockets:
    """The listening sockets, bound before anything else starts."""

    iptv: socket.socket
    hdhr: socket.socket
    media: socket.socket
    """Where children of ours read files of servers: on this machine alone."""

    @property
    def media_url(self) -> str:
        """The address of the third of them."""
        return f"http://{LOOPBACK}:{self.media.getsockname()[1]}"

    def close(self) -> None:
        """Give the ports back."""
        for listening in (self.iptv, self.hdhr, self.media):
            listening.close()


def admit_many() -> None:
    """Let this process have as many sockets as the system lets it: the usual 1,024 are not for a thousand viewers."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # some systems name a limit that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def listen_twice(host: str, iptv_port: int, hdhr_port: int) -> Sockets:
    """Return the sockets; where ``host`` is every network, that is IPv6 as well. Raises as `listen` does."""
    host = "" if host == "0.0.0.0" else host  # noqa: S104 -- the setting says so
    with ExitStack() as on_failure:
        iptv = on_failure.enter_context(listen(host, iptv_port, "EXSTREAM_IPTV_PORT"))
        hdhr = on_failure.enter_context(listen(host, hdhr_port, "EXSTREAM_HDHR_PORT"))
        media = on_failure.enter_context(listen_here())
        on_failure.pop_all()
    return Sockets(iptv, hdhr, media)


def listen_here() -> socket.socket:
    """Return a socket that only this machine reaches, on a port that the system chooses. Raises as `listen` does.

    It keeps little of what its clients have not read yet: an encoder that waits for its turn is owed nothing.
    """
    listening = listen(LOOPBACK, 0, "EXSTREAM_HOST")
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD_BYTES)
    return listening


def listen(host: str, port: int, setting: str) -> socket.socket:
    """Return a socket that listens on ``host`` and ``port``; ``::`` (or nothing) is IPv4 and IPv6.

    Accepted connections inherit the keepalive: a viewer whose machine vanished is gone within 30 seconds.
    ``setting`` is the name of the option that moves the port. Raises `PortInUse` and `ConfigurationError`.
    """
    try:
        return _bound(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"port {port} is taken by {_holder(port)}: stop it, or set {setting} to a free port"
            ) from None
        if error.errno == errno.EACCES:
            raise ConfigurationError(
                f"port {port} may only be opened by root: set {setting} to a port above 1023"
            ) from None
        raise ConfigurationError(
            f"cannot listen on {host or 'any address'}, port {port}: {error.strerror or error};"
            f" set EXSTREAM_HOST to an address of this machine, and {setting} to a port"
        ) from None


def _bound(host: str, port: int) -> socket.socket:
    if host in {"", "::"} and socket.has_dualstack_ipv6():
        try:
            return _opened(host, port, dual=True)
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            host = ""  # IPv6 is known to the system but switched off
    return _opened(host, port, dual=False)


def _opened(host: str, port: int, *, dual: bool) -> socket.socket:
    family = socket.AF_INET6 if dual or ":" in host else socket.AF_INET
    # Named, the protocol tells asyncio to send small answers at once.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        _keep_alive(listening)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


def _keep_alive(listening: socket.socket) -> None:
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        option = getattr(socket, name, None)  # not every system knows every one
        if option is not None:
            listening.setsockopt(socket.IPPROTO_TCP, option, value)


def _holder(port: int) -> str:
    """Name the program that listens on ``port``, as far as this user may see it."""
    try:
        held = [
            entry.pid
            for entry in psutil.net_connections(kind="tcp")
            if entry.status == psutil.CONN_LISTEN and entry.laddr and entry.laddr.port == port
        ]
        pid = next((pid for pid in held if pid), None)
        if pid is None:
            return "a program of another user"
        if pid == os.getpid():
            return "this server itself (EXSTREAM_IPTV_PORT and EXSTREAM_HDHR_PORT must differ)"
        return f"{psutil.Process(pid).name()} (process {pid})"
    except psutil.Error:
        return "another program"
