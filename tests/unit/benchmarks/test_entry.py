"""A benchmark that is started wrongly says what was wrong, and ends with status 2."""

import importlib
import sys
from pathlib import Path

import pytest

from benchmarks.entry import run_command

PROFILE = "num_tensor_parallel_workers,num_tokens\n1,32\n"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("analytic rndom --seeds 1", "Did you mean random?"),
        ("step_cost profile.csv --model llama", "it has no attn_pre_proj"),
        ("step_cost no.csv --model llama", "does not exist"),
        ("step_cost profile.csv", "Missing option '--model'"),
        ("neighbours no.yaml", "no.yaml"),
        ("gpu.__main__ 8b", "'8b' is not a size; write one of: 7b, 13b"),
    ],
)
def test_wrong_input_is_one_message(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    message: str,
) -> None:
    (tmp_path / "profile.csv").write_text(PROFILE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    module, *arguments = command.split()
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    with pytest.raises(SystemExit) as ending:
        run_command(importlib.import_module(f"benchmarks.{module}").main)
    assert ending.value.code == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())
