"""The report in a real browser: the table is sorted, the front speaks, nothing hostile runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from scoot_ray.report.html import write_report
from tests.browser.chromium import Page, find_chromium, open_page
from tests.unit.scoot_ray.reports import HOSTILE, made_up_findings

BROWSER = find_chromium()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium here: install it to test the report"),
]

FIRST_COLUMN = (
    "[...document.querySelectorAll('table.sortable tbody tr')].map(r => r.cells[{}].innerText)"
)
TIP = "(t => t.hidden ? '' : t.innerText)(document.getElementById('tip'))"
TAB, ENTER = 9, 13


@pytest_asyncio.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    assert BROWSER is not None
    report = tmp_path / "report.html"
    write_report(made_up_findings(HOSTILE, control=True), report)
    async with open_page(BROWSER, tmp_path) as opened:
        await opened.open(report)
        yield opened


async def numbers(page: Page) -> list[int]:
    return [int(text) for text in await page.ask(FIRST_COLUMN.format(0))]


async def test_the_table_is_sorted_by_a_heading_and_back(page: Page) -> None:
    begun = await numbers(page)
    await page.click("table.sortable th button", 3)
    texts = await page.ask(
        "[...document.querySelectorAll('table.sortable tbody tr')]"
        ".map(r => r.cells[3].dataset.value)"
    )
    values = [float(text) for text in texts if text]
    assert values == sorted(values)
    assert "" not in texts[: len(values)], "trials without a value come last"
    assert await page.ask("document.querySelectorAll('th')[0].ariaSort") is None
    assert sorted(await numbers(page)) == sorted(begun)
    await page.click("table.sortable th button", 0)
    assert await numbers(page) == sorted(begun)
    await page.click("table.sortable th button", 0)
    assert await numbers(page) == sorted(begun, reverse=True), "as numbers, not as texts"


async def test_the_table_is_sorted_by_keyboard(page: Page) -> None:
    begun = await numbers(page)
    await page.ask("document.querySelectorAll('table.sortable th button')[0].focus()")
    await page.press("Enter", ENTER, "\r")
    await page.press("Enter", ENTER, "\r")
    assert await numbers(page) == sorted(begun, reverse=True)


async def test_the_front_tells_the_configuration_under_the_mouse(page: Page) -> None:
    assert await page.ask(TIP) == ""
    await page.point_at("g.mark", 2)
    told = await page.ask(TIP)
    assert told == await page.ask("document.querySelectorAll('g.mark')[2].ariaLabel")
    assert "ttft_mean_s" in told
    assert "max_num_seqs=" in told
    await page.point_at("h1")
    assert await page.ask(TIP) == ""


async def test_the_front_tells_it_to_the_keyboard(page: Page) -> None:
    await page.ask("document.querySelectorAll('g.mark')[0].focus()")
    assert await page.ask(TIP) == await page.ask("document.activeElement.ariaLabel")
    await page.press("Tab", TAB)
    assert await page.ask("document.activeElement === document.querySelectorAll('g.mark')[1]")
    assert await page.ask(TIP) == await page.ask("document.activeElement.ariaLabel")


async def test_ink_follows_the_readers_theme(page: Page) -> None:
    ink = "getComputedStyle(document.querySelector('svg.drawing text')).fill"
    paper = "getComputedStyle(document.body).backgroundColor"
    seen = []
    for theme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": theme}]
        await page.call("Emulation.setEmulatedMedia", features=features)
        seen.append((await page.ask(ink), await page.ask(paper)))
    assert seen == [
        ("rgb(0, 0, 0)", "rgb(255, 255, 255)"),
        ("rgb(255, 255, 255)", "rgb(22, 22, 22)"),
    ]


async def test_nothing_hostile_runs_and_nothing_is_fetched(page: Page) -> None:
    assert await page.ask("document.images.length") == 0
    assert await page.ask("document.scripts.length") == 1
    assert page.named("Runtime.exceptionThrown") == []
    assert page.named("Page.javascriptDialogOpening") == []
    requests = [event["request"]["url"] for event in page.named("Network.requestWillBeSent")]
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


async def test_it_can_be_printed(page: Page) -> None:
    printed = await page.call("Page.printToPDF", printBackground=False)
    assert len(printed["data"]) > 20_000
