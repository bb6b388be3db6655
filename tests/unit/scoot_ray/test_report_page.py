"""The report as HTML and Markdown: complete, in one file, and safe with hostile texts."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from scoot_ray.core.result import Result
from scoot_ray.report.figure_list import write_figures
from scoot_ray.report.findings import Findings
from scoot_ray.report.html import render_report
from scoot_ray.report.markdown import render_markdown
from tests.unit.scoot_ray.reports import (
    HOSTILE,
    made_up_findings,
    made_up_history,
    made_up_study,
    made_up_trials,
)

VOID = {"meta", "br", "img", "link"}


class Elements(HTMLParser):
    """Collect a page's elements, and check that they are nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def findings() -> Findings:
    return made_up_findings()


@pytest.fixture(scope="module")
def page(findings: Findings) -> str:
    return render_report(findings)


def test_it_is_one_small_file_without_network(page: str) -> None:
    elements = Elements(page)
    links = [value for _, attributes in elements.elements for value in attributes.values()]
    outside = [v for v in links if v and re.search(r"^\s*(https?:)?//", v) and "w3.org" not in v]
    assert outside == []
    assert elements.named("link") == elements.named("img") == []
    assert all("src" not in script for script in elements.named("script"))
    assert "url(http" not in page
    assert "@import" not in page
    assert len(page) < 1_000_000


def test_every_section_has_something_to_show(page: str) -> None:
    elements = Elements(page)
    assert len([f for f in elements.named("svg") if f.get("class") == "drawing"]) == 8
    assert "No control was run" in page
    assert "probability of feasibility" in page
    assert "ended early: at best here" in page


def test_marks_speak_to_mouse_keyboard_and_screen_reader(page: str) -> None:
    marks = [g for g in Elements(page).named("g") if g.get("class") == "mark"]
    assert len(marks) >= 8
    assert all(mark["tabindex"] == "0" and mark["aria-label"] for mark in marks)
    assert any("max_num_seqs=" in str(mark["aria-label"]) for mark in marks)


def test_identifiers_are_unique(page: str) -> None:
    names = [attributes["id"] for _, attributes in Elements(page).elements if "id" in attributes]
    assert len(names) == len(set(names))


def test_the_table_of_trials_has_values_to_sort_by(findings: Findings, page: str) -> None:
    cells = [cell for cell in Elements(page).named("td") if "data-value" in cell]
    num_columns = len(cells) / len(findings.result.trials)
    assert num_columns == int(num_columns) >= 8
    assert cells[0]["data-value"] == "0"


def test_nothing_hostile_becomes_markup() -> None:
    elements = Elements(render_report(made_up_findings(HOSTILE)))
    assert elements.named("img") == []
    assert len(elements.named("script")) == 1
    assert not any(name.startswith("on") for _, attrs in elements.elements for name in attrs)


def test_markdown_shows_hostile_texts_as_they_are() -> None:
    text = render_markdown(made_up_findings(HOSTILE))
    assert "<script" not in text.replace("\\<", "")
    rows = [line for line in text.splitlines() if re.match(r"\| \d+ \| search .* memory", line)]
    heads = [line for line in text.splitlines() if line.startswith("| trial | role")]
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in [*rows, *heads]}
    assert rows
    assert len(bars) == 1, "a bar in a text makes no cell"


def test_a_control_is_drawn_beside_the_study() -> None:
    page = render_report(made_up_findings(control=True))
    assert "random control" in page
    assert "The control is a random search" in page
    assert "No control was run" not in page


def test_reports_are_the_same_each_time(findings: Findings, page: str) -> None:
    again = Findings(findings.study, findings.history, findings.result)
    assert render_report(again) == page


def test_how_to_reproduce_is_told(page: str) -> None:
    for fact in ("0" * 64, "ray 2.60", "request_rate_rps: 8.0", "nobody: these numbers"):
        assert fact in page


def test_figures_are_written_as_files(findings: Findings, tmp_path: Path) -> None:
    for kind, beginning in (("svg", b"<svg"), ("png", b"\x89PNG")):
        paths = write_figures(findings, tmp_path / kind, kind)
        assert {path.name for path in paths} >= {f"front.{kind}", f"convergence.{kind}"}
        assert all(path.read_bytes().startswith(beginning) for path in paths)


@pytest.mark.parametrize("num", [0, 3])
def test_a_study_that_has_hardly_begun(num: int) -> None:
    study = made_up_study(objective="offline")
    history = made_up_history(study, made_up_trials(study, num)[:num])
    page = render_report(Findings(study, history, Result.from_history(study, history)))
    assert "Too few trials" in page
