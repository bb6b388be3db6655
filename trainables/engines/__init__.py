"""Inference engines: how each is started, watched and stopped, and what its failures mean."""
