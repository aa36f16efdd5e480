"""The report in a real browser, from disk, without a network; errors in its console fail a test."""

from dataclasses import replace

import pytest

import surefoot
from tests.browser import tab
from tests.reports.journals import raced, showers, study

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    with raced(str(folder / "small.db"), name=EVIL) as (journal, _):
        return surefoot.report(journal, folder / "small.html")


def opened(page, report):
    page.goto(report.as_uri())
    page.wait_for_selector("#fresh .plot canvas")
    return page


def test_it_opens_from_disk_with_the_network_off_and_no_error(page, report):
    asked = []
    page.on("request", lambda one: asked.append(one.url))
    opened(page, report)
    sections = page.locator("section").all()
    for section in sections:
        section.scroll_into_view_if_needed()
        if section.locator(".plot").count():
            section.locator(".plot canvas").first.wait_for()
    assert len(sections) > 10
    assert [one for one in asked if not one.startswith(("file:", "data:", "blob:"))] == []


def test_a_name_that_is_a_script_stays_text(page, report):
    page.on("dialog", lambda one: pytest.fail(f"a script of a journal ran: {one.message}"))
    opened(page, report)
    assert page.locator("h1").inner_text() == EVIL
    assert page.title() == EVIL


def test_pointing_at_a_mark_tells_of_it(page, report):
    opened(page, report)
    place = page.locator("#curse .plot").first
    place.scroll_into_view_if_needed()
    place.locator("canvas").first.wait_for()
    tip = page.evaluate(
        """() => {
            const place = document.querySelector("#curse .plot");
            const views = Object.values(Bokeh.index.roots ?? Bokeh.index);
            const plot = views.find((view) => place.contains(view.el));
            const view = plot.model;
            const points = view.renderers.map((one) => one.data_source.data)
                .find((data) => data.hover0 !== undefined && data.x !== undefined);
            const frame = plot.frame;
            const x = frame.x_scale.compute(points.x[0]), y = frame.y_scale.compute(points.y[0]);
            const box = plot.el.getBoundingClientRect();
            return [box.x + x, box.y + y];
        }"""
    )
    page.mouse.move(*tip)
    page.mouse.move(tip[0] + 1, tip[1])
    shown = page.locator(".bk-Tooltip").first
    shown.wait_for(state="visible")
    assert "loss" in shown.evaluate("one => one.shadowRoot.textContent")


def test_tables_sort_by_the_head_that_is_pressed(page, report):
    opened(page, report)
    head = page.locator("#ranking th", has_text="instances").locator("button")
    column = "#ranking td:nth-child(4)"
    head.click()
    up = [float(one) for one in page.locator(column).all_inner_texts()]
    head.click()
    down = [float(one) for one in page.locator(column).all_inner_texts()]
    assert up == sorted(up)
    assert down == sorted(up, reverse=True)
    assert up != down


def test_the_curves_of_another_candidate_can_be_chosen(page, report):
    opened(page, report)
    picker = page.locator("#curves select")
    picker.select_option(index=1)
    shown = page.locator("#curves .panels:not([hidden])")
    shown.locator("canvas").first.wait_for()
    assert shown.count() == 1


def test_without_scripts_words_tables_and_pictures_are_there(browser, report):
    with tab(browser, offline=True, java_script_enabled=False) as page:
        page.goto(report.as_uri())
        pictures = page.locator("img.static")
        assert pictures.count() > 8
        assert all(one.bounding_box()["width"] > 200 for one in pictures.all())
        assert "confidence" in page.locator("#verdict").inner_text()
        assert page.locator("#ranking tbody tr").count() == 4


def test_on_a_phone_nothing_is_wider_than_the_screen(browser, report):
    with tab(browser, offline=True, viewport={"width": 390, "height": 800}) as page:
        opened(page, report)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_population_named_by_a_stranger_stays_text(page, tmp_path):
    asked = replace(study(), setting=showers(EVIL))
    with asked.open(tmp_path / "a.db") as journal:
        report = surefoot.report(journal, tmp_path / "a.html")
    page.goto(report.as_uri())
    assert EVIL in page.locator("#provenance").inner_text()
