"""The analytic operator times against a measured profile.

    python -m benchmarks.step_cost PROFILE.csv --accelerator A100-80GB \
        --model meta-llama/Llama-2-7b-hf

PROFILE.csv has the layout of `trainables.simulator.operator_profile`, or that of the mlp.csv files
of microsoft/vidur (data/profiling/compute/<GPU>/<model>/). Errors are those of the sum of a
layer's matrix products per row, relative to the measured sum; then the mean absolute error of each
product and of the elementwise operators. Model files for names that are not known can be given as
a folder with config.json.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.entry import run_command
from scoot_ray.core.errors import StudyError
from trainables.hardware import find_accelerator
from trainables.model import load_model_shape
from trainables.simulator.operator_profile import DEGREE, ELEMENTWISE, LINEAR, TOKENS
from trainables.simulator.operators import RooflineOperators

FEW_TOKENS = 32


def main(
    profile: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    model: Annotated[str, typer.Option(help="its name, or a folder with its config.json")],
    accelerator: Annotated[str, typer.Option(help="the GPU that was profiled")] = "A100-80GB",
) -> None:
    """Print the errors of each tensor-parallel degree."""
    measured = read_profile(profile)
    errors = relative_errors(measured, accelerator, model)
    columns = ["tp", "rows", "mean", "p99", "worst", "over 15 %", f"worst < {FEW_TOKENS}"]
    table = Table(*columns, *LINEAR, "elementwise", title=f"{model} on {accelerator}: error, %")
    for degree, of_degree in errors.groupby(DEGREE):
        table.add_row(str(degree), *summary(of_degree))
    table.add_section()
    table.add_row("all", *summary(errors))
    Console(width=150).print(table)


def read_profile(path: Path) -> pd.DataFrame:
    """Return degree, tokens and seconds of each operator; medians where rows repeat.

    Raises:
        StudyError: Naming the columns that the file lacks.
    """
    frame = pd.read_csv(path)
    names = {f"{name}_ms": name for name in (*LINEAR, *ELEMENTWISE)}
    names |= {f"time_stats.{name}.median": name for name in (*LINEAR, *ELEMENTWISE)}
    frame = frame.rename(columns=names)
    wanted = [DEGREE, TOKENS, *LINEAR, *ELEMENTWISE]
    missing = [name for name in wanted if name not in frame]
    if missing:
        raise StudyError(f"{path}: not an operator profile; it has no {', '.join(missing)}.")
    medians = frame[wanted].groupby([DEGREE, TOKENS], as_index=False).median()
    medians[[*LINEAR, *ELEMENTWISE]] /= 1e3
    return medians


def relative_errors(measured: pd.DataFrame, accelerator: str, model: str) -> pd.DataFrame:
    """Return the signed relative error of each product, of their sum, and of the elementwise."""
    shape, gpu = load_model_shape(model), find_accelerator(accelerator)
    operators = {t: RooflineOperators(shape, gpu, int(t)) for t in measured[DEGREE].unique()}
    keys = list(zip(measured[DEGREE], measured[TOKENS], strict=True))
    predicted = pd.DataFrame([dict(operators[t].products_s(int(n))) for t, n in keys])
    errors = measured[[DEGREE, TOKENS]].copy()
    for name in LINEAR:
        errors[name] = predicted[name] / measured[name] - 1
    linear_s = [operators[t].linear_s(int(n)) for t, n in keys]
    errors["linear"] = np.array(linear_s) / measured[list(LINEAR)].sum(axis=1) - 1
    elementwise_s = [operators[t].elementwise_s(int(n)) for t, n in keys]
    counted = sum(times * measured[name] for name, times in ELEMENTWISE.items())
    errors["elementwise"] = np.array(elementwise_s) / counted - 1
    return errors


def summary(errors: pd.DataFrame) -> list[str]:
    """Return the cells of one line: percent, absolute."""
    absolute = 100 * errors.abs()
    linear = absolute["linear"]
    is_few = errors[TOKENS] < FEW_TOKENS
    many = linear[~is_few]
    cells = [many.mean(), many.quantile(0.99), many.max(), 100 * (many > 15).mean()]
    cells += [linear[is_few].max(), *absolute[[*LINEAR, "elementwise"]].mean()]
    return [str(len(errors)), *(f"{cell:.1f}" for cell in cells)]


if __name__ == "__main__":
    run_command(main)
