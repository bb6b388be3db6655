"""Rows: from the parsed records of any format to a trace; what is left out is counted here."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from scoot_ray.core.errors import TraceError
from scoot_ray.core.request import Request
from traces.records import Located, MalformedRecordError
from traces.schema import LeftOut, Trace
from traces.source import Source
from traces.time_unit import TimeUnit
from traces.values import MAX_TIME_S, shown

MALFORMED = "malformed"
WITHOUT_TOKENS = "without prompt or output tokens"
NUM_EXAMPLES = 5
# A cut last line or a few damaged ones are left out; beyond this the file is not what it seems.
MAX_MALFORMED_SHARE = 0.1
# Logs are written as requests end, so arrivals may lie somewhat out of order.
MAX_BACKWARDS_S = 3600.0
MAX_GAP_S = 30 * 86_400.0
# Outside of these, a mistaken unit is likelier than such a service.
MIN_LIKELY_RPS, MAX_LIKELY_RPS = 0.01, 2000.0
MIN_RATED_REQUESTS = 100


class Unusable(Exception):  # noqa: N818 (nothing is wrong with such a row)
    """A row that is well formed and cannot be replayed; the message is the reason."""


class Row(NamedTuple):
    """Hold what a record says; tokens may be 0 here (a failed request), arrivals of any origin."""

    arrival: float
    prompt_tokens: int
    output_tokens: int
    session: str | None = None
    prefix_hashes: tuple[int, ...] = ()
    block_tokens: int = 0
    text: str | None = None


@dataclass
class Rows:
    """Collect the usable rows of a source, each with where it stands, and count the others."""

    source: Source
    usable: list[tuple[str, Row]] = field(default_factory=list)
    _left_out: dict[str, tuple[int, list[str]]] = field(default_factory=dict)

    def leave_out(self, reason: str, example: str) -> None:
        """Count a row that is not used."""
        num_rows, examples = self._left_out.get(reason, (0, []))
        if num_rows < NUM_EXAMPLES:
            examples.append(example)
        self._left_out[reason] = (num_rows + 1, examples)

    def left_out(self) -> tuple[LeftOut, ...]:
        """Return what was left out, by reason."""
        return tuple(LeftOut(reason, n, tuple(e)) for reason, (n, e) in self._left_out.items())


def read_rows(
    source: Source, records: Iterable[Located], parse: Callable[[Mapping[str, Any]], Row]
) -> Rows:
    """Parse records one by one; `parse` raises ValueError, KeyError or `Unusable`."""
    rows = Rows(source)
    for where, record in records:
        try:
            row = parse(_mapping(record))
        except Unusable as reason:
            rows.leave_out(str(reason), where)
        except KeyError as error:
            rows.leave_out(MALFORMED, f"{where}: {error} is missing")
        except (ValueError, RecursionError) as error:
            rows.leave_out(MALFORMED, f"{where}: {error}")
        else:
            if row.prompt_tokens and row.output_tokens:
                rows.usable.append((where, row))
            else:
                rows.leave_out(WITHOUT_TOKENS, where)
    return rows


def _mapping(record: Any) -> Mapping[str, Any]:
    if isinstance(record, MalformedRecordError):
        raise record
    if not isinstance(record, dict):
        raise ValueError(f"expected a JSON object, got {shown(record)}")
    return record


def build_trace(
    rows: Rows,
    *,
    format_name: str,
    unit: TimeUnit,
    notes: Iterable[str] = (),
    is_ordered: bool = True,
) -> Trace:
    """Sort rows by arrival and let the first arrive at 0.

    Args:
        rows: Arrivals in `unit`.
        format_name: As it is printed.
        unit: The unit and how it is known.
        notes: What else a person should know.
        is_ordered: Whether the format lists requests as they arrive, so that one long before
            those above it is damaged.

    Raises:
        TraceError: If no row is left, too many are malformed, or a gap is longer than 30 days.
    """
    source = rows.source
    is_ordered = is_ordered and source.options.get("order") != "any"
    rows.usable = sorted(_timed(rows, unit, is_ordered), key=lambda item: item[1].arrival)
    require_usable(rows, format_name)
    _require_no_gap(rows)
    start_s = rows.usable[0][1].arrival
    requests = tuple(Request(row.arrival - start_s, *row[1:]) for _, row in rows.usable)
    return Trace(
        requests,
        source.uri,
        source.sha256,
        unit.name,
        format_name,
        unit.reason,
        rows.left_out(),
        (*notes, *_doubts(requests, unit)),
    )


def _doubts(requests: Sequence[Request], unit: TimeUnit) -> Iterator[str]:
    """Doubt the unit where the rate is not a service's: a factor of 1,000 is easily missed."""
    span_s = requests[-1].arrival_s
    if len(requests) < MIN_RATED_REQUESTS or span_s == 0:
        return
    rate_rps = len(requests) / span_s
    if not MIN_LIKELY_RPS < rate_rps < MAX_LIKELY_RPS:
        yield f"{rate_rps:.3g} requests/s is an unlikely rate: are the times really in {unit.name}?"


def _timed(rows: Rows, unit: TimeUnit, is_ordered: bool) -> Iterator[tuple[str, Row]]:
    """Yield the rows with arrivals in seconds; leave out those whose time is absurd."""
    latest_s = -MAX_TIME_S
    for where, row in rows.usable:
        arrival_s = row.arrival * unit.seconds
        backwards_s = latest_s - arrival_s
        if abs(arrival_s) > MAX_TIME_S:
            problem = f"time {row.arrival:g} {unit.name} is beyond the year 5000; check the unit"
        elif is_ordered and backwards_s > MAX_BACKWARDS_S:
            problem = (
                f"arrives {backwards_s / 3600:.3g} h before a request above it; sort the file, or "
                f"write {rows.source.with_options(order='any')}"
            )
        else:
            latest_s = max(latest_s, arrival_s)
            yield where, row._replace(arrival=arrival_s)
            continue
        rows.leave_out(MALFORMED, f"{where}: {problem}")


def require_usable(rows: Rows, format_name: str) -> None:
    """Check that there are rows to use and few that are malformed.

    Raises:
        TraceError: Naming the first lines that are malformed, or why none is usable.
    """
    name = f"Trace {rows.source.uri} ({format_name})"
    left_out = {group.reason: group for group in rows.left_out()}
    num_rows = len(rows.usable) + sum(group.num_rows for group in left_out.values())
    malformed = left_out.get(MALFORMED)
    if malformed and malformed.num_rows > MAX_MALFORMED_SHARE * num_rows:
        raise TraceError(
            f"{name}: {malformed.num_rows:,} of {num_rows:,} rows are malformed: "
            f"{'; '.join(malformed.examples)}. Mend them, or check that this is the right file."
        )
    if not rows.usable:
        reasons = "; ".join(map(str, left_out.values()))
        raise TraceError(
            f"{name}: expected requests with at least one prompt and one output token; none of "
            f"its {num_rows} rows is one{f' ({reasons})' if reasons else ''}."
        )


def _require_no_gap(rows: Rows) -> None:
    for (_, earlier), (where, later) in pairwise(rows.usable):
        gap_s = later.arrival - earlier.arrival
        if gap_s > MAX_GAP_S:
            raise TraceError(
                f"Trace {rows.source.uri}, {where}: arrives {gap_s / 86_400:,.0f} days after the "
                "request before it; one of the two times is wrong. Correct or remove it."
            )
