"""Requests with arrival times: one loader per format, arrivals, selection, synthetic workloads."""
