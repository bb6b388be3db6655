"""The report in a real browser: the table is sorted, the front speaks, nothing hostile runs."""

import base64
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement

from scoot_ray.report.html import write_report
from tests.unit.scoot_ray.reports import HOSTILE, made_up_findings


@pytest.fixture
def page(browser: WebDriver, tmp_path: Path) -> WebDriver:
    report = tmp_path / "report.html"
    write_report(made_up_findings(HOSTILE, control=True), report)
    browser.get(report.as_uri())
    return browser


def find(page: WebDriver, selector: str) -> list[WebElement]:
    return page.find_elements(By.CSS_SELECTOR, selector)


def ask(page: WebDriver, expression: str) -> Any:
    return page.execute_script(f"return {expression}")


def column(page: WebDriver, number: int) -> list[str]:
    cells = find(page, f"table.sortable tbody td:nth-child({number + 1})")
    return [cell.get_attribute("data-value") or "" for cell in cells]


def numbers(page: WebDriver) -> list[int]:
    return [int(text) for text in column(page, 0)]


def tip(page: WebDriver) -> str:
    return page.find_element(By.ID, "tip").text


def told_by(mark: WebElement) -> str | None:
    return mark.get_attribute("aria-label")


def test_the_table_is_sorted_by_a_heading_and_back(page: WebDriver) -> None:
    begun = numbers(page)
    headings = find(page, "table.sortable th button")
    headings[3].click()
    texts = column(page, 3)
    values = [float(text) for text in texts if text]
    assert values == sorted(values)
    assert "" not in texts[: len(values)], "trials without a value come last"
    assert sorted(numbers(page)) == sorted(begun)
    headings[0].click()
    assert numbers(page) == sorted(begun)
    headings[0].click()
    assert numbers(page) == sorted(begun, reverse=True), "as numbers, not as texts"
    sorted_by = [cell.get_attribute("aria-sort") for cell in find(page, "table.sortable th")]
    assert sorted_by == ["descending", *[None] * (len(headings) - 1)]


def test_the_table_is_sorted_by_keyboard(page: WebDriver) -> None:
    begun = numbers(page)
    find(page, "table.sortable th button")[0].send_keys(Keys.ENTER, Keys.ENTER)
    assert numbers(page) == sorted(begun, reverse=True)


def test_the_front_tells_the_configuration_under_the_mouse(page: WebDriver) -> None:
    assert tip(page) == ""
    mark = find(page, "g.mark")[2]
    ActionChains(page).scroll_to_element(mark).move_to_element(mark).perform()
    assert tip(page) == told_by(mark)
    assert "ttft_mean_s" in tip(page)
    assert "max_num_seqs=" in tip(page)
    ActionChains(page).move_to_element(find(page, "figcaption")[0]).perform()
    assert tip(page) == ""


def test_the_front_tells_it_to_the_keyboard(page: WebDriver) -> None:
    first, second, *_ = find(page, "g.mark")
    page.execute_script("arguments[0].focus()", first)
    assert tip(page) == told_by(first)
    ActionChains(page).send_keys(Keys.TAB).perform()
    assert page.switch_to.active_element == second
    assert tip(page) == told_by(second)
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert tip(page) == ""


def test_ink_follows_the_readers_theme(page: WebDriver) -> None:
    ink = "getComputedStyle(document.querySelector('svg.drawing text')).fill"
    paper = "getComputedStyle(document.body).backgroundColor"
    seen = []
    for theme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": theme}]
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        seen.append((ask(page, ink), ask(page, paper)))
    assert seen == [
        ("rgb(0, 0, 0)", "rgb(255, 255, 255)"),
        ("rgb(255, 255, 255)", "rgb(22, 22, 22)"),
    ]


def test_nothing_hostile_runs_and_nothing_is_fetched(page: WebDriver) -> None:
    assert ask(page, "document.images.length") == 0
    assert ask(page, "document.scripts.length") == 1
    fetched = ask(page, "performance.getEntriesByType('resource').map(each => each.name)")
    assert [url for url in fetched if not url.startswith("data:")] == []


def test_it_can_be_printed(page: WebDriver) -> None:
    assert len(base64.b64decode(page.print_page())) > 20_000
