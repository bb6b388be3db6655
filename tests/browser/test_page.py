"""The page in a real headless Chromium, over the real `scoot serve`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.integration.studies import STUDY
from tests.page_server import page_server
from tests.unit.scoot_ray.service.study_folders import (
    FRONT,
    HOSTILE,
    crashed,
    run_again,
    write_journal,
)

LIMIT_S = 240.0
TOKEN = "0123456789abcdef-secret"

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("page") / "runs"
    front = (*FRONT[:2], run_again(FRONT[2], HOSTILE))
    hostile = write_journal(root / "own", *front, crashed(3, HOSTILE, "0003"))
    (hostile / "trials" / "0003").mkdir(parents=True)
    (hostile / "trials" / "0003" / "engine.log").write_text(HOSTILE)
    write_journal(
        root / "team" / "other", *FRONT[:2], service={"num_gpus": 8, "accelerator": "A100-80GB"}
    )
    return root


@pytest.fixture(scope="module")
def url(root: Path) -> Iterator[str]:
    with page_server(root, root.parent / "log") as (url, _):
        yield url


def wait(browser: WebDriver, is_so: Callable[[], object]) -> None:
    """Wait until something is so; the page may redraw meanwhile."""
    waiting = WebDriverWait(browser, LIMIT_S, 0.2, [StaleElementReferenceException, IndexError])
    waiting.until(lambda _: is_so())


def text(browser: WebDriver, selector: str = "body") -> str:
    """Return what is written in an element; nothing if there is none."""
    found = browser.find_elements(By.CSS_SELECTOR, selector)
    return found[0].text if found else ""


def click(browser: WebDriver, words: str) -> None:
    """Press the button with these words."""
    browser.find_element(By.XPATH, f"//button[normalize-space()='{words}']").click()


def test_a_limit_is_dragged_and_the_export_changes(browser: WebDriver, url: str) -> None:
    browser.get(f"{url}/#/")
    wait(browser, lambda: "own" in text(browser))
    browser.find_element(By.LINK_TEXT, "own").click()
    wait(browser, lambda: "Trial 2: recommended" in text(browser, "#reason"))
    assert "--max-num-seqs 66" in text(browser, "#export")

    browser.find_element(By.ID, "limit-0").send_keys(*[Keys.PAGE_DOWN] * 7)
    wait(browser, lambda: "lowest ttft_mean_s with ttft_mean_s <=" in text(browser, "#reason"))
    assert "--max-num-seqs 65" in text(browser, "#export")
    Select(browser.find_element(By.ID, "target")).select_by_value("tpot_mean_s")
    wait(browser, lambda: "lowest tpot_mean_s" in text(browser, "#reason"))
    browser.find_element(By.ID, "limit-1").send_keys(Keys.HOME)
    wait(browser, lambda: "No completed trial has" in text(browser, "#reason"))
    click(browser, "The recommended one")
    wait(browser, lambda: "Trial 2: recommended" in text(browser, "#reason"))

    Select(browser.find_element(By.ID, "form")).select_by_value("kubernetes")
    wait(browser, lambda: "kind: Deployment" in text(browser, "#export"))
    browser.find_element(By.CSS_SELECTOR, "[aria-label^='Trial 0']").send_keys(Keys.ENTER)
    wait(browser, lambda: "Trial 0: chosen" in text(browser, "#reason"))


def test_what_an_engine_wrote_is_text(browser: WebDriver, url: str) -> None:
    browser.get(f"{url}/#/study/own")
    wait(browser, lambda: "<img src=x" in text(browser, "table[aria-label=Trials]"))
    browser.get(f"{url}/#/study/own/trial/3")
    wait(browser, lambda: "<img src=x" in text(browser, "#engine-log"))
    assert not browser.find_elements(By.ID, "first-log"), "it was tried once"
    browser.get(f"{url}/#/study/own/trial/2")
    wait(browser, lambda: "<img src=x" in text(browser, "#first-log"))
    assert browser.find_elements(By.CSS_SELECTOR, "main img, main script") == []


def test_two_studies_are_compared(browser: WebDriver, url: str) -> None:
    browser.get(f"{url}/#/compare/own/team~1other")
    wait(browser, lambda: "Recommended configurations" in text(browser))
    assert "team/other: recommended" in text(browser, "table[aria-label=Measured]")
    assert len(browser.find_elements(By.CSS_SELECTOR, "svg .other .mark")) == 2


def test_a_study_is_started_from_the_form_and_finishes(browser: WebDriver, url: str) -> None:
    _open_form(browser, url, {**STUDY, "name": "formed", "serch": {}})
    click(browser, "Start")
    wait(browser, lambda: "Did you mean search?" in text(browser, "#finding"))
    tiny = {**STUDY, "name": "formed", "search": {"observations": 1, "algorithm": "random"}}
    tiny |= {"confirm": {"repeats": 0}, "drift": {"repeats": 0}}
    _open_form(browser, url, tiny)
    click(browser, "Check")
    wait(browser, lambda: "valid study" in text(browser, "#finding"))
    click(browser, "Start")
    wait(browser, lambda: "running" in text(browser, "#state"))
    wait(browser, lambda: "finished" in text(browser, "#state"))
    wait(browser, lambda: "recommended" in text(browser, "#reason"))
    assert len(browser.find_elements(By.CSS_SELECTOR, "svg .mark")) >= 1


def test_fields_write_the_study_file_and_say_what_is_wrong(browser: WebDriver, url: str) -> None:
    browser.get(f"{url}/#/new")
    wait(browser, lambda: "valid study" in text(browser, "#finding"))
    _answer(browser, "request_rate_rps", "3.5")
    wait(browser, lambda: "request_rate_rps: 3.5" in _study_text(browser))
    _answer(browser, "num_gpus", "many")
    wait(browser, lambda: "valid integer" in text(browser, "#draft-num_gpus-wrong"))
    assert browser.find_element(By.ID, "draft-num_gpus").get_attribute("aria-invalid") == "true"
    browser.find_element(By.CSS_SELECTOR, "#finding button").click()
    selected = "const t = document.activeElement; "
    selected += "return t.value.slice(t.selectionStart, t.selectionEnd)"
    assert browser.execute_script(selected).startswith('service: {num_gpus: "many"')
    _answer(browser, "num_gpus", "4")
    wait(browser, lambda: "valid study" in text(browser, "#finding"))

    Select(browser.find_element(By.ID, "draft-limit_metric")).select_by_value("throughput_rps")
    _answer(browser, "limit_bound", "2")
    wait(browser, lambda: "at_least: 2" in _study_text(browser))
    browser.find_element(By.ID, "study-text").send_keys("serch: {}")
    assert not browser.find_element(By.ID, "draft-name").is_enabled()
    click(browser, "Write it from the fields again")
    wait(browser, lambda: "serch" not in _study_text(browser))
    assert browser.find_element(By.ID, "draft-name").is_enabled()


def test_a_running_study_is_watched_and_stopped(browser: WebDriver, url: str) -> None:
    slow = {**STUDY, "name": "long", "simulator": {"pace": 0.2}}
    _open_form(browser, url, {**slow, "search": {"observations": 50, "algorithm": "random"}})
    click(browser, "Start")
    wait(browser, lambda: "RUNNING" in text(browser, "table[aria-label=Trials]"))
    wait(browser, lambda: "COMPLETE" in text(browser, "table[aria-label=Trials]"))
    click(browser, "Stop")
    wait(browser, lambda: "stopped" in text(browser, "#state"))
    wait(browser, lambda: browser.find_elements(By.XPATH, "//button[.='Go on']"))


def test_the_page_asks_for_the_token(browser: WebDriver, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    write_journal(tmp_path / "runs" / "own")
    options = ("--token-file", str(tmp_path / "token"))
    with page_server(tmp_path / "runs", tmp_path / "log", *options) as (url, _):
        browser.get(url)
        for given in ("a wrong one", TOKEN):
            wait(browser, lambda: browser.find_element(By.ID, "door").is_displayed())
            browser.find_element(By.ID, "token").send_keys(given, Keys.ENTER)
        wait(browser, lambda: "own" in text(browser, "main"))
        assert TOKEN not in browser.current_url
        assert browser.execute_script("return localStorage.length") == 0
        browser.get("about:blank")  # or it asks on when nobody answers any more


def _answer(browser: WebDriver, name: str, answer: str) -> None:
    field = browser.find_element(By.ID, f"draft-{name}")
    # Unlike clear(), which is a change of its own, to nothing.
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(answer, Keys.TAB)


def _study_text(browser: WebDriver) -> str:
    return str(browser.find_element(By.ID, "study-text").get_property("value"))


def _open_form(browser: WebDriver, url: str, study: object) -> None:
    browser.get("about:blank")
    browser.get(f"{url}/#/new")
    wait(browser, lambda: browser.find_elements(By.ID, "study-text"))
    field = browser.find_element(By.ID, "study-text")
    field.clear()
    field.send_keys(yaml.safe_dump(study))
