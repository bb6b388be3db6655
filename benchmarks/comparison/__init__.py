"""Searchers compared: equal budgets, paired seeds, controls. `scoot bench` is the entrance.

    experiment   which services, algorithms, parallel degrees and seeds     -> tasks
    search       one task: an algorithm searches a service in virtual time  -> run
    ray_pool     tasks on all cores; every finished run is a line of `runs.jsonl`
    statistics   runs -> means, intervals, ranks, paired tests
    tables, plots, document   what is printed and written

A configuration is judged by what it does under arrival orders that no search sees (`judge`), so
luck in the measurements earns nothing. `repeated_default` shows what luck would have earned.
"""
