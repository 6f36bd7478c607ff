"""Parameters of demand out of what was measured: `python -m simulators fit`."""
