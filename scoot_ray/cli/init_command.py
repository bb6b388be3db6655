"""`scoot init`: four questions, and a study file."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from scoot_ray.cli.printing import print_line
from scoot_ray.core.errors import OutputError, UserError
from scoot_ray.core.study import parse_study_text
from scoot_ray.draft import StudyDraft, read_goal, read_hardware, read_requests

T = TypeVar("T")


def init(
    study_file: Annotated[
        Path, typer.Argument(metavar="STUDY.yaml", help="The file to write.")
    ] = Path("study.yaml"),
    model: Annotated[str | None, typer.Option(help="Name on the hub, or a folder.")] = None,
    hardware: Annotated[str | None, typer.Option(help='Such as "4 x A100-80GB".')] = None,
    requests: Annotated[str | None, typer.Option(help='Such as "trace.csv at 10".')] = None,
    goal: Annotated[
        str | None, typer.Option(help='Such as "offline with ttft_p99_s <= 2".')
    ] = None,
    engine: Annotated[str, typer.Option(help="The inference engine.")] = "vllm",
) -> None:
    """Ask four questions and write a study file; what is given as an option is not asked."""
    if study_file.exists():
        raise OutputError(f"{study_file} exists and is not overwritten; give another name.")
    model = _answer(model, "Which model?", "meta-llama/Llama-3.1-8B", str)
    num_gpus, accelerator = _answer(
        hardware, "Which GPUs, and how many?", "4 x A100-80GB", read_hardware
    )
    trace, rate_rps = _answer(
        requests,
        "Which requests, and how many a second? A trace file, or synthetic:bot, :sql, :cls, :rec",
        "synthetic:bot at 5",
        read_requests,
    )
    objective, limit = _answer(
        goal,
        "What is wanted? interactive (TTFT and TPOT), online (p95 latency) or offline "
        "(throughput), and a limit",
        "offline with ttft_p99_s <= 2",
        read_goal,
    )
    draft = StudyDraft(
        name=re.sub(r"[^A-Za-z0-9._-]+", "-", study_file.stem).lstrip("._-") or "study",
        kind=engine,
        model=model,
        num_gpus=str(num_gpus),
        accelerator=accelerator,
        trace=trace,
        request_rate_rps=f"{rate_rps:g}",
        objective=objective,
        limit_metric=limit.metric if limit else "",
        limit_bound=f"{limit.bound:g}" if limit else "",
    )
    text = draft.text()
    parse_study_text(text, "The draft")
    try:
        with study_file.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OutputError(f"Cannot write {study_file}: {error.strerror}.") from None
    print_line(f"Written: {study_file}. Next: scoot check {study_file}")


def _answer(given: str | None, question: str, example: str, read: Callable[[str], T]) -> T:
    """Read the option, or ask until the answer can be read."""
    if given is not None:
        return read(given)
    while True:
        answer: str = typer.prompt(question, default=example)
        try:
            return read(answer)
        except UserError as error:
            # Without a person at the other end the same wrong answer would come for ever.
            if not sys.stdin.isatty():
                raise
            print_line(str(error))
