"""The live page as a browser sees it, and as those see it who should not."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from http.client import HTTPConnection
from pathlib import Path

import pytest

from surefoot.data.population import Population
from surefoot.errors import ConfigurationError
from surefoot.reports.live.gate import HEADERS
from surefoot.reports.live.server import LiveServer
from tests.browser import tab
from tests.fakes import Fake
from tests.reports.raced import Drawn, large_study, write

STUDY = large_study(16, certify=4, schedule="halving")
TOKEN = "a-token-of-some-length"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def path(tmp_path) -> Path:
    write(tmp_path / "race.db", STUDY, 16)
    return tmp_path / "race.db"


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[LiveServer]:
    """A server of one journal, for tests that only ask."""
    folder = tmp_path_factory.mktemp("served")
    write(folder / "race.db", STUDY, 16)
    with LiveServer(folder / "race.db", port=0) as server:
        yield server


def ask(server: LiveServer, path: str = "/", method: str = "GET", **headers: str):
    """Return status, headers and text of an answer."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers=named)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.getheaders()), text


def embedded(text: str) -> dict[str, object]:
    """Return what a page's script embeds."""
    found = re.search(r'data-embed="([^"]*)"', text)
    assert found is not None
    return json.loads(unescape(found[1]))


def websocket(server: LiveServer, key: str, **headers: str) -> int:
    """Return the status with which a websocket is answered; 101 opens it."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": f"bokeh, {key}",
        "Origin": f"http://127.0.0.1:{server.port}",
    }
    connection.request("GET", "/journal/ws?name=race", headers={**upgrade, **headers})
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_page_has_a_strict_policy_and_nothing_written_into_it_runs(served):
    status, headers, text = ask(served, "/journal?name=race")
    assert status == 200
    assert HEADERS.items() <= headers.items()
    assert "Server" not in headers
    scripts = re.findall(r"<script[^>]*>[^<]*</script>", text)
    assert scripts
    assert all(re.fullmatch(r'<script src="[\w./]+" defer></script>', one) for one in scripts)
    assert not re.search(r"\son\w+=|javascript:", text)


def test_foreign_names_and_origins_are_refused_everywhere(served):
    key = embedded(ask(served, "/journal?name=race")[2])["token"]
    assert websocket(served, key) == 101
    assert websocket(served, key, Origin="http://evil.example") == 403
    assert websocket(served, key, Host="evil.example", Origin="http://evil.example") == 403
    for address in ("/", "/rows", "/journal?name=race", "/static/js/bokeh.min.js", "/live.js"):
        assert ask(served, address)[0] in (200, 302)
        assert ask(served, address, Host="evil.example")[0] == 403
        assert ask(served, address, Origin="http://evil.example")[0] == 403
        assert ask(served, address, "POST")[0] == 405


@pytest.mark.parametrize(
    "address",
    [
        "/journal",
        "/journal?name=other",
        "/journal?name=../race",
        "/journal/autoload.js?name=race&bokeh-autoload-element=1",
        "/journal/metadata?name=race",
        "/static/js/../../../../../../../../etc/passwd",
        "/static/extensions/x",
        "/anything",
    ],
)
def test_there_is_nothing_at_other_addresses(served, address):
    assert ask(served, address)[0] in (403, 404)


def test_elsewhere_nothing_is_answered_without_the_token(path):
    with LiveServer(path, host="0.0.0.0", port=0, token=TOKEN) as server:
        cookie = f"surefoot-{server.port}={TOKEN}"
        page = "/journal?name=race"
        key = embedded(ask(server, page, Cookie=cookie)[2])["token"]
        for address in ("/", "/rows", page, "/static/js/bokeh.min.js", "/live.js", "/nothing"):
            assert ask(server, address)[0] == 401
            assert ask(server, address, Cookie=cookie[:-1])[0] == 401
        assert websocket(server, key) == 401
        assert websocket(server, key, Cookie=cookie[:-1] + "x") == 401
        assert websocket(server, key, Cookie=cookie) == 101
        status, headers, _ = ask(server, f"{page}&token={TOKEN}")
        assert (status, headers["Location"]) == (302, page)
        assert headers["Set-Cookie"] == f"{cookie}; HttpOnly; Path=/; SameSite=Lax"
        assert TOKEN not in ask(server, page, Cookie=cookie)[2]


def test_a_session_cannot_be_made_up(served):
    key = embedded(ask(served, "/journal?name=race")[2])["token"]
    payload, _, signature = key.rpartition(".")
    assert payload
    forged = payload[:-2] + "AA." + signature
    assert ask(served, f"/journal?name=race&bokeh-token={forged}")[0] in (403, 500)


def test_a_port_that_is_taken_is_told(served, path):
    with pytest.raises(ConfigurationError, match=f"port {served.port} .* 0 for a free one"):
        LiveServer(path, port=served.port)


def show(page, server: LiveServer) -> None:
    """Open the page of the one journal and wait for its views."""
    page.goto(server.url)
    page.wait_for_selector("#survival")
    page.wait_for_selector("html[data-live]")


def test_an_outcome_written_meanwhile_appears_within_two_seconds(browser, path):
    with STUDY.open(path) as journal, LiveServer(path, port=0) as server, tab(browser) as page:
        show(page, server)
        state = page.locator("#progress .state")
        assert "16 of about 34 instances" in state.inner_text()
        rounds = Drawn(STUDY).rounds()
        next(rounds)
        coming, delays = next(rounds), []
        for count, outcome in enumerate(coming[:3], start=17):
            journal.add(outcome)
            began = time.monotonic()
            text = f"{count} of about 34"
            page.wait_for_function(
                "text => document.querySelector('.state').textContent.includes(text)", arg=text
            )
            delays.append(time.monotonic() - began)
            assert f"{outcome.loss:.4g}" in page.locator("#progress table").inner_text()
        assert min(delays) < 2.0, "of three, since the machine may have more to do"
        journal.add(*coming[3:])
        for outcomes in rounds:
            journal.add(*outcomes)
        page.wait_for_selector("#fresh")
        page.wait_for_selector("html[data-live]")
        page.locator("#progress .state", has_text="finished").wait_for()
        page.locator("#fresh", has_text="4 fresh retrainings").wait_for()
        assert page.locator("#fresh canvas").count() > 0


def test_a_figure_stays_and_a_sorted_table_stays_sorted_while_the_race_goes_on(browser, path):
    with STUDY.open(path) as journal, LiveServer(path, port=0) as server, tab(browser) as page:
        show(page, server)
        page.evaluate("document.querySelector('#survival .live').dataset.mine = 'yes'")
        page.locator("#progress th button", has_text="loss").click()
        rounds = Drawn(STUDY).rounds()
        next(rounds)
        journal.add(*next(rounds)[:3])
        page.locator("#survival .note", has_text="5 of 8 instances").first.wait_for()
        assert page.locator("#survival .live").first.get_attribute("data-mine") == "yes"
        assert page.locator("#survival canvas").count() > 0
        cells = page.locator("#progress td.number:nth-child(5)").all_inner_texts()
        assert cells == sorted(cells, key=float)


def test_a_choice_shows_another_candidate_s_curves_and_stays_chosen(browser, path):
    with STUDY.open(path) as journal, LiveServer(path, port=0) as server, tab(browser) as page:
        show(page, server)
        select = page.locator("#curves select")
        names = select.locator("option").all_inner_texts()
        first = select.input_value()
        other = next(name for name in names if name != first)
        figure = "Bokeh.documents.at(-1).get_model_by_name('curves-0')"
        marks = f"() => JSON.stringify({figure}.children[0].renderers.map(r => r.data_source.data))"
        before = page.evaluate(marks)
        select.select_option(other)
        page.wait_for_function(f"before => ({marks})() !== before", arg=before)
        rounds = Drawn(STUDY).rounds()
        next(rounds)
        journal.add(*next(rounds)[:3])
        page.locator("#survival .note", has_text="5 of 8 instances").first.wait_for()
        assert select.input_value() == other


def test_the_list_shows_every_journal_and_finds_new_ones(browser, tmp_path):
    write(tmp_path / "one.db", STUDY)
    write(tmp_path / "two & 3.db", STUDY, 16)
    with LiveServer(tmp_path, port=0) as server, tab(browser) as page:
        page.goto(server.url)
        page.get_by_text("finished").wait_for()
        write(tmp_path / "zero.db", STUDY, 8)
        page.get_by_text("zero.db").wait_for()
        assert page.locator("#journals tr").count() == 3
        page.get_by_role("link", name="two & 3.db").click()
        page.wait_for_selector("html[data-live]")
        assert page.title() == "two & 3: select"


def test_what_stands_in_a_journal_stays_text(browser, tmp_path):
    name = "<script>alert(1)<`${alert(1)}.db"
    fate = f"{SCRIPT}<img src=x onerror=alert(1)>{{{{alert(1)}}}}"
    study = large_study(4, certify=3, schedule="halving")
    study = replace(
        study,
        candidates=tuple(Fake(1.0 + place, fate=fate) for place in range(4)),
        setting=named(study.setting, SCRIPT),
    )
    object.__setattr__(study, "name", SCRIPT)
    write(tmp_path / name, study)
    with LiveServer(tmp_path, port=0) as server, tab(browser) as page:
        page.on("dialog", lambda dialog: pytest.fail(f"the page ran {dialog.message}"))
        page.goto(server.url)
        page.get_by_text("finished").wait_for()
        assert SCRIPT in page.locator("#journals").inner_text()
        page.get_by_role("link").first.click()
        page.wait_for_selector("#fresh")
        page.wait_for_selector("html[data-live]")
        assert page.title() == SCRIPT
        assert page.locator("h1").inner_text() == SCRIPT
        assert fate in page.locator("#progress table").inner_text()
        assert page.locator("script:not([src])").count() == 0


def named(setting, name: str):
    """Return a setting whose population has another name."""
    same = setting.halves.population
    return replace(setting, halves=Population(same.features, same.target, name=name).split(1))


def test_a_page_from_elsewhere_gets_no_websocket(browser, path, tmp_path):
    with LiveServer(path, port=0) as server, tab(browser) as page:
        (tmp_path / "evil.html").write_text("<p>evil</p>")
        page.goto((tmp_path / "evil.html").as_uri())
        opened = page.evaluate(
            """url => new Promise(told => {
              const socket = new WebSocket(url, ["bokeh", "x"]);
              socket.onopen = () => told(true);
              socket.onerror = () => told(false);
            })""",
            f"ws://127.0.0.1:{server.port}/journal/ws?name=race",
        )
        assert opened is False
        page.expected.append("WebSocket connection")


def test_without_the_token_a_browser_sees_why(browser, path):
    with LiveServer(path, host="0.0.0.0", port=0) as server, tab(browser) as page:
        bare = f"http://127.0.0.1:{server.port}/"
        page.goto(bare)
        assert "it has the token" in page.locator("body").inner_text()
        page.goto(bare + "?" + server.url.partition("?")[2])
        page.wait_for_selector("#survival")
        page.wait_for_selector("html[data-live]")
        assert "token" not in page.url
        page.expected.append("401")


def test_the_page_says_when_the_server_has_ended(browser, path):
    with tab(browser) as page:
        with LiveServer(path, port=0) as server:
            page.goto(server.url)
            page.wait_for_selector("html[data-live]")
            page.expected += ["WebSocket connection", "Failed to connect", "ERR_CONNECTION"]
        page.get_by_text("surefoot watch has ended").wait_for()


def test_ctrl_c_ends_it_quietly(path):
    command = [sys.executable, "-m", "surefoot", "watch", str(path), "--no-browser", "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        line = process.stdout.readline()
        assert re.fullmatch(
            rf"{re.escape(str(path))}: http://127.0.0.1:\d+/ \(Ctrl-C ends\)\n", line
        )
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (0, "", "")
