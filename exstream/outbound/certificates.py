"""Whose word on who a server is counts."""

from __future__ import annotations

import ssl

import httpx


def certificates(*, verify: bool) -> ssl.SSLContext:
    """Return what a certificate is checked against: the world's authorities, and those that this machine trusts.

    The second are the system's, or the file named in ``SSL_CERT_FILE``. Without ``verify`` every certificate will do.
    """
    context = httpx.create_ssl_context(verify=verify, trust_env=False)
    if verify:
        context.load_default_certs()
    return context
