"""How one configuration is measured: engines, the load client, the simulator, failure labels.

`backend.make_stress_test(study)` returns what measures; everything else here is behind it.
"""
