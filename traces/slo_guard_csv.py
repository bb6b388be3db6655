"""SLO-Guard: seconds between arrivals, and nothing else; the URI states the lengths."""

from collections.abc import Mapping
from typing import Any

from traces.format import Format
from traces.options import require_tokens
from traces.records import Records
from traces.rows import Row, build_trace, read_rows
from traces.schema import Trace
from traces.time_unit import TimeUnit
from traces.values import number

COLUMN = "inter_arrival_s"
UNIT = TimeUnit("s", f"the column is called {COLUMN}")


def _load(records: Records) -> Trace:
    source = records.source
    prompt = require_tokens(source, "prompt_tokens", "it has arrivals and no prompt lengths")
    output = require_tokens(source, "output_tokens", "it has arrivals and no output lengths")
    now_s = 0.0

    def row(fields: Mapping[str, Any]) -> Row:
        nonlocal now_s
        gap_s = number(fields[COLUMN])
        if gap_s < 0:
            raise ValueError(f"expected at least 0 seconds between arrivals, got {gap_s:g}")
        now_s += gap_s
        return Row(now_s, prompt, output)

    rows = read_rows(source, records.read(), row)
    note = f"every request has {prompt} prompt and {output} output tokens, as the URI states"
    return build_trace(rows, format_name=FORMAT.name, unit=UNIT, notes=[note])


FORMAT = Format(
    name="slo_guard",
    head=COLUMN,
    matches=lambda records: records.has(COLUMN),
    load=_load,
    options=("prompt_tokens", "output_tokens"),
)
