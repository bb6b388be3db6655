"""The commands around traces: look at one, convert one, make one."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from scoot_ray.cli.printing import print_line
from scoot_ray.core.display import format_duration
from scoot_ray.core.errors import OutputError
from traces import load_trace
from traces.schema import Trace
from traces.scoot_jsonl import dump_trace
from traces.summary import doubling_histogram, summarize
from traces.synthetic import APPLICATIONS
from traces.synthetic import synthesize as make_trace

BAR_WIDTH = 40
HEIGHTS = " ▁▂▃▄▅▆▇█"

app = typer.Typer(
    name="traces", help="Look at request traces, convert them, make them.", no_args_is_help=True
)
TraceUri = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A trace, with options where it needs any ('FILE?unit=ms'), or synthetic:NAME.",
    ),
]
OutputFile = Annotated[
    Path, typer.Option("--to", metavar="OUT", help="The file to write; .gz is packed.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")]


@app.command()
def inspect(file: TraceUri) -> None:
    """Print what was understood of a trace."""
    trace = load_trace(file)
    for topic, finding in _findings(trace):
        print_line(f"{topic:<12}{finding}")
    for name in ("prompt", "output"):
        print_line()
        print_line(f"{name} tokens")
        _print_histogram([getattr(request, f"{name}_tokens") for request in trace.requests])


@app.command()
def convert(file: TraceUri, to: OutputFile, force: Force = False) -> None:
    """Write a trace of any format in SCOOT-Ray's own."""
    _require_free(to, force)
    _write(load_trace(file), to)


@app.command()
def synthesize(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"One of {', '.join(APPLICATIONS)}.")],
    to: OutputFile,
    rate: Annotated[float, typer.Option(help="Requests a second.")] = 1.0,
    duration: Annotated[float, typer.Option(help="Seconds.")] = 600.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same trace.")] = 0,
    force: Force = False,
) -> None:
    """Make a trace of a typical application, in SCOOT-Ray's own format."""
    _require_free(to, force)
    _write(make_trace(name, rate, duration, seed), to)


def _findings(trace: Trace) -> Iterator[tuple[str, str]]:
    summary = summarize(trace)
    num_requests = len(trace.requests)
    yield "trace", trace.source
    yield "format", trace.format
    yield "requests", f"{num_requests:,}; {trace.num_dropped:,} row(s) left out"
    for group in trace.left_out:
        yield "left out", str(group)
    yield "time unit", f"{trace.time_unit}: {trace.unit_reason}"
    if summary.peak_rate_rps is not None:
        peak = f"{summary.peak_rate_rps:.4g} in the busiest 60th"
        yield "span", format_duration(trace.span_s)
        yield "rate", f"{trace.rate_rps:.4g} requests/s in the mean, {peak}"
        yield "arrivals", _sparkline(summary.arrivals_per_slot)
    else:
        yield "span", "no arrival times of its own; workload.arrivals: poisson makes them"
    if summary.gap_cv is not None:
        meaning = "variation of the gaps; 0 is even, 1 is Poisson, more comes in bursts"
        yield "burstiness", f"{summary.gap_cv:.3g} ({meaning})"
    for name, lengths in (("prompt", summary.prompt_tokens), ("output", summary.output_tokens)):
        yield name, "  ".join(f"{key} {value:,.0f}" for key, value in lengths.items()) + " tokens"
    yield "prefixes", _describe_sharing(summary.prefix_share)
    if summary.num_sessions is not None:
        mean = sum(request.session is not None for request in trace.requests) / summary.num_sessions
        yield "sessions", f"{summary.num_sessions:,}, of {mean:.3g} requests in the mean"
    for note in trace.notes:
        yield "note", note
    yield "sha256", trace.sha256


def _describe_sharing(share: float | None) -> str:
    if share is None:
        return "the trace does not say what prompts share; they are replayed as sharing nothing"
    return f"an infinite prefix cache would serve {share:.1%} of the prompt tokens"


def _sparkline(counts: tuple[int, ...]) -> str:
    # Rounded up: a slot with any request is not shown as empty.
    steps = len(HEIGHTS) - 1
    return "".join(HEIGHTS[-(-count * steps // max(counts))] for count in counts)


def _print_histogram(tokens: list[int]) -> None:
    classes = doubling_histogram(tokens)
    most = max(count for _, _, count in classes)
    for low, high, count in classes:
        bar = "█" * -(-count * BAR_WIDTH // most)
        print_line(f"{f'{low:,}-{high:,}':>23} {bar:<{BAR_WIDTH}} {count / len(tokens):6.1%}")


def _require_free(path: Path, force: bool) -> None:
    """Check that a file may be written, before the work is done.

    Raises:
        OutputError: Saying why not.
    """
    with _told(path):
        if path.is_dir():
            raise OutputError(f"--to {path}: expected a file, and this is a folder.")
        if path.exists() and not force:
            raise OutputError(f"--to {path}: the file exists; write --force to overwrite it.")


def _write(trace: Trace, path: Path) -> None:
    content = dump_trace(trace).encode()
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    # Written beside and renamed, so that a full disk leaves no half of a trace.
    partial = path.with_name(path.name + ".partial")
    with _told(path):
        try:
            partial.write_bytes(content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    print_line(f"{path}: {len(trace.requests):,} requests; `scoot traces inspect` shows them.")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell what the system says against a file as one message."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"--to {path}: cannot be written: {error.strerror}.") from None
