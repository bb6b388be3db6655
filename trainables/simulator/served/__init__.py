"""The simulated engine behind an OpenAI-compatible HTTP server, in real time.

`process.serve` is the entrance. `live_engine` keeps the engine's virtual clock beside the wall
clock, `server` speaks HTTP in the words of `protocol` and `answer`, `metrics_page` counts in vLLM's
names, and `fault` breaks things on demand.
"""
