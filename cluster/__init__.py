"""Where trials run: bundles, preflight."""
