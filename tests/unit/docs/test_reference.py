"""The generated pages say what the code says, and links lead somewhere."""

import re
from pathlib import Path

import pytest

from docs.draw import DRAWINGS, draw
from docs.generate import FOLDER, pages
from tests.unit.docs.markdown import PAGES, ROOT


@pytest.mark.parametrize("name", ["study-file.md", "cli.md", "metrics.md"])
def test_a_generated_page_is_up_to_date(name: str) -> None:
    committed = (FOLDER / name).read_text(encoding="utf-8")
    assert committed == pages()[name], "run `make docs` and commit what it wrote"


def test_the_figures_are_drawn(tmp_path: Path) -> None:
    draw(tmp_path)
    assert {path.stem for path in tmp_path.glob("*.svg")} == {*DRAWINGS}
    assert {path.stem for path in (ROOT / "docs/figures").glob("*.svg")} == {*DRAWINGS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []
