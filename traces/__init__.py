"""Requests with arrival times: one loader per format, arrivals, selection, synthetic workloads.

`load_trace` reads any format; `traces.workload.make_load` draws the load of one stress test.
A new format is one new file and one line in `traces/formats.py`.
"""

from traces.formats import load_trace

__all__ = ["load_trace"]
