"""`scoot check` on a Ray of its own: what fits, what runs at once, how long it will take."""

from pathlib import Path

from tests.integration.studies import scoot, write_study


def test_what_is_foretold(tmp_path: Path) -> None:
    run = scoot("check", write_study(tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr
    lines = run.stdout.splitlines()
    found = dict(line.split(maxsplit=1) for line in lines)
    assert list(found)[:6] == ["engine", "trace", "space", "memory", "cluster", "duration"]
    assert "4 GPUs: 3.1 GiB of weights each" in found["memory"]
    assert "trials at once: 4 of 1 GPU(s), 2 of 2 GPU(s), 1 of 4 GPU(s)" in found["cluster"]
    assert found["duration"].startswith("about ")
    assert lines[-1] == "Nothing stands in the way of `scoot tune`."


def test_trials_that_must_not_share_a_node(tmp_path: Path) -> None:
    run = scoot("check", write_study(tmp_path, placement={"exclusive": "node"}))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "trials at once: 1 of 1 GPU(s)" in run.stdout
