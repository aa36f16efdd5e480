"""The browser of the tests: it opens a page from disk without a network, and tells of errors."""

import pytest

from tests.browser import chromium, tab


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


def test_a_missing_browser_fails_a_test_that_asks_for_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("SUREFOOT_CHROMIUM", raising=False)
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"), chromium():
        pass
