"""What httpx, TLS and the network complain of, in sentences that never hold a header or a query."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

from exstream.errors import OutboundError, TooMuch, Unreachable

# What OpenSSL says is wrong with a certificate (X509_V_ERR_*).
_EXPIRED, _NOT_YET = 10, 9
_SELF_SIGNED = (18, 19)
_UNKNOWN_ISSUER = (20, 21)
_OTHER_NAME = (62, 64)


@contextmanager
def in_words(address: str, silence: float) -> Iterator[None]:
    """Turn what httpx raises in the block into `Unreachable`, `TooMuch` or `OutboundError` about ``address``."""
    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise OutboundError(
            f"{address} is no address of a server: it begins with http:// or https://"
        ) from None
    except httpx.ConnectTimeout as fault:
        raise Unreachable(
            f"{address} cannot be reached: no answer to the first knock. Is it switched on, and let through?"
        ) from fault
    except httpx.TimeoutException as fault:
        raise TooMuch(f"{address} does not answer within {silence:g} s") from fault
    except (httpx.ConnectError, ssl.SSLError) as fault:
        raise Unreachable(f"{address} cannot be reached: {words(fault, address)}") from fault
    except httpx.LocalProtocolError:
        # Its text quotes the header it stumbles over.
        raise OutboundError(f"{address} cannot be asked: a header holds what HTTP does not allow") from None
    except httpx.TransportError as fault:
        raise Unreachable(f"{address} broke off: {words(fault, address)}") from fault


def words(fault: Exception, address: str = "") -> str:
    """Return what a fault means; that of a certificate says what to do about it."""
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause, urlsplit(address).hostname or "this server")
        cause = cause.__cause__ or cause.__context__
    text = str(fault) or type(fault).__name__
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER_FAILURE" in text:
        return "it does not speak TLS there: try the address with http://"
    return text


def _certificate(fault: ssl.SSLCertVerificationError, host: str) -> str:
    code = fault.verify_code
    if code in _OTHER_NAME:
        said = f"the certificate is for another name: {host} is not in it. Use the name it was made for"
    elif code == _EXPIRED:
        said = "the certificate has expired. Have the server renew it"
    elif code == _NOT_YET:
        said = "the certificate is not valid yet. Are the clocks of both machines right?"
    elif code in _SELF_SIGNED:
        said = "the certificate is signed by nobody but itself"
    elif code in _UNKNOWN_ISSUER:
        said = "the certificate is signed by somebody unknown here"
    else:
        said = f"the certificate is refused: {fault.verify_message}"
    return f"{said}, or switch the check of certificates off for this server"
