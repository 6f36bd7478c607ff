"""Lots: nearest, listed, one by one, and their history."""
