"""Run the command line as `python -m scoot_ray`."""

from scoot_ray.cli import main

main()
