"""Tune Llama-2-7B or 13B, shape only, on the GPU of this machine, and keep what was measured.

    python -m benchmarks.gpu 7b --python /path/to/vllm/bin/python --rate 4

Everything in the result was measured here: hardware, versions, default, recommended, noise. Choose
a rate near the default's saturation; `--duration` and `--observations` decide how long it takes.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.entry import run_command
from benchmarks.gpu.hardware import describe_gpus
from benchmarks.gpu.shape import MODELS, write_shape
from benchmarks.result_file import write_result
from scoot_ray.cli.tune_command import INTERRUPTED
from scoot_ray.core.errors import StudyError
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study, parse_study
from scoot_ray.output import Output
from scoot_ray.report.verdict import verdict
from scoot_ray.tuner import Ending, tune_study
from trainables.hardware import find_accelerator

RESULTS = Path(__file__).parents[1] / "results"


def main(
    size: Annotated[str, typer.Argument(help="7b or 13b")],
    python: Annotated[str, typer.Option(help="the interpreter that has vLLM")] = "python3",
    rate: Annotated[float, typer.Option(help="requests a second")] = 4.0,
    duration: Annotated[float, typer.Option(help="seconds of load of a test")] = 100.0,
    observations: Annotated[int, typer.Option(min=1)] = 30,
    folder: Annotated[Path, typer.Option(help="for the model and the study")] = Path("runs/gpu"),
    resume: Annotated[bool, typer.Option(help="go on with the study in the folder")] = False,
) -> None:
    """Run the study and write its result."""
    if size not in MODELS:
        raise StudyError(f"{size!r} is not a size; write one of: {', '.join(MODELS)}.")
    gpus = describe_gpus()
    accelerator = known_name(gpus[0])
    model = (folder / f"llama-2-{size}").absolute()
    write_shape(size, model)
    study = make_study(size, model, python, rate, duration, observations, accelerator)
    output = Output(folder / study.name)
    with output.held():
        tuning = tune_study(study, output, resume=resume)
        header = output.journal.read().header
    print(verdict(tuning.result))
    if tuning.ending is not Ending.FINISHED:
        print("The study was interrupted; run it again with --resume.", file=sys.stderr)
        raise SystemExit(INTERRUPTED)
    path = RESULTS / f"gpu-{size}.json"
    write_result(path, **describe(tuning.result, header, gpus))
    print(f"Written: {path}")


def known_name(gpu: dict[str, str | int]) -> str:
    """Return the name of a GPU whose numbers are known.

    Raises:
        StudyError: If they are not: the engine's defaults would be guessed, not measured.
    """
    try:
        return find_accelerator(str(gpu["name"])).name
    except StudyError as error:
        raise StudyError(f"{error} Add it to trainables/hardware.py to measure it here.") from None


def make_study(
    size: str,
    model: Path,
    python: str,
    rate_rps: float,
    duration_s: float,
    observations: int,
    accelerator: str,
) -> Study:
    """Return the study of a chatbot on one GPU."""
    data: dict[str, Any] = {
        "name": f"gpu-llama-2-{size}",
        "engine": {
            "kind": "vllm",
            "model": str(model),
            "python": python,
            "fixed": {"max_model_len": 4096, "load_format": "dummy"},
        },
        "service": {"num_gpus": 1, "accelerator": accelerator},
        "workload": {
            "trace": "synthetic:bot",
            "request_rate_rps": rate_rps,
            "duration_s": duration_s,
        },
        "objective": "interactive",
        "space": "vllm-v1",
        "search": {"observations": observations},
    }
    return parse_study(data)


def describe(result: Result, header: Any, gpus: list[dict[str, str | int]]) -> dict[str, Any]:
    """Return what is worth keeping of a study, all of it measured."""
    best = result.recommendation
    return {
        "gpus": gpus,
        "measured_by": result.measured_by,
        "versions": header["versions"],
        "study": header["study"],
        "verdict": verdict(result),
        "default": result.default_tests.mean(),
        "recommended_config": dict(best.record.config) if best else None,
        "recommended": result.tests.mean(),
        "worst_of_confirmations": result.confirmed_slo(),
        "noise": dict(result.noise.deviations),
        "drift_of_the_default": dict(result.noise.drifts),
        "trials": [
            {
                "number": record.number,
                "role": record.role.value,
                "state": record.state.value,
                "config": dict(record.config),
                "metrics": dict(record.metrics),
                "is_bound": record.is_bound,
            }
            for record in result.trials
        ],
    }


if __name__ == "__main__":
    run_command(main)
