"""A continuous-batching inference engine in virtual time.

The loop is that of a real engine: schedule a step, let it take the time that `step_cost` says, and
postprocess. `version` says how vLLM's generations differ; `stress_test` is the entrance.
"""
