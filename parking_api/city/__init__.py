"""The city in memory, which answers about lots and bays; its totals, readiness and metrics."""
