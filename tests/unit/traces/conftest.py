"""What the tests of traces share."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.traces.files import Write, write_lines


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(*lines: Any, name: str = "trace") -> str:
        return write_lines(tmp_path / name, *lines)

    return write_file
