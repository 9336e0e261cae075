"""What the service can do, measured: ``python -m bench`` prints a table, and a line of JSON."""
