"""Tariff zones: drawn as drafts, published by a second person, never overlapping."""
