"""The browser of the tests: it opens a page from disk without a network, and tells of errors."""

import pytest

from tests.browser import REQUIRED, chromium, left_out, tab


def test_a_page_opens_from_disk_without_a_network(page, tmp_path):
    (tmp_path / "page.html").write_text("<title>a page</title><p id=a>text</p>")
    page.goto((tmp_path / "page.html").as_uri())
    assert page.title() == "a page"
    assert page.locator("#a").inner_text() == "text"


@pytest.mark.parametrize("script", ["console.error('oh')", "throw new Error('oh')"])
def test_an_error_on_a_page_fails_the_test(browser, tmp_path, script):
    (tmp_path / "page.html").write_text(f"<script>{script}</script>")
    with pytest.raises(AssertionError, match="oh"), tab(browser) as page:
        page.goto((tmp_path / "page.html").as_uri())


@pytest.mark.parametrize(("needed", "out"), [("", True), ("1", False)])
def test_a_missing_browser_leaves_tests_out_or_fails_them(monkeypatch, needed, out):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("SUREFOOT_CHROMIUM", raising=False)
    monkeypatch.setenv(REQUIRED, needed)
    assert left_out() is out
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"), chromium():
        pass
