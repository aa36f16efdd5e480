"""Who may look at the live page: names of this server, origins, a token, and what browsers obey.

A page on a loopback address is open to every program of the machine, also to a browser that shows
somebody else's page. So a request must name a host that is this server (a foreign name that was
made to lead here, DNS rebinding, is refused), a request made by a page must come from a page of
this server, and the websocket must say from where it comes. Anywhere else a token is demanded as
well, by every request.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode, urlsplit

from surefoot.errors import ConfigurationError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load: scripts of this server alone, none written into the page. Bokeh sets
styles from its script, which styles within the page allow for."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Sent with every answer."""

SHORTEST = 16
"""Characters of a token that somebody chose."""


@dataclass(frozen=True)
class Asked:
    """What a request says of itself; empty where it says nothing."""

    method: str
    path: str
    host: str
    origin: str = ""
    cookies: str = ""
    token: str = ""
    websocket: bool = False


@dataclass(frozen=True)
class Refusal:
    """The status and the sentence with which a request is refused."""

    status: int
    reason: str


class Gate:
    """Decides which requests are answered.

    Parameters
    ----------
    host
        The address or name that the server listens on.
    token
        What every request must know; "" for the loopback's usual: none. Elsewhere "" makes one.

    Raises
    ------
    ConfigurationError
        If the host cannot be found or the token is too short.
    """

    def __init__(self, host: str, token: str = "") -> None:
        if token and len(token) < SHORTEST:
            raise ConfigurationError(
                f"a token of {len(token)} characters is guessed too soon: give {SHORTEST} or more, "
                "or none to have one made"
            )
        self.loopback = is_loopback(host)
        self.token = token or ("" if self.loopback else secrets.token_urlsafe(24))
        names = {"localhost", host.lower()}
        if not self.loopback:
            names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        self.names = frozenset(names - {""})

    def refusal(self, asked: Asked, cookie: str) -> Refusal | None:
        """Return why a request is refused, None if it is answered; ``cookie`` has the token."""
        if not self.is_here(asked.host):
            return Refusal(403, f"no server of that name is here; ask for {min(self.names)}")
        if asked.origin and urlsplit(asked.origin).netloc.lower() != asked.host.lower():
            return Refusal(403, "a page from elsewhere asked for this")
        if asked.websocket and not asked.origin:
            return Refusal(403, "who asks does not say from where")
        if not self.knows(asked, cookie):
            return Refusal(401, "open the address that surefoot watch printed: it has the token")
        if asked.method not in ("GET", "HEAD"):
            return Refusal(405, "there is nothing to be changed here")
        return None

    def is_here(self, host: str) -> bool:
        """Say whether the name that a request asks for can only mean this server.

        An address does; a name may have been made to lead here.
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self.names
        return address.is_loopback or not self.loopback

    def knows(self, asked: Asked, cookie: str) -> bool:
        """Say whether a request knows the token, from its address or from the cookie."""
        return not self.token or any(
            hmac.compare_digest(self.token.encode(), given.encode())
            for given in (asked.token, _cookie(asked.cookies, cookie))
        )

    def address(self, host: str, port: int, path: str = "/") -> str:
        """Return what to open in a browser."""
        shown = "localhost" if _is_any(host) else f"[{host}]" if ":" in host else host
        query = f"?{urlencode({'token': self.token})}" if self.token else ""
        return f"http://{shown}:{port}{path}{query}"


def is_loopback(host: str) -> bool:
    """Say whether a host is reached from this machine alone.

    Raises `ConfigurationError` if it cannot be found.
    """
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigurationError(
            f"host {host!r} cannot be found ({error.strerror}): give an address of this machine, "
            "or 0.0.0.0 for all"
        ) from None
    return all(ipaddress.ip_address(str(at[0]).split("%")[0]).is_loopback for *_, at in found)


def _is_any(host: str) -> bool:
    return host in ("", "0.0.0.0", "::")


def _cookie(text: str, name: str) -> str:
    """Return a cookie of a request, "" if it has none."""
    try:
        found = SimpleCookie(text).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value
