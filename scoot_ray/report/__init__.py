"""From a journal to what a person reads: tables, plots, one HTML file. Nothing here runs trials."""
