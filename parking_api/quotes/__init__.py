"""Quotes: what a stay costs, line by line, from a copy of the published tariffs in memory."""
