"""`scoot bench`: names, mistakes, a comparison that is interrupted and goes on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.comparison.algorithms import ALGORITHMS
from benchmarks.comparison.catalogue import Sources, all_services, select
from benchmarks.comparison.commands import available
from benchmarks.comparison.experiment import BALANCED, EXPERIMENTS

NOWHERE = Path("no-such-trace.csv")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scoot_ray", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["peer"], "Did you mean peers?"),
        (["--algorithms", "scot"], "Did you mean scoot?"),
        (["--services", "bot-7b-4xL40-v1"], "Did you mean bot-7b-4xL40S-v1?"),
        (["--parallelism", "0"], "whole numbers"),
        (["vidur", "--vidur", "no-such-folder"], "benchmarks/vidur.py says how it is installed"),
        (["quick", "--algorithms", "optuna_tpe", "--peers", "no-such-python"], "make peers"),
    ],
)
def test_mistakes_are_told_in_one_message(arguments: list[str], expected: str) -> None:
    done = bench(*arguments, "--azure", str(NOWHERE))
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_every_default_names_something() -> None:
    services = [
        *all_services(Sources(NOWHERE)),
        *(name for name in BALANCED if name.startswith("azure-")),
    ]
    for experiment in EXPERIMENTS.values():
        assert select("service", experiment.services, services)
        assert select("algorithm", experiment.algorithms, list(ALGORITHMS))


def test_the_balanced_set_is_balanced() -> None:
    names = [name.replace("A100-80GB", "A100") for name in BALANCED]
    parts = [name.split("-") for name in names]
    for workload in ("bot", "azure", "sql", "rec", "cls"):
        of_workload = [part for part in parts if part[0] == workload]
        models = sorted(part[1] for part in of_workload)
        num_gpus = sorted(part[2][0] for part in of_workload)
        spaces = sorted(part[3] for part in of_workload)
        assert models == ["13b", "13b", "7b", "7b"]
        assert num_gpus == ["2", "2", "4", "4"]
        assert spaces == ["v0", "v0", "v1", "v1"]
        assert len({part[2][2:] for part in of_workload}) >= 3


def test_without_the_azure_trace_its_services_are_skipped_with_a_word() -> None:
    notes: list[str] = []
    names = available(EXPERIMENTS["peers"], NOWHERE, notes.append)
    assert len(names) == len(BALANCED) - 4
    assert notes == ["The Azure trace is left out: there is no no-such-trace.csv."]
    available(EXPERIMENTS["quick"], NOWHERE, notes.append)
    assert len(notes) == 1


@pytest.mark.slow
def test_a_comparison_goes_on_and_repeats_only_what_was_torn(tmp_path: Path) -> None:
    arguments = ["quick", "--services", "closed-online-0", "--algorithms", "random,genetic"]
    arguments += ["--seeds", "2", "--observations", "4", "--output", str(tmp_path)]
    first = bench(*arguments, "--workers", "2")
    assert first.returncode == 0, first.stderr
    path = tmp_path / "runs.jsonl"
    lines = path.read_text().splitlines()
    assert len(lines) == 4
    path.write_text("\n".join(lines[:3]) + "\n" + lines[3][: len(lines[3]) // 2])

    again = bench(*arguments, "--workers", "1")
    assert again.returncode == 0, again.stderr
    assert "3 run(s) are there already; 1 to make." in again.stdout
    kept = path.read_text().splitlines()
    assert kept[:3] == lines[:3]
    torn, made = json.loads(lines[3]), json.loads(kept[3])
    assert made["task"] == torn["task"]
    assert made["curve"] == torn["curve"]
    document = json.loads((tmp_path / "comparison.json").read_text())
    assert len(document["runs"]) == 4
    assert "| genetic | 2 |" in (tmp_path / "tables.md").read_text()
    assert (tmp_path / "plots.html").stat().st_size > 100_000
