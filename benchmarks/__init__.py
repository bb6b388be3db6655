"""What is measured and compared; each module prints a table and writes JSON."""
