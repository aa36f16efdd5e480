"""Who may look: names, origins and tokens, each refused alone."""

from __future__ import annotations

import pytest

from surefoot.errors import ConfigurationError
from surefoot.reports.live.gate import SHORTEST, Asked, Gate

COOKIE = "surefoot-5006"
TOKEN = "a-token-of-some-length"


def refused(gate: Gate, **asked: object) -> int | None:
    given = {"method": "GET", "path": "/", "host": "127.0.0.1:5006", **asked}
    found = gate.refusal(Asked(**given), COOKIE)
    return None if found is None else found.status


@pytest.mark.parametrize("host", ["127.0.0.1:5006", "localhost:9000", "LOCALHOST", "[::1]:5006"])
def test_a_loopback_server_answers_to_its_own_names(host):
    gate = Gate("127.0.0.1")
    assert gate.token == ""
    assert refused(gate, host=host) is None
    assert refused(gate, host=host, origin=f"http://{host}", websocket=True) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example:5006", "127.0.0.1.evil.example", "localhost.evil", "192.168.0.7", "", "["],
)
def test_a_name_made_to_lead_here_is_refused(host):
    assert refused(Gate("127.0.0.1"), host=host) == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:5007", "http://localhost:5006", "null"]
)
def test_a_page_from_elsewhere_is_refused(origin):
    assert refused(Gate("127.0.0.1"), origin=origin) == 403
    assert refused(Gate("127.0.0.1"), origin=origin, websocket=True) == 403


def test_a_websocket_says_from_where_it_comes():
    assert refused(Gate("127.0.0.1"), websocket=True) == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(method):
    assert refused(Gate("127.0.0.1"), method=method) == 405


@pytest.mark.parametrize("path", ["/", "/journal/ws", "/static/js/bokeh.min.js"])
@pytest.mark.parametrize("websocket", [True, False])
def test_elsewhere_every_request_needs_the_token(path, websocket):
    gate = Gate("0.0.0.0", TOKEN)
    here = {"path": path, "websocket": websocket, "origin": "http://127.0.0.1:5006"}
    for cookies in ("", f"{COOKIE}={TOKEN[:-1]}", f"other={TOKEN}", f"{COOKIE}=", "=;=ü"):
        assert refused(gate, **here, cookies=cookies) == 401
    assert refused(gate, **here, token="ünd") == 401
    assert refused(gate, **here, cookies=f"a=b; {COOKIE}={TOKEN}") is None
    assert refused(gate, **here, token=TOKEN) is None


def test_elsewhere_a_token_is_made_unless_given():
    one, other = Gate("0.0.0.0"), Gate("::")
    assert one.token != other.token
    assert len(one.token) >= 32
    assert one.address("0.0.0.0", 5006) == f"http://localhost:5006/?token={one.token}"
    assert Gate("localhost").address("localhost", 80) == "http://localhost:80/"
    assert Gate("::1").address("::1", 80) == "http://[::1]:80/"


def test_elsewhere_addresses_are_this_server_and_other_names_are_not():
    gate = Gate("0.0.0.0", TOKEN)
    assert refused(gate, host="192.168.0.7:5006", token=TOKEN) is None
    assert refused(gate, host="evil.example", token=TOKEN) == 403


@pytest.mark.parametrize(
    ("host", "token", "words"),
    [
        ("no.such.host.invalid", "", "'no.such.host.invalid' cannot be found"),
        ("127.0.0.1", "x" * (SHORTEST - 1), "15 characters"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(host, token, words):
    with pytest.raises(ConfigurationError, match=words):
        Gate(host, token)
