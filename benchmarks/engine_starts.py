"""How long an engine takes to start with empty compile caches, and with what earlier trials left.

    python -m benchmarks.engine_starts examples/vllm_cpu.yaml --set enforce_eager=false

Each round starts the study's engine with its default configuration, changed by --set: once on empty
caches, once more on what that start left, once with another batch size on the same caches, and two
at once on empty ones, as trials side by side do. Seconds from launch to the first good /health.
"""

import asyncio
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.entry import run_command
from benchmarks.result_file import write_result
from scoot_ray.cli.options import Settings, parse_settings
from scoot_ray.core.errors import EngineError
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study, load_study
from trainables.backend import BACKENDS
from trainables.engines.engine_log import read_lines, tail
from trainables.engines.server import EngineServer
from trainables.spaces import make_space

OTHER_BATCH = {"max_num_seqs": 64}


def main(
    study_file: Path,
    settings: Settings = None,
    rounds: Annotated[int, typer.Option(min=1)] = 1,
    output: Annotated[Path | None, typer.Option(help="Write the seconds here, as JSON.")] = None,
) -> None:
    """Print the seconds of each kind of start."""
    study = load_study(study_file)
    config = {**make_space(study).default, **parse_settings(settings)}
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, values in run_round(study, config).items():
            seconds.setdefault(name, []).extend(values)
    table = Table("caches", "starts", "median, s", "all, s", title=f"Starts of {study.name}")
    for name, values in seconds.items():
        every = ", ".join(f"{value:.1f}" for value in values)
        table.add_row(name, str(len(values)), f"{median(values):.1f}", every)
    Console(width=120).print(table)
    if output is not None:
        write_result(output, study=study.name, config=config, seconds=seconds)


def run_round(study: Study, config: Config) -> dict[str, list[float]]:
    """Return the seconds of one round's starts, by what the caches held."""
    cold = {**config, **OTHER_BATCH}
    with tempfile.TemporaryDirectory(prefix="scoot-cache-") as cache:
        seconds = {
            "empty": starts(study, [config], cache),
            "of the same configuration": starts(study, [config], cache),
            "of another batch size": starts(study, [cold], cache),
        }
    with tempfile.TemporaryDirectory(prefix="scoot-cache-") as cache:
        seconds["empty, two at once"] = starts(study, [config, config], cache)
    return seconds


def starts(study: Study, configs: list[Config], cache: str) -> list[float]:
    """Start engines side by side, stop them, and return the seconds that each took."""
    os.environ["XDG_CACHE_HOME"] = cache

    async def all_of_them() -> list[float]:
        return await asyncio.gather(*(start(study, config) for config in configs))

    return asyncio.run(all_of_them())


async def start(study: Study, config: Config) -> float:
    """Return the seconds from launch to the first good /health."""
    with tempfile.TemporaryDirectory(prefix="scoot-start-") as folder:
        engine = EngineServer(BACKENDS[study.engine.kind].adapter, study, Path(folder))
        begin_s = time.monotonic()
        endpoint = await engine.start(config)
        healthy = asyncio.ensure_future(endpoint.wait_until_healthy())
        death = asyncio.ensure_future(engine.wait_exit())
        try:
            await asyncio.wait({healthy, death}, return_when=asyncio.FIRST_COMPLETED)
            if not healthy.done():
                raise EngineError("\n".join(tail(read_lines(engine.log))))
            return time.monotonic() - begin_s
        finally:
            for future in (healthy, death):
                future.cancel()
            await asyncio.gather(healthy, death, return_exceptions=True)
            await engine.stop()


if __name__ == "__main__":
    run_command(main)
