"""The city: totals, readiness, metrics, and a copy in memory for when the database is away."""
