"""A study under fire: nodes, actors and the driver are killed at random moments while it runs.

    python -m tests.fault.storm --kills 200 --seed 1

What must hold afterwards: no observation that had finished is lost or run twice, nothing that was
killed is called infeasible, and no engine process outlives its trial.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
import yaml

from scoot_ray.core.journal import Journal
from scoot_ray.core.outcome import TrialState
from tests.fault.raylets import Raylets, raylets
from tests.integration.studies import command
from tests.processes import processes_with, wait_for_number
from tests.stand_in_engine import write_interpreter
from trainables.model import KNOWN_MODELS_FOLDER

NUM_NODES = 2
LONGEST_TRIAL_S = 300.0  # on a busy machine the stand-in alone takes two minutes to start
# Driver kills cost the most time here, and killed actors count against their configuration.
WEIGHTS = {"kill node": 3, "terminate node": 3, "drain node": 2, "kill actor": 2, "kill driver": 2}
EXPECTED_CAUSES = {"node_lost", "actor_died"}


@dataclass
class Storm:
    """Run a study of real (stand-in) engines on a cluster, and break things.

    Attributes:
        folder: For the study, its output and the engine.
        cluster: Where it runs.
        rng: Decides what is killed, and when.
        kills: How often each thing has been killed.
    """

    folder: Path
    cluster: Raylets
    rng: random.Random
    kills: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.journal = Journal(self.folder / "out" / "journal.jsonl")
        self.model = self.folder / "model"  # the engine's workers carry it on their command lines
        self.model.mkdir(parents=True)
        shape = KNOWN_MODELS_FOLDER / "Qwen--Qwen2.5-0.5B.json"
        (self.model / "config.json").write_text(shape.read_text())
        self.driver: subprocess.Popen[bytes] | None = None
        self.seen = b""
        self.engines: list[tuple[float, set[int]]] = []
        self.write_study(num_observations=10_000)
        for _ in range(NUM_NODES):
            self.cluster.add_node()

    def write_study(self, num_observations: int) -> None:
        """Write a study with short trials of one or two logical GPUs."""
        study = {
            "name": "storm",
            "engine": {
                "kind": "vllm",
                "model": str(self.model),
                "python": str(write_interpreter(self.folder)),
                "fixed": {"max_model_len": 4096},
            },
            "service": {"num_gpus": 2, "accelerator": "CPU"},
            "workload": {
                "trace": "synthetic:cls",
                "request_rate_rps": 5,
                "duration_s": 1,
                "warmup_requests": 1,
            },
            "search": {
                "algorithm": "random",
                "observations": num_observations,
                "parallelism": 3,
            },
            "confirm": {"repeats": 0},
            "drift": {"repeats": 0},
            # Nodes come and go here: at times there is none.
            "placement": {"autoscaler": {"node_gpus": 2, "max_nodes": NUM_NODES, "node_cpus": 2}},
        }
        (self.folder / "study.yaml").write_text(yaml.safe_dump(study))

    def start_driver(self) -> None:
        """Start the study, or go on with it."""
        arguments = ["tune", self.folder / "study.yaml", "--output", self.folder / "out"]
        arguments += ["--address", self.cluster.address]
        if self.journal.exists():
            arguments.append("--resume")
        with (self.folder / "driver.log").open("ab") as log:
            self.driver = subprocess.Popen(
                command(*arguments), stdout=log, stderr=log, start_new_session=True
            )
        self._await_trials(1)

    def strike(self) -> None:
        """Kill one thing at a random moment, and replace it."""
        if self.driver is None:
            self.start_driver()
        self._await_trials(self.rng.choice([0, 1]))
        time.sleep(self.rng.uniform(0.0, 2.0))
        what = self.rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
        self.engines.append((time.monotonic(), {p.pid for p in processes_with(str(self.model))}))
        self._kill(what)
        self.kills[what] += 1
        self.require_nothing_lost()
        self.require_no_old_engine()

    def finish(self) -> None:
        """Let the study come to its end."""
        if self.driver is not None:
            self._kill_driver()
        usable = (TrialState.COMPLETE, TrialState.INFEASIBLE)
        num_usable = sum(r.state in usable for r in self.journal.read().trials)
        self.write_study(num_observations=num_usable + 2)
        self.start_driver()
        assert self.driver is not None
        assert self.driver.wait(600) == 0, self.log()
        self.require_nothing_lost()
        left = wait_for_number(str(self.folder), 0, LONGEST_TRIAL_S)
        assert left == [], [process.cmdline() for process in left]

    def require_nothing_lost(self) -> None:
        """Check that the journal only grows, and that each trial is in it once."""
        now = self.journal.path.read_bytes() if self.journal.exists() else b""
        whole = now[: now.rfind(b"\n") + 1]
        assert whole.startswith(self.seen), "what had been journalled is not there any more"
        self.seen = whole
        for kind in ("suggestion", "trial"):
            numbers = [e["number"] for e in self.journal.entries() if e["kind"] == kind]
            assert len(numbers) == len(set(numbers)), f"a {kind} is there twice"

    def require_no_false_label(self) -> None:
        """Check that every trial is complete, or lost for a reason that was ours."""
        for record in self.journal.read().trials:
            assert record.state in (TrialState.COMPLETE, TrialState.FAILED), record
            if record.state is TrialState.FAILED:
                assert record.failure is not None
                assert record.failure.cause in EXPECTED_CAUSES, record.failure
        unfinished = self.journal.read().unfinished
        assert unfinished == (), unfinished

    def require_no_old_engine(self) -> None:
        """Check that no engine process lives longer than a trial can."""
        now_s, alive = time.monotonic(), {p.pid for p in processes_with(str(self.model))}
        for seen_at_s, engines in self.engines:
            if now_s - seen_at_s > LONGEST_TRIAL_S:
                assert not engines & alive, "an engine outlived its trial"

    def log(self) -> str:
        """Return the end of what the drivers said."""
        return (self.folder / "driver.log").read_text()[-3000:]

    def _kill(self, what: str) -> None:
        match what:
            case "kill driver":
                self._kill_driver()
            case "kill actor":
                for worker in self.cluster.workers()[:1]:
                    worker.kill()
            case _:
                node = self.rng.choice(self.cluster.nodes)
                if what == "drain node":
                    self.cluster.drain(node, notice_s=30)
                    time.sleep(self.rng.uniform(0.0, 2.0))
                gently = what == "terminate node"
                self.cluster.kill(node, signal.SIGTERM if gently else signal.SIGKILL)
                self.cluster.add_node()

    def _kill_driver(self) -> None:
        assert self.driver is not None
        os.killpg(self.driver.pid, signal.SIGKILL)
        self.driver.wait()
        self.driver = None

    def _await_trials(self, num_more: int) -> None:
        """Wait until so many more trials have finished."""
        before = self._num_finished()
        deadline_s = time.monotonic() + 300
        while self._num_finished() < before + num_more:
            assert self.driver is not None
            assert self.driver.poll() is None, self.log()
            assert time.monotonic() < deadline_s, self.log()
            time.sleep(0.1)

    def _num_finished(self) -> int:
        return len(self.journal.read().trials) if self.journal.exists() else 0


def rage(folder: Path, num_kills: int, seed: int) -> Storm:
    """Run a study through `num_kills` kills to its end, checking all along; return the storm."""
    with raylets() as cluster:
        storm = Storm(folder, cluster, random.Random(seed))
        try:
            while storm.kills.total() < num_kills:
                storm.strike()
            storm.finish()
        finally:
            if storm.driver is not None and storm.driver.poll() is None:
                os.killpg(storm.driver.pid, signal.SIGKILL)
                storm.driver.wait()
    storm.require_no_false_label()
    return storm


def main(kills: int = 200, seed: Annotated[int, typer.Option()] = 0) -> None:
    """Run a storm and print what it did."""
    os.environ["RAY_AUTH_MODE"] = "disabled"
    started_at_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        storm = rage(Path(folder), kills, seed)
        trials = storm.journal.read().trials
    states = Counter(record.state.value for record in trials)
    causes = Counter(record.failure.cause for record in trials if record.failure)
    sys.stdout.write(
        f"{kills} kills in {time.monotonic() - started_at_s:.0f} s: {dict(storm.kills)}\n"
        f"trials: {dict(states)}; causes: {dict(causes)}\n"
        "lost observations: 0; false labels: 0; orphans: 0\n"
    )


if __name__ == "__main__":
    typer.run(main)
