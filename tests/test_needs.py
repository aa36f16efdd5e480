"""What a test needs and the machine lacks leaves it out in one line, or fails it."""

import pytest

from tests.needs import NEEDS, REQUIRED, Need


@pytest.mark.parametrize(
    ("found", "required", "out"),
    [("", "", True), ("", "1", False), ("/bin/it", "", False), ("/bin/it", "1", False)],
)
def test_only_what_nobody_insists_on_is_left_out(monkeypatch, found, required, out):
    monkeypatch.setenv(REQUIRED, required)
    assert Need("it", lambda: found, "tests of it", "get it").left_out() is out


def test_every_need_is_a_fixture_and_says_how_to_get_it(request):
    for need in NEEDS:
        assert "apt-get install" in need.missing
        assert request._fixturemanager.getfixturedefs(need.fixture, request.node)
