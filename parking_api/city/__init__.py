"""The city as a whole: totals, readiness, figures for operations, a copy for bad times."""
