"""A continuous-batching inference engine in virtual time."""
