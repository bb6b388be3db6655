"""Where trials run: bundles, preflight, jobs, windows, manifests."""
