"""How much of the GPUs' time a study uses, with trials of mixed size that take real time.

    python -m benchmarks.utilisation [--mode warm_first] [--pace 1] [--observations 16]

A simulated study runs on a local Ray with logical GPUs; each trial lasts as long as its phases say,
times the pace. A GPU that no trial holds is idle for one of three reasons:

between trials   fewer trials run than may, and the next one would fit: what our own machinery costs
reserved         fewer trials run than may, and the next one waits for more GPUs than are free:
                 first come, first served, so that large bundles do not starve
beyond degree    as many trials run as may
"""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.entry import run_command
from benchmarks.result_file import write_result
from scoot_ray.core.sections import Mode
from scoot_ray.core.study import Study, parse_study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.output import Output
from scoot_ray.tuner import tune_study

RESULTS = Path(__file__).parent / "results" / "utilisation.json"


@dataclass(frozen=True)
class Utilisation:
    """Share out the GPU time between the first start and the last end of a study's trials.

    All but the counts are shares of GPUs x time.
    """

    num_gpus: int
    parallelism: int
    num_trials: int
    mean_trial_s: float
    held: float
    between_trials: float
    reserved: float
    beyond_degree: float

    @classmethod
    def of(cls, trials: Sequence[TrialRecord], num_gpus: int, parallelism: int) -> "Utilisation":
        """Sweep over the starts and ends of trials."""
        waiting = sorted(trials, key=lambda r: r.started_at_s)
        times_s = sorted({t for r in trials for t in (r.started_at_s, r.ended_at_s)})
        shares = dict.fromkeys(("held", "between_trials", "reserved", "beyond_degree"), 0.0)
        for begin_s, end_s in pairwise(times_s):
            running = [r for r in trials if r.started_at_s <= begin_s and r.ended_at_s >= end_s]
            following = next((r for r in waiting if r.started_at_s >= end_s), None)
            held = sum(r.num_gpus for r in running)
            idle = num_gpus - held
            usable = 0 if following is None or len(running) >= parallelism else following.num_gpus
            between = usable if usable <= idle else 0
            reserved = idle if usable > idle else 0
            shares["held"] += held * (end_s - begin_s)
            shares["between_trials"] += between * (end_s - begin_s)
            shares["reserved"] += reserved * (end_s - begin_s)
            shares["beyond_degree"] += (idle - between - reserved) * (end_s - begin_s)
        whole = num_gpus * (times_s[-1] - times_s[0])
        mean_s = sum(r.ended_at_s - r.started_at_s for r in trials) / len(trials)
        portions = {name: seconds / whole for name, seconds in shares.items()}
        return cls(num_gpus, parallelism, len(trials), mean_s, **portions)


def main(
    pace: Annotated[float, typer.Option(help="Real seconds for a simulated one.")] = 1.0,
    observations: int = 16,
    parallelism: int = 4,
    num_gpus: Annotated[int, typer.Option(help="GPUs of the one node.")] = 8,
    mode: Annotated[Mode, typer.Option(help="when slots are filled")] = "asynchronous",
    output: Path = RESULTS,
) -> None:
    """Run the study, print where the GPU time went, and write it as JSON."""
    study = make_study(pace, observations, parallelism, num_gpus, mode)
    with tempfile.TemporaryDirectory() as folder:
        folder_output = Output(Path(folder))
        tune_study(study, folder_output)
        trials = folder_output.journal.read().trials
    found = Utilisation.of(trials, num_gpus, parallelism)
    Console().print(table(found, mode))
    write_result(output, mode=mode, pace=pace, **asdict(found))


def make_study(pace: float, observations: int, parallelism: int, num_gpus: int, mode: str) -> Study:
    """Return a study whose trials claim 1, 2 or 4 GPUs."""
    sizes = {"low": 1, "high": 4, "log2": True}
    engine = {"kind": "simulated", "model": "meta-llama/Llama-2-7b-hf"}
    data: dict[str, Any] = {
        "name": "utilisation",
        "engine": engine | {"fixed": {"max_model_len": 4096}},
        "service": {"num_gpus": num_gpus, "accelerator": "A100-80GB"},
        "workload": {"trace": "synthetic:bot", "request_rate_rps": 8},
        "space": {"parameters": {"tensor_parallel_size": sizes}},
        "search": {
            "algorithm": "random",
            "observations": observations,
            "parallelism": parallelism,
            "mode": mode,
        },
        "confirm": {"repeats": 0},
        "simulator": {"pace": pace},
    }
    return parse_study(data)


def table(found: Utilisation, mode: str) -> Table:
    """Tabulate one study."""
    title = (
        f"{found.num_trials} simulated trials of {found.mean_trial_s:.1f} s on average, "
        f"{found.parallelism} at once ({mode}), on {found.num_gpus} logical GPUs"
    )
    shown = Table(title=title)
    for heading in ("GPU time", "share"):
        shown.add_column(heading)
    for name in ("held", "between_trials", "reserved", "beyond_degree"):
        shown.add_row(name.replace("_", " "), f"{getattr(found, name):.1%}")
    return shown


if __name__ == "__main__":
    run_command(main)
