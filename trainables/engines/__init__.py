"""Engines: each starts one inference server with one configuration, and leaves nothing behind."""
