"""What to try next: search algorithms behind one seam, `Optimizer`."""
