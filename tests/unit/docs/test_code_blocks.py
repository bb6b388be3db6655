"""What README and docs tell to type can be typed; what is cheap is run."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from scoot_ray.cli import app
from scoot_ray.core.study import parse_study
from tests.integration.studies import STUDY
from tests.unit.docs.markdown import LANGUAGES, PAGES, ROOT, Block, blocks_of, commands_of

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
RUNNABLE = {"sh", "python"}


def in_language(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def test_every_block_states_its_language() -> None:
    assert [str(block) for block in BLOCKS if block.language not in LANGUAGES] == []


@pytest.mark.parametrize("block", in_language("sh"), ids=str)
def test_commands_exist_with_these_options(block: Block) -> None:
    for words in commands_of(block):
        command: Any = typer.main.get_command(app)
        context = command.make_context("scoot", list(words))
        while context._protected_args:
            name, command, rest = command.resolve_command(
                context, [*context._protected_args, *context.args]
            )
            context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("block", in_language("sh"), ids=str)
def test_make_targets_exist(block: Block) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([a-z0-9-]+)", block.text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("block", in_language("yaml"), ids=str)
def test_study_files_and_their_sections_are_valid(block: Block) -> None:
    data = yaml.safe_load(block.text)
    parse_study(data if "name" in data else {**STUDY, **data}, str(block))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_that_are_cheap_run(page: Path, tmp_path: Path) -> None:
    """Run a page's blocks one after the other in one folder, beside the examples.

    The output that follows a block is what it prints.
    """
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    program = tmp_path / ".venv/bin/scoot"
    program.parent.mkdir(parents=True)
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom scoot_ray.cli import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    path = os.pathsep.join(
        [str(program.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    )
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    printed = None
    for block in blocks_of(page):
        if block.language == "text" and printed is not None:
            wrong = [line for line in block.text.splitlines() if not is_printed(line, printed)]
            assert wrong == [], f"{block} says what is not printed; {printed}"
        printed = None
        if block.reason is not None or block.language not in RUNNABLE:
            continue
        shell = ["bash", "-euc", block.text]
        ended = subprocess.run(
            [sys.executable, "-c", block.text] if block.language == "python" else shell,
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        assert ended.returncode == 0, f"{block}\n{ended.stdout}\n{ended.stderr}"
        printed = ended.stdout


def is_printed(line: str, printed: str) -> bool:
    """Tell whether a line of a page was printed; three dots stand for whatever is left out."""
    parts = [re.escape(part.strip()) for part in line.split("...")]
    return re.search(".*".join(parts), printed) is not None
